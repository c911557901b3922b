"""`titan search`: the files that a question is about, for one query or for many."""

import argparse
import asyncio
import shutil
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from titan_bus import Bus
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import message, search
from titan_desktop.contracts.sources import FilePassage

SEARCH_TIMEOUT_S = 30.0
QUERIES_AT_ONCE = 8
"""The core answers searches side by side, and its database has as many connections."""


def read_queries(source: str) -> list[str]:
    """Read one query a line from a file, or from standard input for "-".

    Raises:
        OSError: the file cannot be read.
    """
    content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    # Not splitlines(): it would also cut at a line separator that stands inside a query.
    lines = content.decode("utf-8-sig", errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.strip() for line in lines]


async def run(bus: Bus, options: argparse.Namespace, text: str, says: sentences.Table) -> int:
    """Answer one query; 1 when nothing was found."""
    result = await _search(bus, text, options)
    if result.degraded:
        output.complain(output.line(sentences.for_degraded(says, result.degraded)))
    if result.read is not None:
        output.complain(output.line(sentences.for_read_filters(says, result.read)))
    if result.instead is not None:
        written, shown = (word.strip('«»"') for word in (result.instead.written, result.instead.shown))
        output.complain(output.line(says["instead"].format(written=written, shown=shown)))
    if result.nearest_only:
        output.complain(says["nearest"])
    if options.json:
        output.say_json([output.source_as_json(hit) for hit in result.hits])
    else:
        _print(result.hits, says)
    if not result.hits and not options.json:
        output.complain(says["nothing"])
    return exit_codes.DONE if result.hits else exit_codes.NOTHING


async def run_many(
    bus: Bus, options: argparse.Namespace, queries: Sequence[str], says: sentences.Table
) -> int:
    """Answer many, one JSON list a line, in the order of the queries; what is missing is said once."""
    degraded = ""
    async for result in _in_order(bus, queries, options):
        output.say_json([output.source_as_json(hit) for hit in result.hits])
        degraded = degraded or result.degraded
    if degraded:
        output.complain(output.line(sentences.for_degraded(says, degraded)))
    return exit_codes.DONE


async def _in_order(
    bus: Bus, queries: Iterable[str], options: argparse.Namespace
) -> AsyncIterator[search.SearchResult]:
    """Search several at a time and yield in order; the window is bounded, so a long file needs no memory."""
    window: deque[asyncio.Task[search.SearchResult]] = deque()
    try:
        for query in queries:
            window.append(asyncio.create_task(_search(bus, query, options), name="search"))
            if len(window) >= QUERIES_AT_ONCE:
                yield await window.popleft()
        while window:
            yield await window.popleft()
    finally:
        for task in window:
            task.cancel()
        await asyncio.gather(*window, return_exceptions=True)


async def _search(bus: Bus, query: str, options: argparse.Namespace) -> search.SearchResult:
    if not query:
        return search.SearchResult(hits=())
    filters = search.Filters(
        folders=tuple(options.folders),
        kinds=tuple(options.kinds),
        since=options.since,
        until=options.until,
    )
    wanted = search.Search(query=query, limit=options.limit, filters=filters)
    return await message.ask(bus, wanted, SEARCH_TIMEOUT_S)


def _print(hits: Iterable[FilePassage], says: sentences.Table) -> None:
    width = max(shutil.get_terminal_size().columns, 40)
    for number, hit in enumerate(hits, start=1):
        output.say(f"{number}. {output.line(sentences.for_source(says, hit))}  ({hit.score:.4g})")
        output.say(f"   {output.line(hit.path)}")
        passage = output.line(hit.passage)
        room = width - 3
        output.say("   " + (passage if len(passage) <= room else passage[: room - 1] + "…"))
