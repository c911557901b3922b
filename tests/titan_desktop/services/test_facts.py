"""The facts service on a real bus, PostgreSQL and Ladybug."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ulid import ULID

from titan_bus import Bus, BusConfig, RequestFailedError
from titan_desktop.adapters.graph.ladybug import LadybugGraph
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.contracts import chat, memory
from titan_desktop.contracts.memory import ME, Fact
from titan_desktop.contracts.message import BusMessage, Kinds, ask, publish
from titan_desktop.contracts.problem import Code
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.facts import Changes
from titan_desktop.ports.graph import GraphUnavailableError, OpenGraph
from titan_desktop.services.facts import FactsService, projecting

TOLD = Kinds[BusMessage](
    memory.FactLearned, memory.FactProposed, memory.FactClosed, memory.FactChanged, memory.MemoryForgotten,
    memory.MemoryVoid, memory.RulesChanged, memory.EntitiesMerged,
)  # fmt: skip


class Memory:
    """A bus with the service behind it, and what it tells, in order."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._tail = bus.tail(TOLD.topics)

    async def tell(self, command: BusMessage) -> BusMessage:
        """Publish a command, and return what is told next."""
        await publish(self.bus, command)
        return await self.told()

    async def told(self) -> BusMessage:
        async with asyncio.timeout(20):
            while (message := TOLD.read(await anext(self._tail))) is None:
                pass
        return message

    async def begin(self) -> None:
        await self._tail.start()

    async def end(self) -> None:
        await self._tail.close()


