"""What of deleted conversations is still to be erased from the bus. Written by the forgetting service alone.

It outlives the core: what is not `done` is `unerased` again at the next start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class ErasuresUnavailableError(Exception):
    """The store cannot be reached now; the same call may succeed later.

    Attributes:
        reason: the driver's words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"what is to be erased cannot be read or written: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unerased:
    """A deleted conversation whose events have not been erased, or not to the end.

    Attributes:
        since: RFC 3339; when it began.
        event_ids: what was found of it until now. An erasure that was killed is finished by the same ids alone.
        asked: how often its erasure has been asked for.
    """

    conversation_id: str
    since: str
    event_ids: frozenset[str]
    asked: int


class Erasures(Protocol):
    """All methods raise ErasuresUnavailableError; the same call again does what the first would have."""

    async def unerased(self) -> tuple[Unerased, ...]:
        """Return every deleted conversation that is not erased."""
        ...

    async def note(self, conversation_id: str, event_ids: Iterable[str]) -> None:
        """Keep what was found of one, before it is erased."""
        ...

    async def done(self, erased: Unerased, *, complete: bool) -> int | None:
        """Note that its events are gone; return how many there were. None: it was asked for again meanwhile."""
        ...

    async def again(self, conversation_id: str) -> None:
        """Ask for the erasure of a deleted conversation again: more has been said of it."""
        ...
