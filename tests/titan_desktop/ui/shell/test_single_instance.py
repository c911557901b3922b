"""Two windows of one person do not fight, and a killed one blocks nobody."""

import asyncio
import subprocess
import sys
import time

import pytest

from titan_desktop.system.paths import Paths
from titan_desktop.ui.shell.single_instance import SingleInstance


@pytest.fixture
def paths(titan_home):
    made = Paths.from_environment()
    made.create()
    return made


async def test_the_second_raises_the_first(paths, monkeypatch):
    """The second claim fails, and its request reaches the first."""
    first = SingleInstance(paths)
    assert first.claim()
    raised = asyncio.Event()
    first.raise_requested.connect(raised.set)
    # Another process, as in life: asking blocks, and the first must answer meanwhile.
    script = (
        "import sys; from PySide6.QtCore import QCoreApplication; from titan_desktop.system.paths import Paths;"
        "from titan_desktop.ui.shell.single_instance import SingleInstance; app = QCoreApplication([]);"
        "second = SingleInstance(Paths.from_environment());"
        "sys.exit(second.claim() or not second.ask_to_raise())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    await asyncio.wait_for(raised.wait(), 20)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    first.release()
    third = SingleInstance(paths)
    assert third.claim()
    third.release()


def test_a_killed_window_leaves_nothing_that_blocks(paths):
    """After kill -9 the socket is still there, and the next start is the first all the same."""
    script = (
        "import time; from PySide6.QtCore import QCoreApplication; from titan_desktop.system.paths import Paths;"
        "from titan_desktop.ui.shell.single_instance import SingleInstance; app = QCoreApplication([]);"
        "one = SingleInstance(Paths.from_environment()); print(one.claim(), flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "True"
    assert not SingleInstance(paths).claim()
    process.kill()
    process.wait()
    process.stdout.close()
    instance = SingleInstance(paths)
    assert instance.claim()
    assert instance._server.isListening()
    instance.release()


def test_asking_nobody_gives_up(paths, monkeypatch):
    """Where no window listens, asking ends with no within its time."""
    monkeypatch.setattr("titan_desktop.ui.shell.single_instance._ASK_TIMEOUT_S", 0.1)
    begin = time.monotonic()
    assert not SingleInstance(paths).ask_to_raise()
    assert time.monotonic() - begin < 20
