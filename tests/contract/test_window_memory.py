"""One suite for both memories that a window speaks to: the facts service, and the one that its tests bring."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.titan_desktop.ui.memory_core import MemoryCore
from titan_bus import Bus, BusConfig, new_ulid
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.contracts import memory
from titan_desktop.contracts.memory import FactState, FromMessage, ListFacts, Void
from titan_desktop.contracts.message import BusMessage, Kinds, ask, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.graph import OpenGraph
from titan_desktop.services.facts import FactsService

TOLD = Kinds[BusMessage](
    memory.FactLearned, memory.FactProposed, memory.FactClosed, memory.FactChanged, memory.MemoryForgotten,
    memory.MemoryVoid,
)  # fmt: skip


class Client:
    """Sends commands, and hears what is told of them."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._tail = bus.tail(TOLD.topics)

    async def begin(self) -> None:
        await self._tail.start()

    async def end(self) -> None:
        await self._tail.close()

    async def tell(self, command: BusMessage) -> BusMessage:
        """Send a command, and return what is told next."""
        await publish(self.bus, command)
        async with asyncio.timeout(20):
            while (message := TOLD.read(await anext(self._tail))) is None:
                pass
        return message

    async def remember(self, text: str) -> str:
        fact_id = new_ulid()
        said = await self.tell(memory.Remember(fact_id=fact_id, text=text))
        assert isinstance(said, memory.FactLearned)
        assert (said.fact.id, said.fact.text, said.fact.state) == (fact_id, text, FactState.HOLDS)
        return fact_id

    async def propose(self, text: str) -> str:
        origin = FromMessage(message_id="m", conversation_id="c")
        fact_id = new_ulid()
        said = await self.tell(memory.ProposeFact(fact_id=fact_id, text=text, origin=origin))
        assert isinstance(said, memory.FactProposed)
        assert (said.fact.origin, said.fact.state) == (origin, FactState.PROPOSED)
        return fact_id

    async def listed(self, **how: object) -> list[str]:
        page = await ask(self.bus, ListFacts(**how))  # type: ignore[arg-type]
        return [fact.text for fact in page.facts]

    async def is_void(self, command: BusMessage, subject_id: str, reason: Void, known_id: str = "") -> None:
        assert await self.tell(command) == memory.MemoryVoid(
            subject_id=subject_id, reason=reason, known_id=known_id
        )


@contextlib.asynccontextmanager
async def real(bus: Bus, database: Database) -> AsyncIterator[None]:
    async with serving(bus, Chain(), FactsService(bus, PostgresFacts(database), OpenGraph())):
        yield


@contextlib.asynccontextmanager
async def fake(bus: Bus, _: Database) -> AsyncIterator[None]:
    await MemoryCore(bus).serve()
    yield


