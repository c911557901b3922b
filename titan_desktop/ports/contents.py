"""Contents of files as they were before a change, by their hash; and contents that a client hands over.

The store is bounded: the oldest go first, and a change that they belong to can be undone no longer.
"""

from collections.abc import Iterable
from typing import BinaryIO, Protocol


class ContentRefusedError(Exception):
    """A content is not kept.

    Attributes:
        size: what it has, in bytes, as far as was read.
        limit: what one may have; 0 where the disk is full or cannot be written.
    """

    def __init__(self, size: int, limit: int, detail: str = "") -> None:
        super().__init__(f"{size} bytes, {limit} may be kept" if limit else detail)
        self.size = size
        self.limit = limit


class Contents(Protocol):
    """Blocking calls, for threads. A digest is SHA-256 in hexadecimal digits."""

    def keep(self, content: BinaryIO) -> str:
        """Keep what a file holds from where it stands to its end; return its digest. On the disk afterwards.

        Raises:
            ContentRefusedError: it is too large, or cannot be written.
        """
        ...

    def has(self, digest: str) -> bool:
        """Whether it is still kept."""
        ...

    def size(self, digest: str) -> int:
        """Return its size in bytes, 0 if it is kept no longer."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """Open one; raises FileNotFoundError."""
        ...

    def forget(self, digests: Iterable[str]) -> None:
        """Remove contents; raises OSError."""
        ...

    def handed(self, content_id: str) -> BinaryIO:
        """Open a content that a client has handed over; raises OSError."""
        ...

    def discard_handed(self, content_id: str) -> None:
        """Remove it, and those of clients that died before they named theirs. Never raises."""
        ...
