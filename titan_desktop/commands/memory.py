"""`titan memory`: what Titan remembers, where it is from, and what the person makes of it."""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import PurePath

from titan_bus import Bus, RequestFailedError, Tail, new_ulid
from titan_desktop.client import memory_words
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import memory, message
from titan_desktop.contracts.memory import ByPerson, Fact, FactState, FromFile, FromMessage, Void
from titan_desktop.contracts.sources import FilePassage

ASK_TIMEOUT_S = 30.0
TOLD_TIMEOUT_S = 60.0
"""The core waits for a store that is away, and does the command then."""
RECEIPT_TIMEOUT_S = 30.0
"""The files of two servers are written anew before a receipt comes; an erasure goes on without whoever waits."""
_PAGE = 200

_TOLD = message.Kinds[message.BusMessage](
    memory.FactLearned, memory.FactChanged, memory.MemoryForgotten, memory.MemoryErased, memory.MemoryVoid
)


async def run(bus: Bus, options: argparse.Namespace, text: str, says: sentences.Table) -> int:
    """Do what `options.act` says, and return the exit status. `text` is what is to be remembered or looked for."""
    try:
        match options.act:
            case "list":
                return await _list(bus, options, text, says)
            case "explain":
                return await _explain(bus, options, says)
    except RequestFailedError as error:
        if error.code != "not_found":
            raise
        output.complain(f"titan: {memory_words.void(sentences.language_of(says), Void.NOT_FOUND)}")
        return exit_codes.NOTHING
    subject_id, command = _command(options, text)
    try:
        told = await _told(bus, command, subject_id)
    except TimeoutError:
        output.complain(says["no_answer"])
        return exit_codes.NOT_REACHED
    return _report(options, told, says)


def _command(options: argparse.Namespace, text: str) -> tuple[str, message.BusMessage]:
    """Return the command, and the id that it is answered by."""
    new = new_ulid()
    match options.act:
        case "remember":
            return new, memory.Remember(fact_id=new, text=text, valid_from=_since(options))
        case "correct":
            return options.fact, memory.CorrectFact(
                fact_id=new, former_id=options.fact, text=text, valid_from=_since(options)
            )
        case "pin":
            return options.fact, memory.PinFact(fact_id=options.fact, pinned=not options.off)
        case "forget":
            return options.fact, memory.ForgetFact(fact_id=options.fact)
    raise AssertionError(options.act)


def _since(options: argparse.Namespace) -> str:
    return options.since.isoformat() if options.since else ""


async def _told(bus: Bus, command: message.BusMessage, subject_id: str) -> message.BusMessage:
    """Send a command, and return what is told of it.

    Raises:
        TimeoutError: nothing was; it may be done later.
    """
    async with _listening(bus) as tail:
        async with asyncio.timeout(TOLD_TIMEOUT_S):
            await message.publish(bus, command, priority="high")
            told = await _next(tail, subject_id)
        if isinstance(told, memory.MemoryForgotten):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECEIPT_TIMEOUT_S):
                    while not isinstance(told, memory.MemoryErased):
                        told = await _next(tail, subject_id)
    return told


async def _next(tail: Tail, subject_id: str) -> message.BusMessage:
    """Return the next message about something."""
    async for event in tail:
        told = _TOLD.read(event)
        match told:
            case memory.FactLearned(fact=fact) if fact.id == subject_id:
                return told
            case memory.FactChanged(fact=fact, former_id=former) if subject_id in {fact.id, former}:
                return told
            case (
                memory.MemoryForgotten(subject_id=about)
                | memory.MemoryErased(subject_id=about)
                | memory.MemoryVoid(subject_id=about)
            ) if about == subject_id:
                return told
    raise AssertionError("a tail ends only when it is closed")


@asynccontextmanager
async def _listening(bus: Bus) -> AsyncIterator[Tail]:
    tail = bus.tail(_TOLD.topics)
    try:
        await tail.start()
        yield tail
    finally:
        await tail.close()


