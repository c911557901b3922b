"""Changes to the person's files, beneath the allowed roots alone. The same guard as `ports.files_root`.

Each change is prepared first and takes place in one step of the file system. So a process that is killed at any
moment leaves what was there or what was asked for, and whoever keeps the ledger can write down between the two
steps what is going to happen.
"""

from pathlib import Path
from typing import BinaryIO, Protocol, Self

from titan_desktop.contracts.file_actions import Refusal
from titan_desktop.ports.files_root import Stamp


class ChangeRefusedError(Exception):
    """Nothing was changed.

    Attributes:
        path: on what.
        refusal: why.
        detail: the system's words, or "".
    """

    def __init__(self, path: str, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{path}: {refusal.value}" + (f" ({detail})" if detail else ""))
        self.path = path
        self.refusal = refusal
        self.detail = detail


class Prepared(Protocol):
    """A change that is ready. Leaving its block discards what did not take place.

    Attributes:
        digest: of a content, SHA-256 in hexadecimal digits; "" for others.
        size: of a content, in bytes.
        trashed: where the trash would have it, an absolute path; "" for no trash, or one that does not tell.
    """

    digest: str
    size: int
    trashed: str

    def take_place(self) -> None:
        """Make the change, and have it on the disk before this returns.

        Raises:
            ChangeRefusedError: nothing was changed.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class FileChanges(Protocol):
    """Blocking calls, for threads. All raise ChangeRefusedError, and then nothing was changed."""

    def stamp(self, path: Path) -> Stamp | None:
        """Return a regular file's stamp, with its inode; None: nothing is there."""
        ...

    def inode(self, path: Path) -> int:
        """Return the number of the file or folder at `path`; 0: nothing is there."""
        ...

    def open(self, path: Path) -> BinaryIO:
        """Open a regular file for reading."""
        ...

    def canonical(self, path: Path) -> Path:
        """Return the one spelling of a path beneath a root."""
        ...

    def content(
        self, path: Path, source: BinaryIO, key: str, replaces: Stamp | None, *, like_source: bool = False
    ) -> Prepared:
        """Prepare to give `path` what `source` holds, from where it stands to its end.

        Args:
            path: a name in a folder that is there.
            source: read to its end.
            key: names the temporary file, so that another try removes what a killed one has left.
            replaces: how the file looks that is replaced, whose rights are kept; None: nothing may be there.
            like_source: a new file takes the rights of `source`, which is a file; else it has the usual ones.
        """
        ...

    def folder(self, path: Path) -> Prepared:
        """Prepare to make a folder in one that is there."""
        ...

    def move(self, path: Path, target: Path) -> Prepared:
        """Prepare to give a file or folder another path, where nothing is."""
        ...

    def trash(self, path: Path) -> Prepared:
        """Prepare to move a file or folder to the system's trash."""
        ...

    def restore(self, trashed: str, inode: int, path: Path) -> Prepared:
        """Prepare to take something out of the trash again, to where nothing is.

        Args:
            trashed: what `Prepared.trashed` said.
            inode: what `inode` said of it before.
            path: where to.
        """
        ...

    def open_anywhere(self, path: Path) -> BinaryIO:
        """Open a regular file that a person has named, wherever it lies; links are followed. Raises SOURCE."""
        ...

    def copy_out(self, path: Path, place: Path, key: str) -> Prepared:
        """Prepare to copy a file to a place outside the roots, where nothing is."""
        ...

    def in_trash(self, trashed: str, inode: int) -> bool:
        """Whether the trash has this."""
        ...
