"""The events to erase: how their bytes are recognised, where to search first, and what was found."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from titan_bus import codec, names
from titan_bus.deadletter import ORIGINAL
from titan_bus.entry_id import FIRST, EntryId
from titan_bus.erasure.receipt import Found, Place
from titan_bus.event import ulid_ms

SKEW_MS = 300_000
"""An event's id has its publisher's time, its entry's id the server's; they rarely differ by more (`replay`)."""
_FIELDS = (codec.FIELD, ORIGINAL + codec.FIELD)


class _Head(msgspec.Struct):
    """The part of an event that identifies it; the rest may be in another format."""

    event_id: str
    topic: str = ""


_decoder = msgspec.json.Decoder(_Head)


class Wanted:
    """The events to erase, and what was found so far.

    Attributes:
        ids: the event ids.
        earliest: no copy is before this entry, if the clocks are right.
        unreadable: parts of the archive that could not be read, a sentence each.
        topics: those in which something was found.
        strayed: events that were dead letters: they may have been redriven at any time.
    """

    def __init__(self, event_ids: Iterable[str]) -> None:
        self.ids = frozenset(event_ids)
        self.unreadable: list[str] = []
        self.topics: set[str] = set()
        self.strayed: set[str] = set()
        self._found: Counter[tuple[str, str, Place]] = Counter()
        moments = [_moment_of(event_id) for event_id in self.ids]
        self._moments = sorted(ms for ms in moments if ms is not None)
        self._timeless = None in moments
        self.earliest = FIRST if self._timeless else EntryId(max(0, min(self._moments, default=0) - SKEW_MS))

    @property
    def missing(self) -> list[str]:
        """The ids that were not found, sorted."""
        return sorted(self.ids - {event_id for event_id, _, _ in self._found})

    def near(self, first: EntryId, last: EntryId) -> bool:
        """Whether one of them is likely to be between these two entries."""
        if self._timeless:
            return True
        at = bisect_left(self._moments, first.ms - SKEW_MS)
        return at < len(self._moments) and self._moments[at] <= last.ms + SKEW_MS

    def which(self, encoded: bytes) -> str | None:
        """Return the id of an encoded event if it is wanted."""
        head = _head(encoded)
        return head.event_id if head is not None and head.event_id in self.ids else None

    def which_of(self, fields: Sequence[bytes]) -> str | None:
        """Return the id of the event in an entry, or in a dead letter, if it is wanted."""
        for name, value in zip(fields[::2], fields[1::2], strict=False):
            if name in _FIELDS and (event_id := self.which(value)) is not None:
                return event_id
        return None

    def note_dead_letter(self, fields: Sequence[bytes]) -> None:
        """Note a wanted dead letter: its topic must be searched."""
        for name, value in zip(fields[::2], fields[1::2], strict=False):
            if name in _FIELDS and (head := _head(value)) is not None and head.event_id in self.ids:
                self.strayed.add(head.event_id)
                self.topics.add(head.topic)

    def note(self, event_id: str, stream: str, place: Place, entry_id: EntryId | None = None) -> None:
        """Note a copy that is being erased, and the time it was written."""
        topic = names.topic_of(stream) or stream
        self._found[event_id, topic, place] += 1
        self.topics.add(topic)
        if entry_id is not None:
            insort(self._moments, entry_id.ms)

    def found(self) -> tuple[Found, ...]:
        """Return what was found, sorted."""
        return tuple(
            Found(event_id=event_id, topic=topic, place=place, copies=copies)
            for (event_id, topic, place), copies in sorted(self._found.items())
        )


def _head(encoded: bytes) -> _Head | None:
    try:
        return _decoder.decode(encoded)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _moment_of(event_id: str) -> int | None:
    try:
        return ulid_ms(event_id)
    except ValueError:  # other programs may have other ids
        return None