@pytest.fixture(params=(real, fake))
async def client(
    clean_redis_url: str, database: Database, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    async with (
        Bus(BusConfig(url=clean_redis_url, source="core@v0", streams=STREAMS)) as bus,
        request.param(bus, database),
    ):
        client = Client(bus)
        await client.begin()
        yield client
        await client.end()


async def test_what_is_remembered_is_told_and_listed_once(client: Client) -> None:
    """A command that comes twice is told twice; what is known, and what says nothing, is void."""
    fact_id = await client.remember("The key is under the mat.")
    again = await client.tell(memory.Remember(fact_id=fact_id, text="The key is under the mat."))
    assert isinstance(again, memory.FactLearned)
    known = memory.Remember(fact_id="other", text="the KEY is under the mat")
    await client.is_void(known, "other", Void.KNOWN, fact_id)
    await client.is_void(memory.Remember(fact_id="empty", text="…"), "empty", Void.EMPTY)
    assert await client.listed() == ["The key is under the mat."]
    assert await client.listed(words="key") == ["The key is under the mat."]
    assert not await client.listed(words="umbrella")


async def test_a_correction_takes_the_place_of_what_was_wrong(client: Client) -> None:
    fact_id = await client.remember("The code is 4711.")
    correct = memory.CorrectFact(fact_id=new_ulid(), former_id=fact_id, text="The code is 4712.")
    said = await client.tell(correct)
    assert isinstance(said, memory.FactChanged)
    assert (said.former_id, said.fact.id, said.fact.state) == (fact_id, correct.fact_id, FactState.HOLDS)
    assert await client.listed() == ["The code is 4712."]
    assert not await client.listed(ended=True)
    gone = memory.CorrectFact(fact_id=new_ulid(), former_id="nothing", text="x")
    await client.is_void(gone, "nothing", Void.NOT_FOUND)


async def test_what_has_ended_is_in_the_other_list(client: Client) -> None:
    fact_id = await client.remember("The shop opens at nine.")
    said = await client.tell(memory.CloseFact(fact_id=fact_id))
    assert isinstance(said, memory.FactClosed)
    assert said.fact.valid_to
    assert (await client.listed(), await client.listed(ended=True)) == ([], ["The shop opens at nine."])
    await client.is_void(memory.CloseFact(fact_id="nothing"), "nothing", Void.NOT_FOUND)


async def test_pages_begin_with_the_pinned(client: Client) -> None:
    """Then the newest; a page says whether another follows."""
    ids = [await client.remember(f"Number {number} is free.") for number in range(4)]
    said = await client.tell(memory.PinFact(fact_id=ids[1]))
    assert isinstance(said, memory.FactChanged)
    assert (said.fact.pinned, said.former_id) == (True, "")
    first = await ask(client.bus, ListFacts(limit=3))
    assert ([fact.id for fact in first.facts], first.more) == ([ids[1], ids[3], ids[2]], True)
    rest = await ask(client.bus, ListFacts(limit=3, cursor=first.cursor))
    assert ([fact.id for fact in rest.facts], rest.more) == ([ids[0]], False)
    said = await client.tell(memory.PinFact(fact_id=ids[1], pinned=False))
    assert isinstance(said, memory.FactChanged)
    assert not said.fact.pinned
    await client.is_void(memory.PinFact(fact_id="nothing"), "nothing", Void.NOT_FOUND)


async def test_proposals_wait_and_are_decided(client: Client) -> None:
    """Those accepted hold; those refused are in no list; what nobody knows is void."""
    first, second = await client.propose("The bell is broken."), await client.propose("The lift is slow.")
    assert (await client.listed(), len(await client.listed(state=FactState.PROPOSED))) == ([], 2)
    said = await client.tell(memory.AcceptProposals(fact_ids=(first,)))
    assert isinstance(said, memory.FactLearned)
    assert (said.fact.id, said.fact.state) == (first, FactState.HOLDS)
    said = await client.tell(memory.RefuseProposals(fact_ids=(second,)))
    assert isinstance(said, memory.FactChanged)
    assert (said.fact.id, said.fact.state) == (second, FactState.REFUSED)
    assert await client.listed() == ["The bell is broken."]
    assert not await client.listed(state=FactState.PROPOSED)
    await client.is_void(memory.AcceptProposals(fact_ids=("nothing",)), "nothing", Void.NOT_FOUND)
    await client.is_void(memory.RefuseProposals(fact_ids=(first,)), first, Void.NOT_FOUND)


async def test_what_is_forgotten_is_gone_with_its_versions(client: Client) -> None:
    """And told again, however often it is asked for."""
    fact_id = await client.remember("The code is 4711.")
    correct = memory.CorrectFact(fact_id=new_ulid(), former_id=fact_id, text="The code is 4712.")
    await client.tell(correct)
    forgotten = memory.MemoryForgotten(subject_id=correct.fact_id, facts=2)
    for _ in range(2):
        assert await client.tell(memory.ForgetFact(fact_id=correct.fact_id)) == forgotten
    assert not await client.listed(all_times=True)
    await client.is_void(memory.ForgetFact(fact_id="nothing"), "nothing", Void.NOT_FOUND)
