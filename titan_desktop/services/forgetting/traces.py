"""Finds the events of a conversation by reading everything from its beginning on.

There is no list of them. Events that were published and never recorded, because of a kill or by an earlier
version, are found as well, and a question costs no write for its later deletion.
"""

from collections import defaultdict
from contextlib import aclosing
from datetime import datetime, timedelta

import msgspec

from titan_bus import Bus, Event
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts import topics
from titan_desktop.contracts.chat import DeleteConversation
from titan_desktop.contracts.message import event_type
from titan_desktop.contracts.recall import ImportMessages, imported_conversation

TOLD_OF_CHAT = (topics.CHAT_COMMANDS, topics.CHAT, topics.CHAT_STREAM)
TOPICS = (*TOLD_OF_CHAT, topics.RECALL_REQUESTS, topics.SEARCH_REQUESTS)
"""Topics with data of a conversation: it was brought in, and a question is also searched for in the files."""
ALWAYS = "1970-01-01T00:00:00+00:00"
"""An imported conversation began before it was imported, and the topic is short."""
LOOKS_BACK = timedelta(days=1)
"""How far the clocks of the window and of a remote server may differ."""


class _Part(msgspec.Struct, frozen=True):
    id: str = ""
    conversation_id: str = ""


class _Told(msgspec.Struct, frozen=True):
    """The part of a chat message that names its conversation."""

    conversation_id: str = ""
    message: _Part = _Part()
    conversation: _Part = _Part()
    deleted: bool = False


class _Named(msgspec.Struct, frozen=True):
    conversation: str = ""


class _Import(msgspec.Struct, frozen=True):
    messages: tuple[_Named, ...] = ()


def brought_in(event: Event) -> frozenset[str]:
    """Return the conversations whose messages an import brought with an event."""
    if event.event_type != event_type(ImportMessages):
        return frozenset()
    try:
        messages = event.payload_as(_Import).messages
    except PayloadMismatchError:
        return frozenset()
    return frozenset(imported_conversation(one.conversation) for one in messages)


def conversation_of(event: Event) -> str:
    """Return the conversation whose data an event contains; "" for none.

    Its deletion must stay: it is all that a later reader of these events would know of it.
    """
    if event.event_type == event_type(DeleteConversation):
        return ""
    try:
        told = event.payload_as(_Told)
    except PayloadMismatchError:
        return ""
    if told.deleted:
        return ""
    return told.conversation_id or told.message.conversation_id or told.conversation.id


async def find(bus: Bus, conversation_ids: frozenset[str], since: datetime) -> dict[str, set[str]]:
    """Return the ids of the events of these conversations.

    Args:
        bus: its streams, archive and dead letters are read.
        conversation_ids: the conversations.
        since: when the first of them began; dead letters of any time are read.

    Raises:
        BusError: the server, or the archive, cannot be read.
    """
    found: dict[str, set[str]] = defaultdict(set)
    traces: dict[str, str] = {}

    def look(event: Event) -> None:
        conversation_id = conversation_of(event)
        if conversation_id in conversation_ids:
            found[conversation_id].add(event.event_id)
            traces[event.meta.trace_id] = conversation_id

    start = (since - LOOKS_BACK).isoformat()
    for topic in TOLD_OF_CHAT:
        async with aclosing(bus.replay(start, topic)) as events:
            async for event in events:
                look(event)
    async for letter in bus.dead_letters:
        if letter.event is not None and letter.event.topic in TOLD_OF_CHAT:
            look(letter.event)
    await _find_imports(bus, conversation_ids, found)
    # A request of a service that handles an event belongs to that event's trace.
    async with aclosing(bus.replay(start, topics.SEARCH_REQUESTS)) as events:
        async for event in events:
            if (conversation_id := traces.get(event.meta.trace_id)) is not None:
                found[conversation_id].add(event.event_id)
    return found


async def _find_imports(bus: Bus, conversation_ids: frozenset[str], found: dict[str, set[str]]) -> None:
    async with aclosing(bus.replay(ALWAYS, topics.RECALL_REQUESTS)) as events:
        async for event in events:
            for conversation_id in brought_in(event) & conversation_ids:
                found[conversation_id].add(event.event_id)
