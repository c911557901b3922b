"""Erases what is known of a file: its text, events, kept contents, and the ledger's entries, in this order.

The ledger goes last: it knows the file's former names and contents, so whoever was cut off begins again with it.
"""

import asyncio
import logging
import os
from collections.abc import Collection, Iterator
from contextlib import aclosing

from titan_bus import Bus, Event
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts import topics
from titan_desktop.contracts.file_actions import FileForgotten
from titan_desktop.contracts.indexing import FileIndexed, Outcome, Reason
from titan_desktop.contracts.message import publish
from titan_desktop.ports.contents import Contents
from titan_desktop.ports.forgotten_texts import ForgottenTexts
from titan_desktop.ports.ledger import Ledger

TOPICS = (
    *(topics.FILE_ACTION_COMMANDS, topics.FILE_ACTIONS, topics.FILE_ACTION_REQUESTS),
    *(topics.FILES_COMMANDS, topics.FILES, topics.FILES_REQUESTS, topics.INDEXING),
)
"""Where paths of files travel."""
_ALWAYS = "1970-01-01T00:00:00Z"

_log = logging.getLogger(__name__)


async def forget(
    bus: Bus, texts: ForgottenTexts, contents: Contents, ledger: Ledger, path: str, request_id: str
) -> FileForgotten:
    """Erase everything about a path and its former names; `request_id` is of the event that asked for it.

    Raises:
        BusError, IndexUnavailableError, LedgerUnavailableError, OSError: not all could be erased; the
            same call does the rest.
    """
    taken = await texts.forget(path)
    names = await ledger.names_of(path)
    events = await _events_of(bus, names)
    receipt = await bus.erase({*events, request_id}, topics=TOPICS)
    for reason in (*receipt.unreadable, *receipt.uncompacted):
        _log.warning("something of what was erased may be left: %s", reason)
    digests = await ledger.contents_of(names)
    await asyncio.to_thread(contents.forget, digests)
    actions = await ledger.forget(names)
    if left := ", ".join({await texts.rewrite(), await ledger.rewrite()} - {""}):
        _log.warning("something of what was erased may be left in the store's files: %s", left)
    if taken.files:
        # The graph hears of it; after the erasure, which takes out what names the file.
        await publish(bus, FileIndexed(path=path, outcome=Outcome.REMOVED, reason=Reason.FORGOTTEN))
    _log.info("a file is forgotten: %d actions, %d contents, %d events", actions, len(digests), len(events))
    return FileForgotten(
        actions=actions,
        contents=len(digests),
        events=len(events),
        complete=receipt.complete and not left,
        files=taken.files,
        passages=taken.passages,
        vectors=taken.vectors,
    )


async def _events_of(bus: Bus, names: Collection[str]) -> set[str]:
    """Return the ids of all events that name one of these paths, or one beneath it."""
    found = set()
    for topic in TOPICS:
        async with aclosing(bus.replay(_ALWAYS, topic)) as events:
            async for event in events:
                if _is_about(event, names):
                    found.add(event.event_id)
    async for letter in bus.dead_letters:
        if letter.event is not None and letter.event.topic in TOPICS and _is_about(letter.event, names):
            found.add(letter.event.event_id)
    return found


def _is_about(event: Event, names: Collection[str]) -> bool:
    try:
        payload = event.payload_as(dict[str, object])
    except PayloadMismatchError:
        return False
    return any(
        text == name or text.startswith(f"{name}{os.sep}") for text in _texts(payload) for name in names
    )


def _texts(payload: object) -> Iterator[str]:
    """Yield every text of a payload, at any depth."""
    pending = [payload]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