def _report(options: argparse.Namespace, told: message.BusMessage, says: sentences.Table) -> int:
    if options.json:
        output.say_json(told)
    match told:
        case memory.MemoryVoid(reason=reason, known_id=known):
            sentence = memory_words.void(sentences.language_of(says), reason)
            output.complain(f"titan: {sentence}{f' ({known})' if known else ''}")
            return exit_codes.DONE if reason is Void.KNOWN else exit_codes.NOTHING
        case memory.FactLearned(fact=fact) | memory.FactChanged(fact=fact):
            if not options.json:
                key = "unpinned" if options.act == "pin" and options.off else options.act
                output.say(says[f"memory.{key}"].format(text=output.line(fact.text), id=fact.id))
        case memory.MemoryErased():
            if not options.json:
                output.say(says["memory.forget"])
                output.say(memory_words.erased(sentences.language_of(says), told))
            return exit_codes.DONE if told.complete else exit_codes.NOTHING
        case _ if not options.json:
            output.say(says["memory.forget"])
            output.say(says["memory.erasing"])
    return exit_codes.DONE


async def _list(bus: Bus, options: argparse.Namespace, words: str, says: sentences.Table) -> int:
    cursor, shown = "", list[Fact]()
    while True:
        wanted = memory.ListFacts(
            words=words,
            state=FactState.PROPOSED if options.proposed else FactState.HOLDS,
            as_of=options.as_of.isoformat() if options.as_of else "",
            ended=options.ended,
            limit=_PAGE,
            cursor=cursor,
        )
        page = await message.ask(bus, wanted, ASK_TIMEOUT_S)
        shown += page.facts
        for fact in () if options.json else page.facts:
            output.say(_line(fact, says))
        if not (cursor := page.cursor if page.more else ""):
            break
    if options.json:
        output.say_json(shown)
    elif not shown:
        output.complain(says["memory.nothing"])
    return exit_codes.DONE if shown else exit_codes.NOTHING


async def _explain(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    found = await message.ask(bus, memory.ExplainFact(fact_id=options.fact), ASK_TIMEOUT_S)
    if options.json:
        output.say_json(found)
        return exit_codes.DONE
    fact = found.fact
    output.say(output.line(fact.text))
    lines: Sequence[tuple[str, str]] = (
        ("state", says[f"memory.state.{fact.state}"]),
        ("since", _day(fact.valid_from)),
        ("until", _day(fact.valid_to)),
        ("learned", _day(fact.learned_at)),
        ("origin", origin(fact, says)),
        ("event", found.event_id),
    )
    for key, value in lines:
        if value:
            output.say(f"  {says[f'memory.{key}']}: {output.line(value)}")
    if found.history:
        output.say(f"  {says['memory.history']}:")
        for other in found.history:
            output.say(f"    {_line(other, says)}")
    return exit_codes.DONE


def _line(fact: Fact, says: sentences.Table) -> str:
    marks = [says["memory.pinned"]] if fact.pinned else []
    if fact.state is not FactState.HOLDS:
        marks.append(says[f"memory.state.{fact.state}"])
    until = f" – {_day(fact.valid_to)}" if fact.valid_to else ""
    return f"{fact.id}  {_day(fact.valid_from)}{until}  {output.line(fact.text)}" + (
        f"  ({', '.join(marks)})" if marks else ""
    )


def origin(fact: Fact, says: sentences.Table) -> str:
    """Say where a fact is from: a message, a place in a file, or the person."""
    match fact.origin:
        case FromMessage(message_id=message_id, conversation_id=conversation_id):
            return says["memory.from_message"].format(message=message_id, conversation=conversation_id)
        case FromFile(path=path, place=place):
            passage = FilePassage(
                path=path, title=PurePath(path).name, score=0, passage="", kind="", place=place
            )
            return f"{sentences.for_source(says, passage)} ({path})"
        case ByPerson():
            return says["memory.by_person"]


def _day(written: str) -> str:
    return f"{datetime.fromisoformat(written).astimezone():%Y-%m-%d}" if written else ""
