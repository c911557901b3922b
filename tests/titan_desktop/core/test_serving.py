"""Claims about letting a service serve: all of it behind the chain, or nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import pytest

from titan_bus import Bus, BusConfig, Event, Handlers, RequestFailedError
from titan_desktop.contracts import chat, files, system
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.message import ask, event_type, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.system import logs

STATUS = system.Status(
    version="1", pid=7, ready=True, stores=(), model=system.ModelStatus(configured=False),
    embedder=system.ModelStatus(configured=False), roots=(),
)  # fmt: skip


class Service:
    """Takes a command, an event and a request, each on a topic of its own, and notes what came."""

    drain_s = 0.0

    def __init__(self) -> None:
        self.heard: asyncio.Queue[object] = asyncio.Queue()
        self.runs = False
        self.handlers = Handlers()
        take(self.handlers, "test", self.get_status, self.stop_answer, self.file_seen)

    async def __aenter__(self) -> Self:
        self.runs = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.runs = False

    async def get_status(self, wanted: system.GetStatus) -> system.Status:
        self.heard.put_nowait(wanted)
        return STATUS

    async def stop_answer(self, command: chat.StopAnswer) -> None:
        self.heard.put_nowait(command)

    async def file_seen(self, said: files.FileSeen) -> None:
        self.heard.put_nowait(said)


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as opened:
        yield opened


async def test_a_service_whose_last_subscription_fails_leaves_nothing_behind(bus: Bus) -> None:
    """It can be entered again as soon as the cause is gone."""
    service = Service()
    in_the_way = await bus.subscribe(files.FileSeen.topic, "test", service.file_seen)
    for _ in range(2):
        with pytest.raises(ValueError, match="subscribed to files"):
            async with serving(bus, Chain(), service):
                pytest.fail("it serves")
        assert not service.runs
    await in_the_way.stop()
    async with serving(bus, Chain(), service):
        assert service.runs
        assert await ask(bus, system.GetStatus()) == STATUS
    assert not service.runs


@pytest.mark.logs(" is refused: locked$", " goes to the dead letters$")
async def test_a_no_reaches_no_handler(bus: Bus) -> None:
    """A request is answered with the code; a command or an event becomes a dead letter and can be tried again."""
    service = Service()
    locked = True

    def access(event: Event) -> str:
        return "locked" if locked else ""

    stop, seen = (
        chat.StopAnswer(conversation_id="c", question_id="q"),
        files.FileSeen(path="/a", size=1, mtime_ns=1),
    )
    async with serving(bus, Chain(access), service):
        with pytest.raises(RequestFailedError) as refused:
            await ask(bus, system.GetStatus())
        assert (refused.value.code, refused.value.message) == ("locked", "status")
        await publish(bus, stop)
        await publish(bus, seen)
        async with asyncio.timeout(20):
            while await bus.dead_letters.count() < 2:  # noqa: ASYNC110  # nobody says that one has come
                await asyncio.sleep(0.01)
        assert service.heard.empty()
        letters = await bus.dead_letters.list()
        assert {letter.origin.error for letter in letters} == {"NotAllowedError"}
        assert {letter.event.event_type for letter in letters if letter.event} == {"stop_answer", "file_seen"}
        locked = False
        for letter in letters:
            await bus.dead_letters.redrive(letter.letter_id)
        async with asyncio.timeout(20):
            assert {await service.heard.get(), await service.heard.get()} == {stop, seen}


@pytest.mark.logs(" is refused: not_permitted$")
async def test_permission_is_asked_after_access(bus: Bus) -> None:
    """Who has no access does not learn what is permitted; both see who asks for what."""
    asked: list[tuple[str, str, str]] = []

    def access(event: Event) -> str:
        asked.append(("access", event.event_type, event.meta.source))
        return ""

    def permission(event: Event) -> str:
        asked.append(("permission", event.event_type, event.meta.source))
        return "not_permitted" if event.event_type == event_type(system.GetStatus) else ""

    async with serving(bus, Chain(access, permission), Service()):
        with pytest.raises(RequestFailedError, match="not_permitted"):
            await ask(bus, system.GetStatus())
    assert asked == [("access", "status", "test@v1"), ("permission", "status", "test@v1")]


async def test_what_a_handler_logs_names_its_event_s_trace(bus: Bus) -> None:
    """And only while it handles it."""
    traces: list[str] = []

    class Traced(Service):
        async def get_status(self, wanted: system.GetStatus) -> system.Status:
            traces.append(logs.trace.get())
            return await super().get_status(wanted)

    async with serving(bus, Chain(), Traced()):
        tail = bus.tail([system.GetStatus.topic], start="0")
        await ask(bus, system.GetStatus())
        event = await anext(tail)
        await tail.close()
    assert traces == [event.meta.trace_id]
    assert logs.trace.get() == "-"
