"""What tells of a deleted conversation is erased from the bus, whatever comes in between."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import psutil
import pytest

from tests import servers
from tests.bytes_in_files import holding
from tests.titan_bus.conftest import Server
from titan_bus import ArchiveConfig, Bus, BusConfig, Event, names
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.erasures import PostgresErasures
from titan_desktop.adapters.postgres.facts import PostgresFacts, PostgresMemoryErasures
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts import chat, memory, search, topics
from titan_desktop.contracts.forgetting import ConversationForgotten
from titan_desktop.contracts.message import BusMessage, Kinds, event_type, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.graph import OpenGraph
from titan_desktop.services.facts import FactsService
from titan_desktop.services.forgetting import ForgettingService, remembering, service, traces

SECRET, KEPT = "what-was-said-in-c", "what-was-said-in-another"
Service = AbstractAsyncContextManager[ForgettingService]
Said = asyncio.Queue[ConversationForgotten]
ALWAYS = "2000-01-01T00:00:00Z"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose files show the bytes as they are; a limit of their length does not end it."""
    with servers.short_folder() as folder:
        server = Server(folder, "--rdbcompression", "no", "--appendfsync", "everysec")
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def bus(server: Server, tmp_path: Path) -> AsyncIterator[Bus]:
    """The core's bus, with its archive; archived when a test asks for it."""
    archive = ArchiveConfig(target=str(tmp_path / "archive"), every_s=3_600, topics=topics.ARCHIVED)
    async with Bus(BusConfig(url=server.url, streams=STREAMS, archive=archive)) as bus:
        await bus.archive_now()
        yield bus


@pytest.fixture
def history(database: Database) -> PostgresHistory:
    return PostgresHistory(database)


@pytest.fixture
def forgetting(bus: Bus, database: Database) -> Service:
    """The service, to be entered when the test wants it to begin."""
    service = ForgettingService(bus, PostgresErasures(database), PostgresMemoryErasures(database))
    return serving(bus, Chain(), service)


@pytest.fixture
async def forgotten(bus: Bus) -> AsyncIterator[Said]:
    """What the service says."""
    kinds, said = Kinds(ConversationForgotten), asyncio.Queue[ConversationForgotten]()
    tail = bus.tail(kinds.topics)
    await tail.start()

    async def listen() -> None:
        async for event in tail:
            if (message := kinds.read(event)) is not None:
                said.put_nowait(message)

    listening = asyncio.create_task(listen())
    yield said
    listening.cancel()
    await asyncio.wait([listening])


async def say(bus: Bus, history: PostgresHistory, conversation_id: str, text: str) -> list[str]:
    """Ask, in the history and on the bus; return the ids of what now tells of it."""
    prompt = chat.SendPrompt(conversation_id=conversation_id, message_id=f"q-{conversation_id}", text=text)
    event_id = await publish(bus, prompt)
    asked = await history.ask(
        prompt,
        title=text,
        answer_id=f"a-{conversation_id}",
        asked_at="2026-11-23T10:00:00Z",
        event_id=event_id,
    )
    assert asked is not None
    said = chat.UserMessage(message=asked.question, conversation=asked.conversation)
    return [event_id, await publish(bus, said)]


async def delete(bus: Bus, history: PostgresHistory, conversation_id: str) -> list[str]:
    """Delete as the chat service does; return the ids of what tells of the deletion."""
    event_id = await publish(bus, chat.DeleteConversation(conversation_id=conversation_id))
    deleted = await history.delete(conversation_id, event_id=event_id)
    return [event_id, await publish(bus, chat.ConversationChanged(conversation=deleted, deleted=True))]


MEMORY = Kinds[BusMessage](
    memory.FactLearned, memory.FactClosed, memory.FactChanged, memory.MemoryForgotten, memory.MemoryErased,
    memory.MemoryVoid,
)  # fmt: skip


