import logging

import pytest

from titan_desktop.system.outage import Outage


def test_a_trouble_is_told_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    """Tries in between say nothing, whatever words a server that restarts finds; our bug brings its traceback."""
    caplog.set_level("INFO")
    outage = Outage(logging.getLogger("test"), "a loop")
    outage.ends()
    for words in ("refused", "starting up", "refused"):
        outage.begins(ConnectionError(words), foreseen=True)
    for _ in range(2):
        outage.begins(KeyError("x"), foreseen=False)
    for _ in range(2):
        outage.ends()
    outage.begins(ConnectionError("refused"), foreseen=True)
    assert [(record.getMessage(), bool(record.exc_info)) for record in caplog.records] == [
        ("a loop waits: refused", False),
        ("a loop failed and is tried again", True),
        ("a loop goes on", False),
        ("a loop waits: refused", False),
    ]
