"""`titan explain`: from an answer to what it rests on, and on to the message, the file and the event."""

import argparse

from titan_bus import Bus, RequestFailedError
from titan_desktop.commands import exit_codes, memory, output, sentences
from titan_desktop.contracts import chat, message
from titan_desktop.contracts.memory import ExplainFact, FactExplained
from titan_desktop.contracts.sources import FactSource, FilePassage, MessageSource, Source, WebSource

ASK_TIMEOUT_S = 30.0
LAST = "last"


async def run(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    """Explain one answer; 1 when there is no such answer."""
    wanted = chat.ExplainAnswer(answer_id="" if options.answer == LAST else options.answer)
    found = await _unless_missing(bus, wanted)
    if found is None:
        output.complain(says["explain.nothing"])
        return exit_codes.NOTHING
    facts = dict[str, FactExplained | None]()
    for source in found.sources:
        if isinstance(source, FactSource):
            explained = await _unless_missing(bus, ExplainFact(fact_id=source.fact_id))
            facts[source.fact_id] = explained
    if options.json:
        output.say_json(_as_json(found, facts))
    else:
        _print(found, facts, says)
    return exit_codes.DONE


async def _unless_missing(bus: Bus, wanted: message.Request[message.R]) -> message.R | None:
    try:
        return await message.ask(bus, wanted, ASK_TIMEOUT_S)
    except RequestFailedError as error:
        if error.code != "not_found":
            raise
        return None


def _as_json(found: chat.AnswerExplained, facts: dict[str, FactExplained | None]) -> dict[str, object]:
    """Return the fields that scripts may rely on; a fact has "explained", null when it is forgotten."""
    return {
        "answer_id": found.answer_id,
        "conversation_id": found.conversation_id,
        "question": {"id": found.question_id, "text": found.question},
        "event_id": found.event_id,
        "model": found.model,
        "sources": [
            output.source_as_json(source)
            | ({"explained": facts[source.fact_id]} if isinstance(source, FactSource) else {})
            for source in found.sources
        ],
    }


def _print(
    found: chat.AnswerExplained, facts: dict[str, FactExplained | None], says: sentences.Table
) -> None:
    if found.question:
        output.say(output.line(found.question))
    for key, value in (
        ("answer", found.answer_id),
        ("question", found.question_id),
        ("conversation", found.conversation_id),
        ("model", found.model),
        ("event", found.event_id),
    ):
        if value:
            output.say(f"  {says[f'explain.{key}']}: {output.line(value)}")
    if not found.sources:
        output.say(says["explain.no_sources"])
    for number, source in enumerate(found.sources, start=1):
        output.say(f"[{number}] {output.line(sentences.for_source(says, source))}")
        output.say(f"    {output.line(source.passage)[:500]}")
        for line in _origin(source, facts, says):
            output.say(f"    {output.line(line)}")


def _origin(source: Source, facts: dict[str, FactExplained | None], says: sentences.Table) -> list[str]:
    match source:
        case FilePassage(path=path):
            return [path]
        case MessageSource(message_id=message_id, conversation_id=conversation_id):
            return [says["memory.from_message"].format(message=message_id, conversation=conversation_id)]
        case WebSource(url=url):
            return [url]
        case FactSource(fact_id=fact_id):
            if (explained := facts[fact_id]) is None:
                return [says["explain.forgotten"]]
            return [
                f"{says['memory.origin']}: {memory.origin(explained.fact, says)}",
                f"{says['memory.event']}: {explained.event_id}",
            ]
