"""Claims about finding what was said: the service over a real index, a real history and a real bus."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.statements import learn
from titan_bus import Bus
from titan_desktop.adapters.postgres import turns as index
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.commands import arguments, exit_codes, importing, recalling, sentences
from titan_desktop.contracts.chat import ConversationChanged
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.message import ask
from titan_desktop.contracts.recall import ImportedMessage, ImportMessages, QueryMemory, Recalled
from titan_desktop.contracts.sources import FactSource, MessageSource
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.turns import Imported
from titan_desktop.services.recall import RecallService

ROOF = [
    ("r1", "user", "The roof leaks again, right above the bedroom.", "2024-03-05T10:00:00Z"),
    ("r2", "assistant", "Call the roofer before the next rain.", "2024-03-05T10:01:00Z"),
    ("r3", "user", "He wants 1 200 euro for it.", "2024-03-07T09:00:00Z"),
    ("r4", "assistant", "Ask a second one.", "2024-03-07T09:01:00Z"),
    ("r5", "user", "Which bread keeps longest?", "2024-05-01T09:00:00Z"),
]


class Meaning:
    """An embedder of two meanings: what is about bread, and the rest; it refuses what is cursed."""

    model = "two-meanings"
    at_once = 8

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def embed_query(self, text: str) -> Sequence[float]:
        return self._vector(text)

    async def embed_passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if any("cursed" in text for text in texts):
            raise ModelError(Fault.REFUSED, "a text")
        return [self._vector(text) for text in texts]

    @staticmethod
    def _vector(text: str) -> Sequence[float]:
        return [1.0, 0.1] if "bread" in text or "loaf" in text else [0.1, 1.0]


@pytest.fixture
async def said(database_url: str, database: Database) -> AsyncIterator[Database]:
    """The pool over the index of messages; `database` has the history."""
    over = Database(database_url, schema=index.SCHEMA)
    await over.open()
    await over.migrate(index.MIGRATIONS)
    yield over
    await over.close()


@pytest.fixture
async def turns(said: Database) -> index.PostgresTurns:
    """An index of messages with one conversation of last spring."""
    turns = index.PostgresTurns(said)
    await turns.bring_in(
        [
            Imported(id=key, conversation="house", role=role, text=text, said_at=at)
            for key, role, text, at in ROOF
        ],
        event_id="e",
    )
    return turns


def service(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database, *, meaning: bool = False
) -> RecallService:
    embedder = Meaning() if meaning else None
    return RecallService(bus, turns, PostgresVectors(said), PostgresFacts(database), lambda: embedder)  # type: ignore[arg-type]


async def found(bus: Bus, query: str, limit: int = 10) -> list[str]:
    reply: Recalled = await ask(bus, QueryMemory(query=query, limit=limit), 20)
    return [hit.imported_id for hit in reply.hits if isinstance(hit, MessageSource)]


async def test_a_message_is_found_by_its_words_its_neighbours_and_its_date(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database
) -> None:
    """An answer is found with the question before it, which has the words; inflected, and by the month."""
    async with serving(bus, Chain(), service(bus, turns, said, database)):
        assert (await found(bus, "what did we say about the roofs in March?"))[:2] == ["r1", "r2"]
        assert (await found(bus, "euro"))[0] == "r3"
        assert set(await found(bus, "в мае")) == {"r5"}
        assert await found(bus, "  ") == await found(bus, "zeppelin") == []
        (hit,) = (await ask(bus, QueryMemory(query="roofer", limit=1), 20)).hits
        assert isinstance(hit, MessageSource)
        assert (hit.title, hit.role, hit.said_at) == ("house", "assistant", "2024-03-05T10:01:00.000Z")


async def test_meaning_finds_what_words_do_not(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database
) -> None:
    """Once the vectors are there, which are made in the background."""
    async with serving(bus, Chain(), service(bus, turns, said, database, meaning=True)) as recall:
        async with asyncio.timeout(20):
            while "r5" not in await found(bus, "a loaf"):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
        assert (await found(bus, "a loaf"))[0] == "r5"
        assert not recall.busy()


async def test_the_index_follows_the_history(turns: index.PostgresTurns, database: Database) -> None:
    """A new message changes itself and the one before it alone; a deleted conversation leaves nothing."""
    (house,) = await turns.behind()
    assert await turns.catch_up(house) == len(ROOF)
    assert await turns.behind() == await turns.behind() == []
    await turns.bring_in(
        [
            Imported(
                id="r6", conversation="house", role="assistant", text="Rye.", said_at="2024-05-01T09:01:00Z"
            )
        ],
        event_id="e",
    )
    assert await turns.behind() == [house]
    assert await turns.catch_up(house) == 2
    assert await turns.catch_up(house) == 0
    await PostgresHistory(database).delete(house, event_id="z")
    assert await turns.turns(list(await turns.find_words("roof", 10))) == {}
    assert await turns.behind() == [house]
    assert await turns.catch_up(house) == len(ROOF) + 1
    assert await turns.find_words("roof", 10) == {}
    assert await turns.behind() == []


async def test_an_imported_conversation_may_begin_with_an_answer(
    turns: index.PostgresTurns, database: Database
) -> None:
    """It answers no question, and is shown and explained all the same."""
    opening = Imported(
        id="w1", conversation="new", role="assistant", text="Welcome!", said_at="2025-01-01T09:00:00Z"
    )
    await turns.bring_in([opening], event_id="e2")
    history = PostgresHistory(database)
    found = await history.explain()
    assert found is not None
    assert (found.question_id, found.question, found.event_id) == ("", "", "e2")
    shown = await history.message(found.answer_id)
    assert shown is not None
    assert (shown.text, shown.question_id) == ("Welcome!", "")


async def test_a_file_of_messages_is_imported_once(
    bus: Bus,
    turns: index.PostgresTurns,
    said: Database,
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bad lines are told with the cure, the rest is in; a second time changes nothing; its ids are shown."""
    lines = [
        {"id": "D1:1", "conversation": "c", "role": "assistant", "speaker": "Анна", "text": "Я купила скрипку.",
         "created_at": "2023-05-08T13:56:00"},
        {"id": "D1:2", "conversation": "c", "role": "user", "text": "x" * 24_001, "created_at": "2023-05-08"},
        {"id": "D1:3", "conversation": "c", "role": "system", "text": "x", "created_at": "2023-05-08"},
        {"id": "D1:4", "conversation": "c", "role": "user", "text": "x", "created_at": "yesterday"},
        {"id": "D1:1", "conversation": "d", "role": "user", "text": "Где мой смычок?", "created_at": "2023-05-09"},
    ]  # fmt: skip
    file = tmp_path / "history.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n{nonsense\n\n", "utf-8")
    options = arguments.parser().parse_args(["import", str(file), "--json"])
    async with serving(bus, Chain(), service(bus, turns, said, database)):
        for expected in ({"new": 2, "known": 0, "bad": 4}, {"new": 0, "known": 2, "bad": 4}):
            status = await importing.run(bus, options, importing.opened(str(file)), sentences.ENGLISH)
            out, err = capsys.readouterr()
            assert (status, json.loads(out)) == (exit_codes.NOTHING, expected)
            assert [line.split(":")[0] for line in err.splitlines()] == [f"line {n}" for n in (2, 3, 4, 6)]
        asked = arguments.parser().parse_args(["memory", "query", "--queries", "-", "--json"])
        await recalling.run_many(bus, asked, ["скрипка", "", "смычок"], sentences.ENGLISH)
    violin, nothing, bow = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(hit["kind"], hit["id"], hit["source"]["title"]) for hit in violin] == [("message", "D1:1", "c")]
    assert (violin[0]["source"]["speaker"], nothing, bow[0]["source"]["title"]) == ("Анна", [], "d")


