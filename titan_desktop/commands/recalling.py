"""`titan memory query`: what was said in conversations, and facts, for one query or for many."""

import argparse
import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from titan_bus import Bus
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import message
from titan_desktop.contracts.recall import GetRecallStatus, QueryMemory, Recalled
from titan_desktop.contracts.sources import FactSource, MessageSource

ASK_TIMEOUT_S = 30.0
PATIENCE_S = 60.0
"""How long a query waits for what was said or imported just before it."""
LOOK_EVERY_S = 0.2


async def run(bus: Bus, options: argparse.Namespace, text: str, says: sentences.Table) -> int:
    """Answer one query; 1 when nothing was found."""
    await until_indexed(bus, PATIENCE_S)
    found = await _ask(bus, text, options)
    if found.degraded:
        output.complain(output.line(sentences.for_degraded(says, found.degraded)))
    if options.json:
        output.say_json(list(map(as_json, found.hits)))
    else:
        _print(found.hits, says)
    if not found.hits and not options.json:
        output.complain(says["memory.nothing_said"])
    return exit_codes.DONE if found.hits else exit_codes.NOTHING


async def run_many(
    bus: Bus, options: argparse.Namespace, queries: Sequence[str], says: sentences.Table
) -> int:
    """Answer many, one JSON list a line, in the order of the queries; what is missing is said once."""
    await until_indexed(bus, PATIENCE_S)
    degraded = ""
    for query in queries:
        found = await _ask(bus, query, options)
        output.say_json(list(map(as_json, found.hits)))
        degraded = degraded or found.degraded
    if degraded:
        output.complain(output.line(sentences.for_degraded(says, degraded)))
    return exit_codes.DONE


async def until_indexed(bus: Bus, patience_s: float | None) -> None:
    """Wait until everything that was said can be found by its words, or for so long; None: as long as it takes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while (await message.ask(bus, GetRecallStatus(), ASK_TIMEOUT_S)).behind:  # noqa: ASYNC110 - a poll
                await asyncio.sleep(LOOK_EVERY_S)


def as_json(hit: MessageSource | FactSource) -> dict[str, object]:
    """Return the fields that scripts may rely on. `id` is the one of an imported message where it came from."""
    if isinstance(hit, FactSource):
        return {
            "kind": "fact", "id": hit.fact_id, "text": hit.passage, "score": hit.score,
            "source": {"title": hit.title, "learned_at": hit.learned_at},
        }  # fmt: skip
    return {
        "kind": "message", "id": hit.imported_id or hit.message_id, "text": hit.passage, "score": hit.score,
        "source": {
            "message": hit.message_id, "conversation": hit.conversation_id, "title": hit.title,
            "role": hit.role, "speaker": hit.speaker, "said_at": hit.said_at,
        },
    }  # fmt: skip


async def _ask(bus: Bus, query: str, options: argparse.Namespace) -> Recalled:
    if not query:
        return Recalled(hits=())
    return await message.ask(bus, QueryMemory(query=query, limit=options.limit), ASK_TIMEOUT_S)


def _print(hits: Iterable[MessageSource | FactSource], says: sentences.Table) -> None:
    for number, hit in enumerate(hits, start=1):
        if isinstance(hit, FactSource):
            about = says["memory.a_fact"]
        else:
            who = hit.speaker or says[f"memory.by_{hit.role}"]
            about = f"{hit.title}, {hit.said_at[:10]}, {who}"
        output.say(f"{number}. {output.line(about)}  ({hit.score:.4g})")
        output.say(f"   {output.line(hit.passage)[:500]}")
