"""`titan memory rebuild`: derives passages and graph anew, and compares the text of the index with the former.

Files are replaced one by one, so search answers meanwhile. A vector belongs to its text: only a text that differs
gets a new one.
"""

import argparse
import asyncio
from collections.abc import Mapping

from titan_bus import Bus, new_ulid
from titan_desktop.commands import exit_codes, indexing, output, sentences
from titan_desktop.contracts import memory, message
from titan_desktop.contracts.indexing import ListDigests

ASK_TIMEOUT_S = 60.0
GRAPH_TIMEOUT_S = 600.0
PAGE = 200
PATHS_SHOWN = 20
"""How many files of a kind are listed for a person; `--json` lists all."""


async def run(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    """Rebuild, print what differs, return the exit status."""
    before = await _digests(bus)
    job = indexing.Job((), force=True)
    progress = output.Progress(says["indexing"], sentences.language_of(says))
    try:
        async with indexing.listening(bus) as tail:
            await indexing.run(bus, tail, job, progress.update)
    except indexing.StalledError as error:
        progress.clear()
        output.complain(says["stalled"].format(files=error.left))
        return exit_codes.NOT_REACHED
    finally:
        progress.clear()
    in_graph = await _graph(bus)
    found = compared(before, await _digests(bus))
    if options.json:
        output.say_json({**found, "graph_files": in_graph})
    else:
        _print(found, in_graph, says)
    return exit_codes.DONE if in_graph is not None else exit_codes.NOT_REACHED


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the paths whose text is the same, changed, gained and lost."""
    both = before.keys() & after.keys()
    return {
        "same": sorted(path for path in both if before[path] == after[path]),
        "changed": sorted(path for path in both if before[path] != after[path]),
        "gained": sorted(after.keys() - both),
        "lost": sorted(before.keys() - both),
    }


async def _digests(bus: Bus) -> dict[str, str]:
    found: dict[str, str] = {}
    after = ""
    while True:
        page = await message.ask(bus, ListDigests(after=after, limit=PAGE), ASK_TIMEOUT_S)
        found |= {file.path: file.digest for file in page.files}
        if not page.more:
            return found
        after = page.files[-1].path


async def _graph(bus: Bus) -> int | None:
    """Have the graph made anew; return how many files it has, None when it is away: then it is done later."""
    kinds = message.Kinds[message.BusMessage](memory.GraphRebuilt)
    command = memory.RebuildGraph(rebuild_id=new_ulid())
    tail = bus.tail(kinds.topics)
    try:
        await tail.start()
        await message.publish(bus, command)
        async with asyncio.timeout(GRAPH_TIMEOUT_S):
            async for event in tail:
                match kinds.read(event):
                    case memory.GraphRebuilt(rebuild_id=command.rebuild_id, files=files):
                        return files
    except TimeoutError:
        return None
    finally:
        await tail.close()
    raise AssertionError("a tail ends only when it is closed")


def _print(found: Mapping[str, list[str]], in_graph: int | None, says: sentences.Table) -> None:
    output.say(says["memory.rebuilt"].format(**{kind: len(paths) for kind, paths in found.items()}))
    for kind in ("changed", "gained", "lost"):
        for path in found[kind][:PATHS_SHOWN]:
            output.say(f"  {says[f'memory.{kind}']}: {output.line(path)}")
        if (left := len(found[kind]) - PATHS_SHOWN) > 0:
            output.say("    " + says["more"].format(files=left))
    if in_graph is None:
        output.complain(says["memory.graph_later"])
    else:
        output.say(says["memory.graph_rebuilt"].format(files=in_graph))
