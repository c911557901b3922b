"""Pauses that grow between tries, for whatever waits for something that is away or busy; the application, too."""

import asyncio
import random

FIRST_S = 0.05
LONGEST_S = 0.5
"""What the bus waits for a server: one that returns is found within a second."""


class Backoff:
    """Pauses that double with each try.

    Args:
        first_s: the first one.
        longest_s: what none exceeds.
        jitter: where many may come at once each pause is 50 to 100 % of that at random, or all would again.
    """

    def __init__(
        self, first_s: float = FIRST_S, longest_s: float = LONGEST_S, *, jitter: bool = True
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._jitter = jitter
        self._tries = 0

    def next_s(self) -> float:
        """Return how long to wait now, and wait longer the next time."""
        self._tries += 1
        return self.pause_s(self._tries)

    def pause_s(self, tries: int) -> float:
        """Return how long to wait after so many tries, from 1 on; for who counts them elsewhere."""
        doublings = min(tries - 1, 30)  # beyond that only the float would overflow
        pause_s = min(self._longest_s, self._first_s * 2.0**doublings)
        return pause_s * random.uniform(0.5, 1.0) if self._jitter else pause_s  # noqa: S311 -- no secret

    async def pause(self) -> None:
        """Wait, longer each time."""
        await asyncio.sleep(self.next_s())

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._tries = 0
