"""What only an in-process graph must hold: the lock, and a death in mid-write."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from titan_desktop.adapters.graph import ladybug
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.client import problems
from titan_desktop.ports.graph import FileNode, GraphUnavailableError
from titan_desktop.system.file_lock import FileLock

REPOSITORY = Path(__file__).parents[4]

WRITER = """
import asyncio, sys
from pathlib import Path
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.ports.graph import FileNode

async def main():
    graph = LadybugGraph(Path(sys.argv[1]))
    await graph.open()
    for number in range(1_000_000):
        path = f"/d/{number // 50}/{number}.pdf"
        await graph.put_file(FileNode(path=path, title="t", kind="pdf", modified=number))
        print(number, flush=True)

asyncio.run(main())
"""


def write_until_killed(folder: Path) -> int:
    """Let a process put files one after another, kill it in the middle, and return how many puts returned."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, folder],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert writer.stdout is not None
    with writer.stdout as lines:
        while int(lines.readline()) < 300:
            pass
        writer.send_signal(signal.SIGKILL)
        rest = [int(line) for line in lines.read().splitlines()]
    writer.wait(10)
    return max([300, *rest]) + 1


async def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    """Every put that returned is there after a kill -9, whole, and the next start is not locked out."""
    written = await asyncio.to_thread(write_until_killed, tmp_path / "graph")
    graph = LadybugGraph(tmp_path / "graph")
    await graph.open()
    try:
        counts = await graph.counts()
        assert counts.files in {written, written + 1}
        assert counts.folders == (counts.files - 1) // 50 + 3
        first = await graph.neighbours("/d/0/0.pdf", 100)
        assert len(first) == 49
    finally:
        await graph.close()


async def test_a_graph_that_another_process_holds_is_refused_with_the_cure(tmp_path: Path) -> None:
    """Two cores on one folder: the second one says so instead of damaging the first one's data."""
    (tmp_path / "graph").mkdir()
    with FileLock(tmp_path / "graph" / "graph.lock") as other:
        assert other.acquire()
        graph = LadybugGraph(tmp_path / "graph")
        with pytest.raises(GraphUnavailableError, match="graph_in_use") as caught:
            await graph.open()
        await graph.close()
    assert "TITAN_HOME" in problems.say("en", caught.value.problem)


@pytest.mark.logs("the graph is damaged and made anew")
async def test_a_damaged_database_is_moved_aside_and_an_empty_one_made(tmp_path: Path) -> None:
    """Only the newest damaged one is kept, and whoever opens the graph within a day is told where."""
    folder = tmp_path / "graph"
    folder.mkdir()
    for damage in (b"this is no database" * 1000, b"neither is this"):
        (folder / "graph.lbug").write_bytes(damage)
        graph = LadybugGraph(folder)
        await graph.open()
        assert (await graph.counts()).files == 0
        assert graph.moved_aside is not None
        assert (graph.moved_aside / "graph.lbug").read_bytes() == damage
        await graph.close()
    for age_s, told in ((0, folder / "damaged"), (ladybug.TOLD_S, None)):
        moved_at = time.time() - age_s
        os.utime(folder / "damaged", (moved_at, moved_at))
        sound = LadybugGraph(folder)
        await sound.open()
        assert sound.moved_aside == told
        await sound.close()


async def test_a_closed_graph_is_unavailable_and_opens_again(tmp_path: Path) -> None:
    """Closing checkpoints and gives the lock back; a new graph on the folder finds everything."""
    for expected in (1, 1):
        graph = LadybugGraph(tmp_path / "graph")
        await graph.open()
        await graph.put_file(FileNode(path="/d/a.pdf", title="a", kind="pdf"))
        assert (await graph.counts()).files == expected
        await graph.close()


async def test_a_graph_that_is_not_open_says_so(tmp_path: Path) -> None:
    """A call before `open` is an error of its own, not an attribute of None."""
    graph = LadybugGraph(tmp_path / "graph")
    with pytest.raises(GraphUnavailableError, match="not_open"):
        await graph.counts()
    await graph.close()
