"""The pending erasures of deleted conversations on the bus. Written by the forgetting service alone.

They outlive the core: what is not `done` is `unerased` again at the next start.
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
    """A deleted conversation whose events are not, or not completely, erased.

    Attributes:
        since: RFC 3339; when it began.
        event_ids: its events found so far. A killed erasure is finished with the same ids.
        asked: how often its erasure has been requested.
    """

    conversation_id: str
    since: str
    event_ids: frozenset[str]
    asked: int


class Erasures(Protocol):
    """All methods raise ErasuresUnavailableError; a repeated call has the effect of one."""

    async def unerased(self) -> tuple[Unerased, ...]:
        """Return every deleted conversation that is not erased."""
        ...

    async def note(self, conversation_id: str, event_ids: Iterable[str]) -> None:
        """Record the events of one, before they are erased."""
        ...

    async def rewrite(self) -> str:
        """Take the bytes of deleted conversations out of this store's own files, after their rows are gone.

        Returns why copies may be left, for the log; "" if none are.
        """
        ...

    async def done(self, erased: Unerased, *, complete: bool) -> int | None:
        """Record that its events are erased. Returns their number; None: it was requested again meanwhile."""
        ...

    async def again(self, conversation_id: str) -> None:
        """Request the erasure of a deleted conversation again, because new events of it exist."""
        ...
