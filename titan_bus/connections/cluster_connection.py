"""The shared connection to a cluster: one connection for each node, each command goes to the node of its slot.

A command that reached the wrong node, or one that died or was cut off, is sent again to the right one. So it may
be executed twice, as with a single server (`connection`).
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from titan_bus.connections import connection
from titan_bus.connections.cluster import Cluster
from titan_bus.connections.connection import CLUSTER_DOWN, RESEND_AFTER_S, TRANSIENT, Connection
from titan_bus.connections.endpoint import Dialer, Endpoint
from titan_bus.connections.keys import Word, prefixed
from titan_bus.connections.slots import slot_of, slot_of_command
from titan_bus.errors import (
    BusClosedError,
    BusError,
    BusOverloadedError,
    BusUnavailableError,
    ServerRefusedError,
)
from titan_bus.supervisor import keep_going

RENEW_S = 0.25
"""The shortest interval between two readings of the map, also while a node does not answer."""
HOPS_AT_ONCE = 3
"""How often a command is redirected at once; after that nodes that disagree are given time."""
LEAST_PATIENCE_S = 0.5
"""What a command has on every node: the loop may have stood still for all of its patience (`running_time`)."""
NODES_MAX = 1_024
"""A SCAN cursor here is the node's own cursor times this, plus the node's number."""


class _Relay:
    """A command in flight, and its caller's future."""

    __slots__ = ("answer", "expires_at", "future", "hops", "slot", "words")

    def __init__(
        self,
        words: tuple[Word, ...],
        slot: int | None,
        future: asyncio.Future[Any],
        answer: object,
        expires_at: float,
    ) -> None:
        self.words = words
        self.slot = slot
        self.future = future
        self.answer = answer
        self.expires_at = expires_at
        self.hops = 0

    @property
    def size(self) -> int:
        return sum(len(word) for word in self.words if isinstance(word, str | bytes))