class Remembering:
    """What is told of memory; `until` passes over what comes before."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.tail = bus.tail(MEMORY.topics)

    async def tell(self, command: BusMessage, kind: type[BusMessage]) -> BusMessage:
        await publish(self.bus, command)
        return await self.until(kind)

    async def until(self, kind: type[BusMessage]) -> BusMessage:
        async with asyncio.timeout(20):
            while not isinstance(told := MEMORY.read(await anext(self.tail)), kind):
                pass
        return told


@pytest.fixture
async def remembering_core(bus: Bus, database: Database) -> AsyncIterator[Remembering]:
    """The facts service, and what is told."""
    told = Remembering(bus)
    await told.tail.start()
    async with serving(bus, Chain(), FactsService(bus, PostgresFacts(database), OpenGraph())):
        yield told
    await told.tail.close()


@pytest.mark.logs(".*goes to the dead letters")
async def test_a_forgotten_fact_is_erased_with_what_it_corrected_and_what_repeated_it(
    remembering_core: Remembering, forgetting: Service, server: Server, bus: Bus, tmp_path: Path,
) -> None:  # fmt: skip
    """Its receipt says how much was where. What other facts say, and that it was forgotten, stays.

    The service begins when the rows are long gone, as after a kill.
    """
    core = remembering_core
    await core.tell(memory.Remember(fact_id="k", text=KEPT), memory.FactLearned)
    await core.tell(memory.Remember(fact_id="f", text=SECRET), memory.FactLearned)
    await core.tell(memory.Remember(fact_id="again", text=SECRET), memory.MemoryVoid)
    await bus.archive_now()
    await core.tell(
        memory.CorrectFact(fact_id="g", former_id="f", text=f"{SECRET} it is"), memory.FactChanged
    )
    await bus.publish(topics.MEMORY_COMMANDS, "remember", {"fact_id": "f", "text": SECRET, "replaces": "?"})
    async with asyncio.timeout(20):
        while not [letter async for letter in bus.dead_letters]:
            pass
    await core.tell(memory.ForgetFact(fact_id="g"), memory.MemoryForgotten)
    assert holding(SECRET, server.socket.parent)
    assert holding(SECRET, tmp_path)
    async with forgetting:
        receipt = await core.until(memory.MemoryErased)
    assert isinstance(receipt, memory.MemoryErased)
    assert receipt.complete
    assert {one.store: one.erased > 0 for one in receipt.stores} == {
        "postgres": True, "stream": True, "archive": True, "dead_letters": True,
    }  # fmt: skip
    assert receipt.subject_id == "g"
    assert holding(SECRET, server.socket.parent, tmp_path) == []
    assert holding(KEPT, server.socket.parent)
    assert [letter async for letter in bus.dead_letters] == []
    assert "memory_forgotten" in [event.event_type async for event in bus.replay(ALWAYS, topics.MEMORY)]


def test_every_message_of_memory_with_words_is_known_to_the_erasure() -> None:
    """One that is new in the contracts is missing here until somebody has thought of it."""
    silent = {
        memory.CloseFact, memory.PinFact, memory.ForgetFact, memory.ForgetEntity, memory.AcceptProposals,
        memory.RefuseProposals, memory.DropRule, memory.MergeEntities, memory.UndoMerge,
        memory.MemoryForgotten, memory.MemoryErased, memory.RulesChanged, memory.MemoryVoid,
        memory.RebuildGraph, memory.GraphRebuilt,
    }  # fmt: skip
    kinds = {kind for kind in kinds_of(BusMessage, remembering.TOPICS) if kind.__module__ == memory.__name__}
    assert kinds == {*remembering.WITH_WORDS, *silent}


async def next_of(forgotten: Said) -> ConversationForgotten:
    return await asyncio.wait_for(forgotten.get(), 20)


async def ids(bus: Bus) -> list[str]:
    return [event.event_id for topic in topics.ARCHIVED async for event in bus.replay(ALWAYS, topic)]


async def test_what_was_said_goes_and_that_it_was_deleted_stays(
    bus: Bus, history: PostgresHistory, forgetting: Service, forgotten: Said,
    server: Server, tmp_path: Path,
) -> None:  # fmt: skip
    """Other conversations are left alone, in the streams and in the archive."""
    gone, kept = await say(bus, history, "c", SECRET), await say(bus, history, "d", KEPT)
    await bus.archive_now()
    async with forgetting:
        marks = await delete(bus, history, "c")
        assert await next_of(forgotten) == ConversationForgotten(conversation_id="c", events=2, complete=True)
    assert set(await ids(bus)) == {*kept, *marks}
    assert not set(gone) & set(await ids(bus))
    assert holding(SECRET, server.socket.parent, tmp_path) == []
    assert len(holding(KEPT, server.socket.parent, tmp_path)) > 1


async def test_what_was_asked_for_a_question_goes_with_it(
    bus: Bus, history: PostgresHistory, forgetting: Service, forgotten: Said, server: Server,
) -> None:  # fmt: skip
    """A search names no conversation; it belongs to the trace of the command that needed it."""
    searched = asyncio.Event()

    async def answer(event: Event) -> None:
        await bus.publish(topics.SEARCH_REQUESTS, "search", {"query": SECRET})
        searched.set()

    answering = await bus.subscribe(topics.CHAT_COMMANDS, "chat", answer)
    await say(bus, history, "c", SECRET)
    await asyncio.wait_for(searched.wait(), 20)
    await answering.stop()
    await bus.publish(topics.SEARCH_REQUESTS, "search", {"query": KEPT})
    async with forgetting:
        await delete(bus, history, "c")
        assert (await next_of(forgotten)).events == 3
    assert holding(SECRET, server.socket.parent) == []
    assert holding(KEPT, server.socket.parent)


async def test_a_killed_erasure_is_finished_by_the_next_start(
    bus: Bus, history: PostgresHistory, database: Database, forgetting: Service,
    forgotten: Said, server: Server, tmp_path: Path,
) -> None:  # fmt: skip
    """Entries that were taken out and whose bytes are still there are found by what was noted before."""
    await bus.archive_now()
    gone, _ = await say(bus, history, "c", SECRET), await say(bus, history, "d", KEPT)
    await delete(bus, history, "c")
    erasures = PostgresErasures(database)
    await erasures.unerased()
    await erasures.note("c", gone)
    raw = bus._connection
    for topic in (topics.CHAT_COMMANDS, topics.CHAT):
        [[entry, _], *_] = await raw.call("XRANGE", names.stream_of(topic), "-", "+")
        await raw.call("XDEL", names.stream_of(topic), entry)
    assert holding(SECRET, server.socket.parent)
    async with forgetting:
        assert (await next_of(forgotten)).complete
    assert holding(SECRET, server.socket.parent, tmp_path) == []


async def test_a_question_that_comes_after_the_end_is_erased_too(
    bus: Bus, history: PostgresHistory, forgetting: Service,
    forgotten: Said, server: Server,
) -> None:  # fmt: skip
    """Its conversation is gone, so nobody stores it; its words stand on the bus."""
    await say(bus, history, "c", KEPT)
    async with forgetting:
        await delete(bus, history, "c")
        assert (await next_of(forgotten)).events == 2
        await publish(bus, chat.SendPrompt(conversation_id="c", message_id="late", text=SECRET))
        await publish(bus, chat.CommandVoid(conversation_id="c"))
        assert (await next_of(forgotten)).events == 4
    assert holding(SECRET, server.socket.parent) == []


async def test_an_archive_that_is_away_is_waited_for(
    bus: Bus, history: PostgresHistory, forgetting: Service, forgotten: Said,
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """It is said once, nothing is taken for done, and the person's own deletion has long been finished."""
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.01)
    await say(bus, history, "c", SECRET)
    await bus.archive_now()
    (tmp_path / "archive").rename(tmp_path / "away")
    await delete(bus, history, "c")
    async with forgetting:
        while not any(record.name == service.__name__ for record in caplog.records):  # noqa: ASYNC110 -- a log
            await asyncio.sleep(0.01)
        (tmp_path / "away").rename(tmp_path / "archive")
        assert (await next_of(forgotten)).complete
    [said] = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("forgetting waits: ")
    assert holding(SECRET, server.socket.parent, tmp_path) == []


