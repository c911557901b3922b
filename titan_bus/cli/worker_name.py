"""A lease on a worker's name: two workers of one name would handle the same events without noticing.

A name is unique within a group on a topic, so there is one lease for each. It is renewed while the worker runs and
expires soon after a kill, so a restart does not wait long.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable

from titan_bus import names
from titan_bus.cli import exit_codes
from titan_bus.cli.failures import CommandError
from titan_bus.connections.connection import Connection
from titan_bus.errors import ServerRefusedError
from titan_bus.lease import HELD, Lease
from titan_bus.supervisor import keep_going

TTL_S = 10.0
MARGIN_S = 2.0
POLL_S = 0.1

logger = logging.getLogger("titan_bus")


def patience_s(drain_s: float) -> float:
    """Return how long to wait for a former worker that was killed, or that drains as long as this one would."""
    return max(TTL_S, drain_s) + MARGIN_S


class WorkerName:
    """The name of one worker in these groups, each with its topic."""

    def __init__(
        self,
        connection: Connection,
        consumer: str,
        groups: Iterable[tuple[str, str]],
        wait_s: float,
        ttl_s: float = TTL_S,
    ) -> None:
        self._consumer = consumer
        # Sorted, because two workers that start at once and lock in different orders would deadlock.
        keys = sorted(names.worker_of(consumer, group, topic) for topic, group in groups)
        self._leases = [Lease(connection, key, ttl_s) for key in keys]
        self._wait_s = wait_s
        self._ttl_s = ttl_s
        self._lost = False

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the name inside the block. Without the rights it is not held, which is logged.

        Raises:
            CommandError: another worker has it, and keeps it.
            BusUnavailableError: the server does not answer now.
        """
        keeping = None
        try:
            if await self._taken():
                keeping = asyncio.create_task(
                    keep_going(self._keep, "keeping the worker's name"),
                    name="titan-bus keeps the worker's name",
                )
            yield
        finally:
            if keeping is not None:
                keeping.cancel()
                await asyncio.wait([keeping])
            await self._release()

    async def _taken(self) -> bool:
        try:
            await self._take()
        except ServerRefusedError as error:  # a user with older rights, or a full memory
            logger.warning(
                "nobody sees to it that only one worker is named %s: %s. `titan-bus acl` prints the rights",
                self._consumer, error,
            )  # fmt: skip
            return False
        return True

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_s
        said = False
        while not await self._hold_all():
            if loop.time() >= deadline:
                raise CommandError(
                    f"another worker is named {self._consumer}: give each its own --consumer.",
                    exit_codes.MISCONFIGURED,
                )
            if not said:
                said = True
                logger.info(
                    "the name %s is still taken; waiting up to %g s for its last worker to end, or, when that was"
                    " killed, for its lease of %g s to run out", self._consumer, self._wait_s, self._ttl_s,
                )  # fmt: skip
            await asyncio.sleep(POLL_S)

    async def _hold_all(self) -> bool:
        for lease in self._leases:
            if await lease.take() != HELD:
                return False
        return True

    async def _keep(self) -> None:
        await asyncio.sleep(self._ttl_s / 3)
        held = [await lease.take() == HELD for lease in self._leases]
        if not all(held) and not self._lost:
            logger.error(
                "another worker took the name %s while this one stood still: both handle the same events; "
                "give each its own --consumer", self._consumer,
            )  # fmt: skip
        self._lost = not all(held)

    async def _release(self) -> None:
        for lease in self._leases:
            await lease.release()
