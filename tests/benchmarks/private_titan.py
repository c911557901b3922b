"""A Titan for a benchmark: a home and a state of its own, ended and removed afterwards."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests import servers
from tests.e2e.harness import Titan, cleaned


@contextlib.contextmanager
def private_titan(**environment: str) -> Iterator[Titan]:
    """Point this process's environment to a new home and state; yields the Titan there, not yet running.

    Of what else the environment says of Titan, only what is given stays.
    """
    with servers.short_folder() as folder:
        home = folder / "home"
        (home / "Desktop").mkdir(parents=True)
        (home / "Downloads").mkdir()
        os.environ.update(
            HOME=str(home), XDG_CONFIG_HOME=str(home / ".config"), TITAN_HOME=str(folder / "titan"),
            QT_QPA_PLATFORM=os.environ.get("QT_QPA_PLATFORM", "offscreen"), PYTHONPATH=str(Path.cwd()),
        )  # fmt: skip
        for name in [
            name for name in os.environ if name.startswith(("OPENAI_", "TITAN_")) and name != "TITAN_HOME"
        ]:
            del os.environ[name]
        os.environ["TITAN_EMBEDDING_MODEL"] = "none"
        os.environ.update(environment)
        with cleaned(home) as titan:
            yield titan
