"""Redis Cluster: the map of slots, and the node of a stream (Redis Cluster specification).

`redis+cluster://[user:password@]host1:port1,host2:port2/`, `rediss+cluster://` for TLS. Any nodes of the cluster
will do; the others are discovered. `server` creates it; `cluster_connection` sends commands through it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from titan_bus.connections.access import Credentials
from titan_bus.connections.channel import Channel
from titan_bus.connections.endpoint import DEFAULT_PORT, Endpoint, MultiUrl
from titan_bus.connections.inquiry import answer_of, trouble_of
from titan_bus.connections.slots import SLOTS, slot_of
from titan_bus.connections.wire import Wire
from titan_bus.errors import BusError, BusUnavailableError, ServerRefusedError

OTHERS_S = 0.5
"""How long the other nodes are waited for when one answers that it does not serve."""


class _Map(NamedTuple):
    """One node's map: rows of first slot, last slot, and the primary that has them."""

    rows: list[tuple[int, int, Endpoint]]
    serves: bool
    epoch: int


class Cluster:
    """The known state of a cluster. A caller that finds the map wrong reads it again.

    Attributes:
        address: the URL without its password.
        nodes: the primaries that have slots.
    """

    def __init__(self, address: str, seeds: Sequence[Endpoint]) -> None:
        self.address = address
        self.nodes: tuple[Endpoint, ...] = ()
        self._seeds = tuple(seeds)
        self._owners: list[Endpoint | None] = [None] * SLOTS
        self._reading: asyncio.Task[BusUnavailableError | None] | None = None

    @classmethod
    def parse(cls, url: str, credentials: Credentials | None = None) -> "Cluster":
        """Parse a URL.

        Raises:
            ValueError: it has no node, or a database other than 0, which a cluster does not have.
        """
        parts = MultiUrl.parse(url, DEFAULT_PORT, credentials=credentials)
        database = parts.query.get("db") or parts.path.strip("/")
        if database not in {None, "", "0"}:
            raise ValueError(f"{parts.address}: a cluster has database 0 alone, not {database}")
        return cls(parts.address, [parts.endpoint.at(host, port) for host, port in parts.hosts])

    def owner(self, slot: int | None) -> Endpoint:
        """Return the known node of a slot; any node for None and for a slot without a node."""
        node = self._owners[slot] if slot is not None else None
        return node or (self.nodes or self._seeds)[0]

    def redirected(self, error: ServerRefusedError, by: Endpoint) -> Endpoint:
        """Return the node that a MOVED or ASK names; a MOVED also updates the map."""
        slot, _, place = error.detail.partition(" ")
        host, _, port = place.rpartition(":")
        node = by.at(host or by.host, int(port))  # without a host it is the same one
        if error.code == "MOVED":
            self._owners[int(slot)] = node
        return node

    async def read(self) -> None:
        """Read the map from the first node that answers and serves. Concurrent callers share one reading.

        A node that was cut off has an old map; after a while it reports that its cluster is down.

        Raises:
            BusUnavailableError: none answers.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="titan_bus cluster map")
        trouble = await answer_of(self._reading, self.address)
        if trouble is not None:
            raise trouble

    async def open(self) -> Wire:
        """Connect to any node.

        Raises:
            BusUnavailableError: it does not answer.
        """
        return await self.owner(None).open()

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self) -> BusUnavailableError | None:
        asking = {
            asyncio.create_task(_map_of(node), name=f"titan_bus cluster map of {node.address}")
            for node in dict.fromkeys((*self.nodes, *self._seeds))
        }
        troubles: list[BusError] = []
        best: _Map | None = None
        try:
            waiting = set(asking)
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=OTHERS_S if best else None, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                for task in done:
                    if isinstance(error := task.exception(), BusUnavailableError):
                        troubles.append(error)
                    elif (found := task.result()).rows and (best is None or _rank(found) > _rank(best)):
                        best = found
                if best is not None and best.serves:
                    break
        finally:
            for task in asking:
                task.cancel()
            await asyncio.wait(asking)
        if best is None:
            return trouble_of(self.address, troubles, "no node has slots")
        self._learn(best)
        return None

    def _learn(self, found: _Map) -> None:
        owners: list[Endpoint | None] = [None] * SLOTS
        for first, last, node in found.rows:
            owners[first : last + 1] = [node] * (last + 1 - first)
        self._owners = owners
        self.nodes = tuple(dict.fromkeys(owner for owner in owners if owner is not None))


class SlotDialer:
    """Opens connections to the node that currently serves a stream; a `Dialer`."""

    def __init__(self, cluster: Cluster, stream: str) -> None:
        self.address = cluster.address
        self._cluster = cluster
        self._slot = slot_of(stream)
        self._opened = False

    async def open(self) -> Wire:
        """Connect to the node of the stream's slot.

        Raises:
            BusUnavailableError: the node does not answer, or the slot has none.
        """
        if self._opened:  # the former connection was lost, perhaps with its node, or the slot moved
            await self._cluster.read()
        self._opened = True
        return await self._cluster.owner(self._slot).open()


async def _map_of(node: Endpoint) -> _Map:
    channel = Channel(node)
    try:
        rows = _rows(node, await channel.call("CLUSTER", "SLOTS"))
        state = await _state_of(channel)
        return _Map(rows, state.get("cluster_state") != "fail", int(state.get("cluster_current_epoch", "0")))
    except ServerRefusedError as error:  # no cluster, or missing rights
        raise BusUnavailableError(node.address, str(error)) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BusUnavailableError(node.address, f"answers as no cluster does ({error!r})") from error
    finally:
        channel.close()


def _rows(told_by: Endpoint, said: Any) -> list[tuple[int, int, Endpoint]]:
    rows = []
    for first, last, (host, port, *_), *_ in said:
        if not 0 <= first <= last < SLOTS:
            raise ValueError(f"slots {first} to {last}")
        node = told_by.at(host.decode() if host else told_by.host, port)  # without a host it is the same one
        rows.append((first, last, node))
    return rows


async def _state_of(channel: Channel) -> dict[str, str]:
    """Return the result of CLUSTER INFO; empty without the right to ask."""
    try:
        said = await channel.call("CLUSTER", "INFO")
    except ServerRefusedError:
        return {}
    return dict(line.split(":", 1) for line in said.decode().splitlines() if ":" in line)


def _rank(found: _Map) -> tuple[bool, int]:
    return found.serves, found.epoch
