"""The interface of the archive's stores: a folder, or a bucket. Objects are written whole or not at all.

A store has keys and bytes, and no notion of events. Every method raises StoreError and no other error of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Stored(NamedTuple):
    """An object's key and its length in bytes."""

    key: str
    size: int


class Store(Protocol):
    """A store of objects.

    Attributes:
        target: its location, in readable form.
    """

    target: str

    async def stored(self, folder: str = "") -> list[Stored]:
        """Return the objects of a folder, or of all folders, unordered."""

    async def put(self, key: str, data: bytes) -> None:
        """Write an object, replacing one of the same key. When this returns it is durable."""

    async def get(self, key: str) -> bytes | None:
        """Return an object; None when it does not exist."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; missing ones are no error."""

    async def sweep(self, folder: str) -> None:
        """Remove half-written objects that killed writers left. A running writer fails and tries again."""
