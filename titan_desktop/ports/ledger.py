"""The ledger: every change that Titan makes to a file, written before it takes place and ended after.

What a killed core has left as BEGUN is looked at when its command is delivered again: it has taken place, or is
done now. Written by the files service alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.file_actions import Action, ActionPage


class LedgerUnavailableError(Exception):
    """The store cannot be reached now; the same call may succeed later.

    Attributes:
        reason: the driver's words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the ledger cannot be read or written: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An action with what is needed to finish it, or to undo it.

    Attributes:
        event_id: of the command.
        before: the digest of the content that was replaced; "" for none, or one that is not kept.
        replaced: whether there was one.
        after: the digest of the content that it made, moved or restored; "" for none, or one that is not known.
        trashed: where the trash has it.
        inode: of what was moved, trashed or restored; 0 for others.
    """

    action: Action
    event_id: str = ""
    before: str = ""
    replaced: bool = False
    after: str = ""
    trashed: str = ""
    inode: int = 0


class Ledger(Protocol):
    """All methods raise LedgerUnavailableError; a repeated call has the effect of one."""

    async def entry_of(self, action_id: str) -> Entry | None:
        """Return an entry, None for an unknown id."""
        ...

    async def begin(self, entry: Entry) -> None:
        """Write an entry, or write a BEGUN one anew; one that has ended stays."""
        ...

    async def end(self, action: Action) -> None:
        """Write the state, the refusal and `undoable` of a begun action.

        One that is DONE and undoes another is noted there, too. To do that one again, the undoing is undone: what
        it finds (another place in the trash, another inode) stands in the newest entry alone.
        """
        ...

    async def page(
        self, limit: int, *, cursor: str = "", run_id: str = "", path: str = ""
    ) -> ActionPage | None:
        """Return actions, the newest first, after `cursor`; None for a cursor that is none.

        `path` finds what is beneath it, too.
        """
        ...

    async def of_run(self, run_id: str) -> Sequence[Entry]:
        """Return the entries of a run that are DONE and not undone, the newest first."""
        ...

    async def names_of(self, path: str) -> Sequence[str]:
        """Return the path of a file or folder, and those that it was moved here from."""
        ...

    async def contents_of(self, names: Sequence[str]) -> Sequence[str]:
        """Return the digests that only entries of these files, or of what is beneath these folders, name."""
        ...

    async def forget(self, names: Sequence[str]) -> int:
        """Remove all entries of these files, or of what is beneath these folders; return how many."""
        ...

    async def rewrite(self) -> str:
        """Take the bytes of removed entries out of the store's own files.

        Returns why copies may be left, for the log; "" if none are.
        """
        ...