class WatchedGraph(LadybugGraph):
    """A Ladybug that says when it was written to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.applied: asyncio.Queue[int] = asyncio.Queue()
        self.failures = 0

    async def apply(self, changes: Changes) -> None:
        if self.failures:
            self.failures -= 1
            raise GraphUnavailableError(Code.GRAPH_UNREACHABLE, address="", reason="")
        await super().apply(changes)
        self.applied.put_nowait(changes.revision)

    async def reach(self, revision: int) -> None:
        async with asyncio.timeout(20):
            while await self.applied.get() != revision:
                pass


@pytest.fixture
def facts(database: Database) -> PostgresFacts:
    return PostgresFacts(database)


@pytest.fixture
def open_graph() -> OpenGraph:
    return OpenGraph()


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[WatchedGraph]:
    opened = WatchedGraph(tmp_path / "graph")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def remembered(
    clean_redis_url: str, facts: PostgresFacts, open_graph: OpenGraph
) -> AsyncIterator[Memory]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as bus:
        service = FactsService(bus, facts, open_graph)
        async with serving(bus, Chain(), service):
            told = Memory(bus)
            await told.begin()
            yield told
            await told.end()


def typed(text: str) -> chat.UserMessage:
    message = chat.Message(
        id=str(ULID()), conversation_id="c", role=chat.Role.USER, text=text,
        state=chat.State.COMPLETE, created_at="2026-11-30T10:00:00Z",
    )  # fmt: skip
    at = message.created_at
    return chat.UserMessage(
        message=message, conversation=chat.Conversation(id="c", title="t", created_at=at, updated_at=at)
    )


async def listed(remembered: Memory) -> list[Fact]:
    return list((await ask(remembered.bus, memory.ListFacts())).facts)


async def test_what_is_typed_into_the_chat_is_learned_with_its_message(remembered: Memory) -> None:
    """Without a model; what only talks about remembering is not, and a newer sentence ends the older one."""
    await publish(remembered.bus, typed("Do you remember that I live in Paris?"))
    said = typed("Запомни, что я живу в Париже")
    learned = await remembered.tell(said)
    assert isinstance(learned, memory.FactLearned)
    assert (learned.fact.id, learned.fact.predicate, learned.fact.object) == (
        said.message.id,
        "lives_in",
        "Париже",
    )
    assert learned.fact.origin == memory.FromMessage(message_id=said.message.id, conversation_id="c")
    assert isinstance(await remembered.tell(typed("Remember that I live in Berlin")), memory.FactLearned)
    closed = await remembered.told()
    assert isinstance(closed, memory.FactClosed)
    assert closed.fact.id == said.message.id
    note = await remembered.tell(typed("Запомни: ключ под ковром"))
    assert isinstance(note, memory.FactLearned)
    assert [fact.text for fact in await listed(remembered)] == ["ключ под ковром", "I live in Berlin"]
    explained = await ask(remembered.bus, memory.ExplainFact(fact_id=note.fact.id))
    assert len(explained.event_id) == 26


async def test_a_command_that_says_nothing_is_told_why(remembered: Memory) -> None:
    """And changes nothing."""
    for command, reason in (
        (memory.Remember(fact_id="f"), memory.Void.EMPTY),
        (memory.Remember(fact_id="f", text="?!"), memory.Void.EMPTY),
        (memory.Remember(fact_id="f", text="x" * 4_001), memory.Void.TOO_LONG),
        (memory.Remember(fact_id="f", predicate="likes", object="я" * 501), memory.Void.TOO_LONG),
        (memory.Remember(fact_id="f", text="a fact", valid_from="yesterday"), memory.Void.BAD_TIME),
        (memory.CloseFact(fact_id="f"), memory.Void.NOT_FOUND),
        (memory.CloseFact(fact_id="f", valid_to="2026-13-01"), memory.Void.BAD_TIME),
        (memory.CorrectFact(fact_id="g", former_id="f", text="other words"), memory.Void.NOT_FOUND),
        (memory.PinFact(fact_id="f"), memory.Void.NOT_FOUND),
        (memory.ForgetFact(fact_id="f"), memory.Void.NOT_FOUND),
    ):
        assert await remembered.tell(command) == memory.MemoryVoid(subject_id="f", reason=reason)
    assert await listed(remembered) == []
    for request in (memory.ExplainFact(fact_id="f"), memory.ListFacts(as_of="then")):
        with pytest.raises(RequestFailedError, match="not_found"):
            await ask(remembered.bus, request)
    with pytest.raises(RequestFailedError, match="graph_unavailable"):
        await ask(remembered.bus, memory.Neighbourhood())


async def test_a_graph_that_comes_late_has_everything_and_then_follows(
    remembered: Memory, open_graph: OpenGraph, graph: WatchedGraph, facts: PostgresFacts
) -> None:
    """The picture has names from the store; what ended or is not yet accepted is not in it."""
    learn = memory.Remember(fact_id="a", subject="Анна", predicate="works at", object="Acme")
    await remembered.tell(learn)
    await remembered.tell(memory.Remember(fact_id="b", text="Я знаю Анна"))
    await remembered.tell(memory.ProposeFact(fact_id="p", predicate="likes", object="tea"))
    open_graph.use(graph)
    await graph.reach((await facts.changes(0, 1)).newest)
    near = await ask(remembered.bus, memory.Neighbourhood())
    assert [entity.name for entity in near.nodes if entity.id != ME] == ["Анна"]
    far = await ask(remembered.bus, memory.Neighbourhood(depth=2))
    assert {entity.name for entity in far.nodes} == {"", "Анна", "Acme"}
    assert {edge.predicate for edge in far.edges} == {"works_at", "knows"}
    assert isinstance(await remembered.tell(memory.ForgetFact(fact_id="a")), memory.MemoryForgotten)
    await graph.reach((await facts.changes(0, 1)).newest)
    assert len((await ask(remembered.bus, memory.Neighbourhood(depth=3))).nodes) == 2


@pytest.mark.logs("the graph of facts")
async def test_a_graph_of_another_store_is_made_anew_and_one_that_fails_is_tried_again(
    remembered: Memory, open_graph: OpenGraph, graph: WatchedGraph, facts: PostgresFacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A restored store is behind the graph: what the graph alone has goes."""
    monkeypatch.setattr(projecting, "FIRST_PAUSE_S", 0.0)
    await graph.apply(Changes([("ghost", "person")], [], (), 10**6, more=False, newest=10**6))
    graph.failures = 2
    await remembered.tell(memory.Remember(fact_id="a", predicate="likes", object="tea"))
    open_graph.use(graph)
    await graph.reach((await facts.changes(0, 1)).newest)
    assert (await graph.counts()).entities == 2


async def test_what_was_said_in_a_deleted_conversation_is_forgotten_unless_it_is_pinned(
    remembered: Memory,
) -> None:
    """Another conversation's facts, and what the person wrote themselves, stay."""
    await remembered.tell(typed("Remember that the code is 4711"))
    said = typed("Remember: the key is under the mat")
    await remembered.tell(said)
    await remembered.tell(memory.PinFact(fact_id=said.message.id))
    await remembered.tell(memory.Remember(fact_id="f", text="The car is red"))
    gone = chat.ConversationChanged(conversation=said.conversation, deleted=True)
    forgotten = await remembered.tell(gone)
    assert forgotten == memory.MemoryForgotten(subject_id="c", facts=1)
    assert {fact.id for fact in await listed(remembered)} == {said.message.id, "f"}
