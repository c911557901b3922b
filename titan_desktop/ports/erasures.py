"""The pending erasures of deleted conversations and forgotten facts. The forgetting service alone finishes them.

They outlive the core: what is not `done` is `unerased` again at the next start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.memory import Origin


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnerasedMemory:
    """A forgotten fact or entity whose words may still stand in files.

    Attributes:
        subject_id: what the person wanted forgotten.
        ids: of all facts and entities that went with it.
        since: RFC 3339; when the first of them was made.
        event_ids: as in `Unerased`.
        rows: how many rows were deleted.
        kept_in: where it was said or written, which stays.
        asked: as in `Unerased`.
    """

    subject_id: str
    ids: frozenset[str]
    since: str
    event_ids: frozenset[str]
    rows: int
    kept_in: tuple[Origin, ...]
    asked: int


class MemoryErasures(Protocol):
    """All methods raise ErasuresUnavailableError; a repeated call has the effect of one."""

    async def unerased(self) -> tuple[UnerasedMemory, ...]:
        """Return what was forgotten and is not erased."""
        ...

    async def note(self, subject_id: str, event_ids: Iterable[str]) -> None:
        """Record the events of one, before they are erased."""
        ...

    async def rewrite(self) -> str:
        """Take the bytes of forgotten facts out of this store's own files; see `Erasures.rewrite`."""
        ...

    async def done(self, erased: UnerasedMemory, *, complete: bool) -> None:
        """Record that it is erased, unless it was requested again meanwhile."""
        ...
