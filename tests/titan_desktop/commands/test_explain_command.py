"""`titan explain` against the facts service itself, and a chat that has one answer."""

import json

import pytest

from tests.responders import taking
from titan_bus import Bus, RequestRefused
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.commands import arguments, exit_codes, explaining, memory, sentences
from titan_desktop.contracts import chat
from titan_desktop.contracts.sources import FactSource, FilePassage, Lines
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.graph import OpenGraph
from titan_desktop.services.facts import FactsService


async def test_an_answer_leads_to_its_files_facts_and_events(
    bus: Bus, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fact leads on to its origin and its event, a forgotten one says so; an unknown answer is none."""
    parse = arguments.parser().parse_args
    facts = FactsService(bus, PostgresFacts(database), OpenGraph())
    answers = dict[str, chat.AnswerExplained]()

    async def on_request(wanted: chat.ExplainAnswer) -> chat.AnswerExplained:
        if wanted.answer_id not in answers:
            raise RequestRefused("not_found", wanted.answer_id)
        return answers[wanted.answer_id]

    async with serving(bus, Chain(), facts), taking(bus, "chat", on_request):
        remember = parse(["memory", "remember", "--json", "I live in Bern"])
        assert await memory.run(bus, remember, "I live in Bern", sentences.ENGLISH) == exit_codes.DONE
        fact_id = json.loads(capsys.readouterr().out)["fact"]["id"]
        file = FilePassage(
            path="/d/a.txt", title="a.txt", score=1, passage="Bern", kind="txt", place=Lines(first=3, last=4)
        )
        known, gone = (
            FactSource(fact_id=id_, title="I", passage="I live in Bern", learned_at="2026-11-23T10:00:00Z")
            for id_ in (fact_id, "gone")
        )
        answers[""] = chat.AnswerExplained(
            answer_id="A", conversation_id="C", question_id="Q", question="Where?", event_id="E", model="m",
            sources=(file, known, gone),
        )  # fmt: skip
        assert await explaining.run(bus, parse(["explain", "last"]), sentences.ENGLISH) == exit_codes.DONE
        said = capsys.readouterr().out
        assert said.startswith("Where?\n  Answer: A\n  Question: Q\n")
        assert "/d/a.txt" in said
        assert "From: you wrote it to Titan" in said
        assert "This fact is forgotten" in said
        json_form = parse(["explain", "last", "--json"])
        assert await explaining.run(bus, json_form, sentences.ENGLISH) == exit_codes.DONE
        found = json.loads(capsys.readouterr().out)
        assert found["question"] == {"id": "Q", "text": "Where?"}
        assert found["sources"][0]["place"] == {"type": "lines", "first": 3, "last": 4}
        assert found["sources"][1]["explained"]["event_id"]
        assert found["sources"][2]["explained"] is None
        unknown = parse(["explain", "Q"])
        assert await explaining.run(bus, unknown, sentences.RUSSIAN) == exit_codes.NOTHING
