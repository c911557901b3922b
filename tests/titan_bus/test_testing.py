"""The server that programs' own tests run."""

import pytest

from titan_bus import testing


def test_a_server_that_does_not_start_says_why() -> None:
    """At once, in its own words: an option it does not know, a module that is not there."""
    for option, said in ((("--nonsense", "1"), "nonsense"), (("--loadmodule", "/nowhere.so"), "/nowhere.so")):
        with pytest.raises(ChildProcessError, match=said), testing.private_server(*option):
            pass
