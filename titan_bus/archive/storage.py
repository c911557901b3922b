"""Where the archive's objects lie: a folder, or a bucket. Objects are written whole or not at all.

A store knows keys and bytes, nothing of events. Every method raises StoreError, and nothing else of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """An object's key and its length in bytes."""

    key: str
    size: int


class Store(Protocol):
    """A place for objects.

    Attributes:
        target: where it is, as a person would say it.
    """

    target: str

    async def stored(self, folder: str = "") -> list[Stored]:
        """Return the objects of a folder, of all of them without one; in no order."""

    async def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing one of that key. When this returns it is durable."""

    async def get(self, key: str) -> bytes | None:
        """Return an object, None when there is none."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone are no error."""

    async def sweep(self, folder: str) -> None:
        """Remove what killed writers left half-written in a folder; who writes there now fails and tries again."""