async def test_a_server_that_cannot_write_its_files_anew_is_asked_again(
    bus: Bus, history: PostgresHistory, forgetting: Service, forgotten: Said,
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """As on a disk that has no room for another copy; a file's greatest length stands for that."""
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.01)
    for number in range(40):
        await bus.publish("ballast.v1", "e", {"text": f"{number:05}" * 5_000})
    await say(bus, history, "c", SECRET)
    await delete(bus, history, "c")
    await rewritten(bus)
    limit, process = (500_000, resource.RLIM_INFINITY), psutil.Process(server.pid)
    process.rlimit(psutil.RLIMIT_FSIZE, limit)
    async with forgetting:
        while not any("could not write" in record.message for record in caplog.records):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        process.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert (await next_of(forgotten)).complete
    assert holding(SECRET, server.socket.parent) == []


async def rewritten(bus: Bus) -> None:
    await bus._connection.call("BGREWRITEAOF")
    while b"aof_rewrite_in_progress:1" in await bus._connection.call("INFO", "persistence"):
        pass


MESSAGE = chat.Message(
    id="m", conversation_id="c", role=chat.Role.USER, text="?", state=chat.State.COMPLETE, created_at=ALWAYS
)
CONVERSATION = chat.Conversation(id="c", title="?", created_at=ALWAYS, updated_at=ALWAYS)
TELLING = (
    chat.SendPrompt(conversation_id="c", message_id="m", text="?"),
    chat.AnswerQuestion(conversation_id="c", question_id="m", asked_by="e", title="?"),
    chat.StopAnswer(conversation_id="c", question_id="m"),
    chat.RetryAnswer(conversation_id="c", question_id="m"),
    chat.GoOn(conversation_id="c", question_id="m"),
    chat.AnswerAgain(conversation_id="c", question_id="m", attempt=1),
    chat.ShowMessage(conversation_id="c", message_id="m"),
    chat.RenameConversation(conversation_id="c", title="?"),
    chat.UserMessage(message=MESSAGE, conversation=CONVERSATION),
    chat.AnswerStarted(message=MESSAGE),
    chat.AssistantMessage(message=MESSAGE),
    chat.PathChanged(conversation_id="c", leaf_id="m"),
    chat.ConversationChanged(conversation=CONVERSATION),
    chat.CommandVoid(conversation_id="c"),
    chat.AssistantDelta(
        conversation_id="c", question_id="m", answer_id="a", attempt=1, offset=0, text="?"
    ),
)  # fmt: skip
SILENT = (
    chat.DeleteConversation(conversation_id="c"),
    chat.ConversationChanged(conversation=CONVERSATION, deleted=True),
    chat.StoringDelayed(question_id="m", delay=chat.Delay.DISK_FULL),
)
"""They say that it was deleted, or hold nothing that anybody said."""


def test_every_message_of_chat_says_whose_it_is() -> None:
    """One that is new in the contracts is missing here until somebody has thought of it."""
    assert {type(message) for message in (*TELLING, *SILENT)} == set(kinds_of(BusMessage))
    assert {traces.conversation_of(event_of(message)) for message in TELLING} == {"c"}
    assert {traces.conversation_of(event_of(message)) for message in SILENT} == {""}
    assert search.Search.topic in traces.TOPICS


def kinds_of(base: type[BusMessage], of: tuple[str, ...] = traces.TOLD_OF_CHAT) -> Iterator[type[BusMessage]]:
    for kind in base.__subclasses__():
        if not kind.__subclasses__() and getattr(kind, "topic", "") in of:
            yield kind
        yield from kinds_of(kind, of)


def event_of(message: BusMessage) -> Event:
    meta = {"priority": "medium", "retries": 0, "trace_id": "0" * 32, "source": "test"}
    fields = {
        "event_id": "e", "schema_version": 1, "topic": message.topic, "event_type": event_type(type(message)),
        "timestamp": ALWAYS, "payload": msgspec.Raw(msgspec.json.encode(message)), "meta": meta,
    }  # fmt: skip
    return msgspec.json.decode(msgspec.json.encode(fields), type=Event)