class ClusterConnection(Connection):
    """A connection to all nodes; `connect` creates one for a node."""

    def __init__(
        self, cluster: Cluster, patience_s: float, connect: Callable[[Dialer, float], Connection] = Connection
    ) -> None:
        super().__init__(cluster, patience_s)
        self._cluster = cluster
        self._connect = connect
        self._nodes: dict[Endpoint, Connection] = {}
        self._relays: set[_Relay] = set()
        self._resting_bytes = 0
        self._stale = asyncio.Event()
        self._maintenance: asyncio.Task[None] | None = None
        self._was_connected = False

    @property
    def connected(self) -> bool:
        """Whether every node answered last time."""
        return bool(self._nodes) and all(node.connected for node in self._nodes.values())

    async def open(self) -> None:
        """Connect to all nodes. Waits for a node that is away as long as another one answers.

        Raises:
            BusUnavailableError: none answers now.
        """
        self._loop, self._stale = asyncio.get_running_loop(), asyncio.Event()
        await self._cluster.read()
        nodes = {node: self._node(node) for node in self._cluster.nodes}
        self._nodes = nodes
        outcomes = await asyncio.gather(*(node.open() for node in nodes.values()), return_exceptions=True)
        troubles = [outcome for outcome in outcomes if outcome is not None]
        if len(troubles) == len(nodes):
            raise troubles[0]
        self._open = True
        for node, outcome in zip(nodes.values(), outcomes, strict=True):
            node.on_change(self._node_changed)
            if outcome is not None:
                node.start()
                self._stale.set()
        self._was_connected = self.connected
        what = "titan_bus cluster maintenance"
        self._maintenance = self._loop.create_task(keep_going(self._renew, what), name=what)

    def call(
        self, *words: Word, patience_s: float | None = None, answer: object = None
    ) -> asyncio.Future[Any]:
        """Send a command to the node of its first key; without a key to any node, and SCAN to each in turn."""
        if words[0] == "SCAN":
            return self._scan(int(words[1]), words[2:], patience_s)
        if self.prefix:
            words = prefixed(self.prefix, words)
        return self._call(slot_of_command(words), words, patience_s, answer)

    def nodes(self) -> list[Connection]:
        """Return the connections to the primaries that have slots."""
        return [self._nodes[node] for node in self._cluster.nodes if node in self._nodes]

    def call_beside(self, key: str, *words: Word) -> asyncio.Future[Any]:
        """Send a command without a key to the node of `key`."""
        return self._call(slot_of(self.prefix + key), words, None, None)

    async def drain(self) -> None:
        """Wait until every command is answered or has failed."""
        while pending := [relay.future for relay in self._relays if not relay.future.done()]:
            await asyncio.wait(pending)

    async def close(self) -> None:
        """Close at once; waiting commands fail with BusClosedError."""
        self._open = False
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.wait([self._maintenance])
        for node in self._nodes.values():
            await node.close()
        await self._cluster.close()
        for relay in self._relays:
            if not relay.future.done():
                relay.future.set_exception(BusClosedError())
        self._relays.clear()
        self._resting_bytes = 0

    def _call(
        self, slot: int | None, words: tuple[Word, ...], patience_s: float | None, answer: object
    ) -> asyncio.Future[Any]:
        if not self._open:
            raise BusClosedError
        if self._resting_bytes > connection.WAITING_BYTES_MAX:
            raise BusOverloadedError(self._resting_bytes)
        expires_at = self._loop.time() + (self._patience_s if patience_s is None else patience_s)
        relay = _Relay(words, slot, self._loop.create_future(), answer, expires_at)
        self._send(relay, self._cluster.owner(slot))
        self._relays.add(relay)
        return relay.future

    def _node(self, endpoint: Endpoint) -> Connection:
        node = self._connect(endpoint, self._patience_s)
        node.transient = TRANSIENT - {CLUSTER_DOWN}  # a node that was cut off reports it for ever
        return node

    def _send(self, relay: _Relay, to: Endpoint, *, asking: bool = False) -> None:
        node = self._nodes.get(to)
        if node is None:
            node = self._nodes[to] = self._node(to)
            node.on_change(self._node_changed)
            node.start()
        patience_s = max(LEAST_PATIENCE_S, relay.expires_at - self._loop.time())
        if asking:  # applies to the next command, which is in the same write
            node.call("ASKING", patience_s=patience_s).add_done_callback(_seen)
        sent = node.call(*relay.words, patience_s=patience_s, answer=relay.answer)
        sent.add_done_callback(partial(self._settle, relay, to))

    def _settle(self, relay: _Relay, by: Endpoint, sent: asyncio.Future[Any]) -> None:
        error = sent.exception()
        if relay.future.done():
            self._relays.discard(relay)
        elif error is None:
            self._relays.discard(relay)
            relay.future.set_result(sent.result())
        elif not self._pass_on(relay, by, error):
            self._relays.discard(relay)
            relay.future.set_exception(self._outcome(by, error))

    def _outcome(self, node: Endpoint, error: BaseException) -> BaseException:
        """Return the caller's error when a node could not serve a command in time."""
        if isinstance(error, BusClosedError) and self._open:
            return BusUnavailableError(node.address, "left the cluster")
        if isinstance(error, ServerRefusedError) and error.code == CLUSTER_DOWN:
            return BusUnavailableError(node.address, str(error))
        return error

    def _pass_on(self, relay: _Relay, by: Endpoint, error: BaseException) -> bool:
        """Send a command to the right node; False when the error is its answer."""
        if not self._open or (relay.hops and self._loop.time() >= relay.expires_at):
            return False
        asked: Endpoint | None = None
        if isinstance(error, ServerRefusedError) and error.code in {"MOVED", "ASK"}:
            try:
                node = self._cluster.redirected(error, by)
            except (ValueError, IndexError):  # it has no slot or no port
                return False
            asked = node if error.code == "ASK" else None
            if error.code == "MOVED":
                self._stale.set()
        elif isinstance(error, ServerRefusedError) and error.code == CLUSTER_DOWN:
            self._stale.set()
            relay.hops = HOPS_AT_ONCE  # until the map is read, the same node would be asked
        elif not isinstance(error, BusClosedError):  # that error means that its node left the map
            return False
        relay.hops += 1
        if relay.hops <= HOPS_AT_ONCE:
            self._send_again(relay, asked)
        else:
            self._resting_bytes += relay.size
            self._loop.call_later(RESEND_AFTER_S, self._take_up_again, relay, asked)
        return True

    def _take_up_again(self, relay: _Relay, asked: Endpoint | None) -> None:
        self._resting_bytes -= relay.size
        self._send_again(relay, asked)

    def _send_again(self, relay: _Relay, asked: Endpoint | None) -> None:
        if not self._open or relay.future.done():  # closed meanwhile, and perhaps opened again
            self._relays.discard(relay)
            return
        try:
            self._send(relay, asked or self._cluster.owner(relay.slot), asking=asked is not None)
        except BusError as error:
            self._relays.discard(relay)
            if not relay.future.done():
                relay.future.set_exception(error)

    def _scan(self, cursor: int, words: tuple[Word, ...], patience_s: float | None) -> asyncio.Future[Any]:
        if not self._open:
            raise BusClosedError
        nodes = sorted(self._nodes, key=lambda node: node.address)
        number = min(cursor % NODES_MAX, len(nodes) - 1)
        page = self._loop.create_future()
        node = nodes[number]
        sent = self._nodes[node].call("SCAN", cursor // NODES_MAX, *words, patience_s=patience_s)

        def turn(sent: asyncio.Future[Any]) -> None:
            error = sent.exception()
            if page.done():
                return
            if error is not None:
                page.set_exception(self._outcome(node, error))
                return
            after, keys = sent.result()
            following = int(after) * NODES_MAX + number
            if int(after) == 0:
                following = number + 1 if number + 1 < len(nodes) else 0
            page.set_result([b"%d" % following, keys])

        sent.add_done_callback(turn)
        return page

    def _node_changed(self, connected: bool) -> None:  # noqa: FBT001 -- a listener's signature
        if not connected:
            self._stale.set()
        if self._open and self.connected != self._was_connected:
            self._was_connected = not self._was_connected
            self._tell(connected=self._was_connected)

    async def _renew(self) -> None:
        """Read the map when it was wrong, and again until every node of it answers.

        Not at every MOVED, which contains the slot's new node already: each reading connects to all nodes.
        """
        await self._stale.wait()
        self._stale.clear()
        try:
            await self._cluster.read()
        except BusUnavailableError:
            self._stale.set()
            raise
        for gone in self._nodes.keys() - set(self._cluster.nodes):
            await self._nodes.pop(gone).close()  # what waited there is sent to the new nodes of its slots
        self._node_changed(connected=True)
        await asyncio.sleep(RENEW_S)
        if not self.connected:
            self._stale.set()


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
