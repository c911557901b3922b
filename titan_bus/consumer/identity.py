"""Leases the name of each consumer. Two consumers of one name would both handle the same events, unnoticed.

A name is unique within a group on a topic, so there is one lease for each subscription. `subscriptions` leases
the name before the first read and releases it after the last handler has ended. A lease is renewed while the bus
is open, expires soon after a kill, and is taken over at once when its process is seen to be dead
(`process_mark`).

Without a `consumer` in the configuration the name is `program@host`, or the lowest free one of `program@host/2`,
`program@host/3` … So a program that starts again gets its events in flight at once, and names do not accumulate,
however many processes there are.
"""

import asyncio
import itertools
import logging

from titan_bus import names, process_mark
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.errors import ConsumerNameTakenError, ServerRefusedError
from titan_bus.lease import HELD, Lease
from titan_bus.process_mark import Mark
from titan_bus.supervisor import keep_going

TTL_S = 20.0
"""The lease of a configured name. Who starts again on another machine waits for it after a kill."""
NUMBERED_TTL_S = 120.0
"""The lease of a name from here: nobody waits for it, and a process may stand still for so long."""
MARGIN_S = 2.0
POLL_S = 0.1

logger = logging.getLogger("titan_bus")


class ConsumerNames:
    """The names of one bus's consumers, by topic and group."""

    def __init__(self, connection: Connection, config: BusConfig) -> None:
        self._connection = connection
        self._config = config
        self._mark = ""
        self._leases: dict[tuple[str, str], Lease | None] = {}
        self._last = ""
        self._lost: set[tuple[str, str]] = set()
        self._may_lease = True
        self._ttl_s = TTL_S if config.consumer else NUMBERED_TTL_S
        self._keeping: asyncio.Task[None] | None = None

    async def lease(self, topic: str, group: str) -> str:
        """Return the name of this bus's consumer, leased. Without the rights it is not leased, which is logged.

        A name of the configuration that another consumer has is waited for, as long as that one may be draining or
        have been killed.

        Raises:
            ValueError: this bus has a subscription of the group to the topic.
            ConsumerNameTakenError: another consumer has the configured name, and keeps it.
            BusUnavailableError: the server does not answer now.
        """
        if (topic, group) in self._leases:
            raise ValueError(f"{group} is subscribed to {topic} already: stop that, or name another group")
        self._leases[topic, group] = None
        self._mark = self._mark or process_mark.make()
        try:
            if self._config.consumer:
                await self._wait_for(self._config.consumer, topic, group)
                return self._config.consumer
            return await self._first_free(topic, group)
        except ServerRefusedError as error:  # a user with the rights of an earlier version, or a full memory
            return self._unleased(error)
        except BaseException:
            self.release_soon(topic, group)
            raise

    def release_soon(self, topic: str, group: str) -> None:
        """Release a name without waiting for the reply."""
        lease = self._leases.pop((topic, group), None)
        if lease is not None:
            lease.release_soon()

    async def close(self) -> None:
        """Stop renewing, and release all names without waiting for the replies."""
        process_mark.forget(self._mark)
        for topic, group in tuple(self._leases):
            self.release_soon(topic, group)
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    async def _first_free(self, topic: str, group: str) -> str:
        """Lease the name that this bus has elsewhere already, or else the lowest that is free."""
        base = self._config.consumer_name()
        numbered = (base if number == 1 else f"{base}/{number}" for number in itertools.count(1))
        for name in itertools.chain([self._last or base], numbered):
            if await self._take(name, topic, group) is None:
                self._last = name
                break
        return self._last

    async def _wait_for(self, name: str, topic: str, group: str) -> None:
        """Lease the configured name, as soon as nobody has it."""
        loop, wait_s = asyncio.get_running_loop(), max(self._ttl_s, self._config.drain_s) + MARGIN_S
        deadline, said = loop.time() + wait_s, False
        while (holder := await self._take(name, topic, group)) is not None:
            mark = process_mark.read(holder)
            if loop.time() >= deadline or (mark is not None and mark.is_ours):
                raise ConsumerNameTakenError(name, topic, group, _described(mark))
            if not said:
                said = True
                logger.info(
                    "the name %s is still taken by %s; waiting up to %g s for that to end, or, when it was "
                    "killed, for its lease of %g s to run out", name, _described(mark), wait_s, self._ttl_s,
                )  # fmt: skip
            await asyncio.sleep(POLL_S)

    async def _take(self, name: str, topic: str, group: str) -> str | None:
        """Lease a name. Returns None on success, else the mark of the process that has it."""
        key = names.worker_of(name, group, topic)
        lease = Lease(self._connection, key, self._ttl_s, self._mark)
        try:
            if await lease.take() != HELD:
                holder: str = (await self._connection.call("GET", key) or b"").decode(errors="replace")
                mark = process_mark.read(holder)
                if mark is None or not mark.is_dead or await lease.take(instead_of=holder) != HELD:
                    return holder
        except asyncio.CancelledError:  # the server may have granted it meanwhile
            lease.release_soon()
            raise
        self._leases[topic, group] = lease
        if self._keeping is None:
            what = "titan_bus: keeping the consumers' names"
            self._keeping = asyncio.create_task(keep_going(self._keep, what), name=what)
        return None

    async def _keep(self) -> None:
        await asyncio.sleep(self._ttl_s / 3)
        leases = {key: lease for key, lease in self._leases.items() if lease is not None}
        held = await asyncio.gather(*(lease.take() for lease in leases.values()))
        lost = {key for key, result in zip(leases, held, strict=True) if result != HELD} & self._leases.keys()
        for topic, group in lost - self._lost:
            logger.error(
                "another consumer of %s on %s took our name while this process stood still: both handle the same "
                "events; give each a `consumer` of its own, or none", group, topic,
            )  # fmt: skip
        self._lost = lost

    def _unleased(self, error: ServerRefusedError) -> str:
        """Return the configured name, or one that nobody else has, and say why it is not leased."""
        if self._may_lease:
            self._may_lease = False
            cure = ". `titan-bus acl` prints the rights" if error.code == "NOPERM" else ""
            logger.warning(
                "the consumer name %s is not leased, so others may have it, too: %s%s",
                self._config.consumer_name(), error, cure,
            )  # fmt: skip
        return self._config.consumer or f"{self._config.consumer_name()}/{self._mark[-8:]}"


def _described(mark: Mark | None) -> str:
    return "another program" if mark is None else str(mark)
