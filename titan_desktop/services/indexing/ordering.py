"""Runs one event at a time for each path, in the order of arrival.

Events of one topic are handled concurrently. Two of the same file, or of a file and a folder above it, must not
be: the removal of a folder waits for earlier events of its files, and later ones wait for it.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class _Turn:
    paths: tuple[str, ...]
    folder: bool
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def touches(self, other: "_Turn") -> bool:
        return not set(self.paths).isdisjoint(other.paths) or self.holds(other) or other.holds(self)

    def holds(self, other: "_Turn") -> bool:
        beneath = tuple(path.rstrip(os.sep) + os.sep for path in self.paths)
        return self.folder and any(path.startswith(beneath) for path in other.paths)


class PathOrder:
    """Gives out turns. There are never more of them than concurrent handlers, so a plain list is enough."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []

    def __len__(self) -> int:
        return len(self._turns)

    @contextlib.asynccontextmanager
    async def turn(self, *paths: str, folder: bool = False) -> AsyncIterator[None]:
        """Wait for all earlier turns that overlap these paths, then hold them."""
        turn = _Turn(paths, folder)
        earlier = [other for other in self._turns if other.touches(turn)]
        self._turns.append(turn)
        try:
            for other in earlier:
                await other.over.wait()
            yield
        finally:
            self._turns.remove(turn)
            turn.over.set()
