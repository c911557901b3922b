"""The way of a cached request: window → bus → core → window. `python -m tests.benchmarks.round_trip [REQUESTS]`.

A real core with embedded stores; the client runs on the window's own event loop, asks for the history of one
conversation (cached after the first time) and for nothing else, one request after the other, then ten at a time.
The specification says under 150 ms; the aim is 10 ms at p99.
"""

import asyncio
import statistics
import sys
import time

from PySide6.QtWidgets import QApplication

from tests.benchmarks.private_titan import private_titan
from tests.e2e.harness import Listener, Titan, ask, history
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import chat
from titan_desktop.ui.base.event_loop import AppLoop


async def measure(titan: Titan, count: int) -> None:
    """Ask once, then read the conversation again and again."""
    async with titan.link() as link:
        async with Listener(link, chat.AssistantMessage) as heard:
            prompt = await ask(link, "What is the deposit?")
            await heard.answer_to(prompt.message_id)
        print(f"{'at a time':<12}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
        for width in (1, 10):
            await row(link, prompt.conversation_id, width, count)


async def row(link: CoreLink, conversation_id: str, width: int, count: int) -> None:
    """Print the quantiles of `count` requests, `width` at a time, after fifty that do not count."""
    taken: list[float] = []

    async def one() -> None:
        start = time.perf_counter()
        await history(link, conversation_id)
        taken.append((time.perf_counter() - start) * 1e3)

    for _ in range(50):
        await one()
    taken.clear()
    for _ in range(count // width):
        await asyncio.gather(*(one() for _ in range(width)))
    cuts = statistics.quantiles(taken, n=100)
    print(f"{width:<12}{len(taken):>9}{cuts[49]:>9.2f}{cuts[94]:>9.2f}{cuts[98]:>9.2f}{max(taken):>9.2f}")


if __name__ == "__main__":
    application = QApplication.instance() or QApplication([])
    with private_titan() as installed, AppLoop(application) as loop:
        loop.run_until_complete(measure(installed, int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