async def test_facts_are_found_beside_messages(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database
) -> None:
    """A fact that touches the question is among the first."""
    await learn(PostgresFacts(database), "lives_in", "Roofville", year=2020)
    async with serving(bus, Chain(), service(bus, turns, said, database)):
        hits = (await ask(bus, QueryMemory(query="Roofville"), 20)).hits
    assert any(isinstance(hit, FactSource) for hit in hits)


@pytest.mark.logs("refuses a passage of ")
async def test_a_long_text_and_one_that_the_model_refuses_keep_no_other_from_being_found(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database
) -> None:
    """Of a long message its beginning is found; a text without a vector is found by its words."""
    long = Imported(
        id="l", conversation="long", role="user", text="\u6f22\u5b57" * 12_000, said_at="2030-01-01T00:00:00Z"
    )  # fmt: skip
    await turns.bring_in(
        [long, *[replace(long, id=f"n{n}", text=f"cursed {n}") for n in range(3)]], event_id="e"
    )
    async with serving(bus, Chain(), service(bus, turns, said, database, meaning=True)):
        async with asyncio.timeout(20):
            while "r5" not in await found(bus, "a loaf"):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
        assert "l" in await found(bus, "\u6f22\u5b57")
        assert set(await found(bus, "cursed")) >= {"n0", "n1", "n2"}


async def test_what_is_imported_is_told_and_found_though_it_claims_the_future(
    bus: Bus, turns: index.PostgresTurns, said: Database, database: Database
) -> None:
    """The list of conversations shows it at once; its date does not keep it from the index."""
    tail = bus.tail([ConversationChanged.topic])
    await tail.start()
    line = ImportedMessage(
        id="f", conversation="future", role="user", text="sesame", said_at="2090-01-01T00:00:00Z"
    )
    async with serving(bus, Chain(), service(bus, turns, said, database)):
        assert (await ask(bus, ImportMessages(messages=(line,)), 20)).new == 1
        told = (await anext(tail)).payload_as(ConversationChanged)
        assert told.conversation.title == "future"
        assert told.conversation.updated_at < "2089"
        async with asyncio.timeout(20):
            while await found(bus, "sesame") != ["f"]:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)
    await tail.close()
