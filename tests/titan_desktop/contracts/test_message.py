"""What every message of the contracts knows of itself."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from titan_bus import Bus, BusConfig, Event, PayloadMismatchError
from titan_desktop import contracts
from titan_desktop.contracts import chat, search, system
from titan_desktop.contracts.message import BusMessage, Kinds, Request, ask, event_type, publish, reply_type
from titan_desktop.contracts.streams import STREAMS


def kinds(root: type[BusMessage] = BusMessage) -> Iterator[type[BusMessage]]:
    """Every kind of message that is published."""
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"{contracts.__name__}.{module.name}")
    for kind in root.__subclasses__():
        if not kind.__name__.startswith("_") and kind is not Request:
            yield kind
        yield from kinds(kind)


def test_every_message_has_a_topic_that_every_process_knows() -> None:
    """A topic without its length and retries in the one list would grow without end."""
    listed = {stream.name for stream in STREAMS}
    found = list(kinds())
    assert len(found) > 25
    assert {kind.topic for kind in found} <= listed


def test_no_two_messages_of_a_topic_have_one_event_type() -> None:
    """Or one would be read as the other."""
    found = [(kind.topic, event_type(kind)) for kind in kinds()]
    assert len(set(found)) == len(found)


def test_a_class_is_called_as_it_travels() -> None:
    """The event type is the class's name, a request may be called by what answers it."""
    assert event_type(chat.SendPrompt) == "send_prompt"
    assert event_type(system.CoreReady) == "core_ready"
    assert event_type(chat.GetHistory) == "history"


@pytest.mark.parametrize("request_kind", [kind for kind in kinds() if issubclass(kind, Request)])
def test_a_request_names_its_reply(request_kind: type[Request[Any]]) -> None:
    reply = reply_type(request_kind)
    assert reply in get_args(request_kind.__orig_bases__[0])  # type: ignore[attr-defined]
    assert isinstance(reply, type)


async def test_a_message_is_published_and_asked_for_by_itself(clean_redis_url: str) -> None:
    """Neither topic nor event type nor reply is named beside the message."""

    async def find(wanted: search.Search) -> search.SearchResult:
        return search.SearchResult(hits=(), degraded=wanted.query)

    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as bus:
        heard = Kinds(system.CoreReady, chat.AssistantDelta)
        tail = bus.tail(heard.topics, start="0")
        await publish(bus, system.SettingsChanged())
        ready = system.CoreReady(pid=7, version="1")
        event_id = await publish(bus, ready, priority="high")
        events = [await anext(tail), await anext(tail)]
        assert [heard.read(event) for event in events] == [None, ready]
        assert (events[1].event_id, events[1].meta.priority) == (event_id, "high")
        await tail.close()
        await bus.subscribe(search.Search.topic, "memory", find)
        assert (await ask(bus, search.Search(query="why"))).degraded == "why"


def test_a_message_that_is_not_what_it_says_is_no_message(event: Event) -> None:
    """What reads along is told, and does not take it for another kind."""
    with pytest.raises(PayloadMismatchError):
        Kinds(chat.StopAnswer).read(event)


@pytest.fixture
def event() -> Event:
    import msgspec

    from titan_bus.event import Meta, Priority

    return Event(
        event_id="01J00000000000000000000000", schema_version=1, topic=chat.StopAnswer.topic,
        event_type="stop_answer", timestamp="2026-01-01T00:00:00Z", encoded_payload=msgspec.Raw(b"{}"),
        meta=Meta(priority=Priority.MEDIUM, retries=0, trace_id="0" * 32, source="t"),
    )  # fmt: skip
