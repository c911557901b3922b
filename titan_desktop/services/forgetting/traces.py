"""Finds the events that tell of a conversation: by reading what is there, from its beginning on.

Nobody keeps a list of them. What was published and noted nowhere, because of a kill or by an earlier version, is
found like everything else, and a question costs no write for the day on which it is deleted.
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

TOLD_OF_CHAT = (topics.CHAT_COMMANDS, topics.CHAT, topics.CHAT_STREAM)
TOPICS = (*TOLD_OF_CHAT, topics.SEARCH_REQUESTS)
"""Where something of a conversation may be: a question is also searched for in the files."""
LOOKS_BACK = timedelta(days=1)
"""The clocks of the window and of a server elsewhere may be so far apart."""


class _Part(msgspec.Struct, frozen=True):
    id: str = ""
    conversation_id: str = ""


class _Told(msgspec.Struct, frozen=True):
    """As much of a chat message as says which conversation it is about."""

    conversation_id: str = ""
    message: _Part = _Part()
    conversation: _Part = _Part()
    deleted: bool = False


def conversation_of(event: Event) -> str:
    """Return the conversation that an event of chat tells something of; "" for none.

    That one was deleted has to remain: it is all that a later reader of these events would know of it.
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
    """Return the ids of the events that tell of these conversations.

    Args:
        bus: whose streams, archive and dead letters are read.
        conversation_ids: which.
        since: when the first of them began; dead letters are looked at whatever their time.

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
    # What a service asks while it handles an event belongs to that one's trace.
    async with aclosing(bus.replay(start, topics.SEARCH_REQUESTS)) as events:
        async for event in events:
            if (conversation_id := traces.get(event.meta.trace_id)) is not None:
                found[conversation_id].add(event.event_id)
    return found
