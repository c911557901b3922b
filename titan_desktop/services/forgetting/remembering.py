"""Erases forgotten facts and entities: finds the events that have their words, and gives the receipts."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec

from titan_bus import Bus, Event
from titan_bus.erasure.receipt import ErasureReceipt
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts import memory, topics
from titan_desktop.contracts.memory import MemoryErased, StoreReceipt
from titan_desktop.contracts.message import BusMessage, event_type
from titan_desktop.ports.erasures import MemoryErasures, UnerasedMemory
from titan_desktop.services.forgetting.erasing import report
from titan_desktop.services.forgetting.traces import LOOKS_BACK

TOPICS = (topics.MEMORY, topics.MEMORY_COMMANDS)
"""In this order: what happened says which commands repeated a fact under an id of their own."""
WITH_WORDS: tuple[type[BusMessage], ...] = (
    memory.Remember,
    memory.ProposeFact,
    memory.CorrectFact,
    memory.FactLearned,
    memory.FactProposed,
    memory.FactClosed,
    memory.FactChanged,
    memory.EntitiesMerged,
)
"""The others have ids alone, and a later reader has to know them: that something was forgotten, or accepted."""
_TYPES = frozenset(event_type(kind) for kind in WITH_WORDS)
_VOID = event_type(memory.MemoryVoid)
_STORES = {"stream": "stream", "retries": "stream", "delayed": "stream", "dead_letters": "dead_letters"}
"""How a receipt of the bus calls its places; what is not among them belongs to the archive."""

_log = logging.getLogger(__name__)


class _Named(msgspec.Struct, frozen=True):
    id: str = ""


class _Told(msgspec.Struct, frozen=True):
    """The part of a message that names facts and entities."""

    fact_id: str = ""
    fact: _Named = _Named()
    kept: _Named = _Named()
    merged_id: str = ""
    subject_id: str = ""
    known_id: str = ""


def ids_of(event: Event) -> frozenset[str]:
    """Return the facts and entities whose words an event has."""
    if event.event_type not in _TYPES:
        return frozenset()
    told = _read(event)
    return frozenset({told.fact_id, told.fact.id, told.kept.id, told.merged_id} - {""})


def _read(event: Event) -> _Told:
    try:
        return event.payload_as(_Told)
    except PayloadMismatchError:
        return _Told()


async def erase(
    bus: Bus, erasures: MemoryErasures, unerased: Sequence[UnerasedMemory]
) -> tuple[MemoryErased, ...]:
    """Erase the words of these everywhere. Returns the receipts.

    After a kill the next call finishes the work, because everything is recorded before it is erased. Its receipt
    counts what was left to do.

    Raises:
        BusError, ErasuresUnavailableError, FilesUnwrittenError: not now; perhaps later.
    """
    began = datetime.now(UTC)
    since = min(datetime.fromisoformat(one.since) for one in unerased)
    subjects = {one.subject_id: set(one.event_ids) for one in unerased}
    counts: dict[str, Counter[str]] = {one.subject_id: Counter() for one in unerased}
    reasons: dict[str, None] = {}
    wanted = set[str]().union(*subjects.values())
    while True:
        for subject_id, event_ids in (await _find(bus, unerased, since)).items():
            await erasures.note(subject_id, event_ids)
            subjects[subject_id] |= event_ids
            wanted |= event_ids
        if not wanted:
            break
        receipt = await bus.erase(wanted, topics=TOPICS)
        report(receipt)
        reasons |= dict.fromkeys(_reasons(receipt))
        for subject_id, event_ids in subjects.items():
            counts[subject_id].update(_copies(receipt, event_ids))
        # What was just being told when the fact was forgotten may have been added meanwhile.
        wanted, since = set(), began
    left = await erasures.rewrite()
    if left:
        _log.warning("something of what was forgotten may be left in the store's files: %s", left)
    return tuple(
        MemoryErased(
            subject_id=one.subject_id,
            stores=(
                StoreReceipt(store="postgres", erased=one.rows, complete=not left, reason=left),
                *_bus_stores(counts[one.subject_id], "; ".join(reasons)),
            ),
            kept_in=one.kept_in,
        )
        for one in unerased
    )


async def _find(bus: Bus, unerased: Sequence[UnerasedMemory], since: datetime) -> dict[str, set[str]]:
    """Return the ids of the events with words of these, by subject. Dead letters of any time are read."""
    looking = _Looking(unerased)
    for topic in TOPICS:
        async with aclosing(bus.replay((since - LOOKS_BACK).isoformat(), topic)) as events:
            async for event in events:
                looking.at(event)
    async for letter in bus.dead_letters:
        if letter.event is not None and letter.event.topic in TOPICS:
            looking.at(letter.event)
    return looking.found


class _Looking:
    """Looks at events, and keeps the ids of those with words of what was forgotten, by subject."""

    def __init__(self, unerased: Sequence[UnerasedMemory]) -> None:
        self.found: dict[str, set[str]] = defaultdict(set)
        self._sought = {one.subject_id: set(one.ids) for one in unerased}

    def at(self, event: Event) -> None:
        """Look at one event. One that says that a command repeated a fact makes that command sought, too."""
        if event.event_type == _VOID:
            void = _read(event)
            for ids in self._sought.values():
                if void.known_id in ids:
                    ids.add(void.subject_id)
        elif named := ids_of(event):
            for subject_id, ids in self._sought.items():
                if not named.isdisjoint(ids):
                    self.found[subject_id].add(event.event_id)


def _copies(receipt: ErasureReceipt, event_ids: set[str]) -> Counter[str]:
    copies = Counter[str]()
    for one in receipt.found:
        if one.event_id in event_ids:
            copies[_STORES.get(one.place, "archive")] += one.copies
    return copies


def _bus_stores(copies: Counter[str], reason: str) -> list[StoreReceipt]:
    return [
        StoreReceipt(store=store, erased=copies[store], complete=not reason, reason=reason)
        for store in ("stream", "archive", "dead_letters")
        if store == "stream" or copies[store]
    ]


def _reasons(receipt: ErasureReceipt) -> list[str]:
    """Return why the bus may still have some, in English."""
    reasons = [*receipt.unreadable, *receipt.uncompacted]
    for server in receipt.files:
        if not {server.aof, server.snapshot} <= {"rewritten", "off"}:
            reasons.append(f"append-only file {server.aof}, snapshot {server.snapshot}")
        if server.replicas:
            reasons.append(f"{server.replicas} replicas")
    return reasons
