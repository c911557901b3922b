"""Redis Sentinel: finds the primary, and drops connections to a demoted one.

`redis+sentinel://[user:password@]host1:port1,host2:port2/name[/db]`, `rediss+sentinel://` for TLS to the servers.
User and password are the servers'; `sentinel_username` and `sentinel_password` are options of the query, and
`sentinel_ssl=true` if the sentinels use TLS, too. The rest of the query is that of `endpoint`.

All sentinels are queried at once, including those that they name, so a dead one does no harm. The newest
configuration wins (its `config-epoch`; Redis Sentinel specification, "Configuration epochs"), and the server
itself must report that it is a primary: a sentinel on the wrong side of a split names a stale one. `server`
creates and closes this object.

A separate user on the sentinels needs `+ping +client|setname +sentinel|get-master-addr-by-name +sentinel|master
+sentinel|sentinels +subscribe &+switch-master`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from titan_bus.connections.access import Access, Credentials
from titan_bus.connections.channel import Channel
from titan_bus.connections.endpoint import OPTIONS, Endpoint, MultiUrl, database_of, unquoted
from titan_bus.connections.inquiry import answer_of, trouble_of
from titan_bus.connections.tls import Tls
from titan_bus.connections.wire import Command, Wire
from titan_bus.errors import BusError, BusUnavailableError, ServerRefusedError
from titan_bus.running_time import limited
from titan_bus.supervisor import keep_going

DEFAULT_PORT = 26_379
SENTINEL_OPTIONS = frozenset({"sentinel_password", "sentinel_ssl", "sentinel_username"})
ANSWER_S = 1.0
"""How long to wait for the other sentinels after the first answer."""
POLL_S = 1.0
"""The polling interval, beside the subscription: a sentinel that was cut off publishes nothing."""
LISTEN_S = 60.0
"""How long one sentinel is subscribed to before the next one."""

logger = logging.getLogger("titan_bus")


class Naming(msgspec.Struct, frozen=True):
    """One sentinel's answer: the primary's address by the configuration of this epoch."""

    epoch: int
    host: str
    port: int


class Sentinel:
    """Opens wires to the primary of one name; a `Dialer`."""

    def __init__(self, address: str, name: str, primary: Endpoint, sentinels: Sequence[Endpoint]) -> None:
        """Store the parts of the URL.

        Args:
            address: the URL without its password.
            name: the primary's name on the sentinels.
            primary: the credentials; host and port come from the sentinels.
            sentinels: the first sentinels to query.
        """
        self.address = address
        self._name = name
        self._primary = primary
        self._seeds = frozenset(sentinels)
        self._lines = {sentinel: Channel(sentinel) for sentinel in sentinels}
        self._listening_to = 0
        self._wires: WeakKeyDictionary[Wire, Endpoint] = WeakKeyDictionary()
        self._survey: asyncio.Task[list[Naming]] | None = None
        self._troubles: list[BusError] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def parse(cls, url: str, credentials: Credentials | None = None) -> "Sentinel":
        """Parse a URL. The credentials are the servers'; those of the sentinels stand in the URL.

        Raises:
            ValueError: it has no sentinel or no primary, or an option is unknown.
        """
        parts = MultiUrl.parse(url, DEFAULT_PORT, OPTIONS | SENTINEL_OPTIONS, credentials)
        name, _, database = unquoted(parts.path.strip("/")).partition("/")
        if not name:
            raise ValueError(f"{parts.address} names no primary: end it with /name, as the sentinels call it")
        primary = replace(parts.endpoint, database=database_of(parts.query.get("db") or database))
        sentinel = replace(
            primary,
            database=0,
            tls=(primary.tls or Tls.parse(parts.query))
            if _is_true(parts.query.get("sentinel_ssl"))
            else None,
            username=parts.query.get("sentinel_username", ""),
            password=parts.query.get("sentinel_password", ""),
            access=Access(),
        )
        return cls(
            f"{parts.address}/{name}", name, primary, [sentinel.at(host, port) for host, port in parts.hosts]
        )

    def start(self) -> None:
        """Watch for a new primary, in the background."""
        for step in (self._listen, self._poll):
            what = f"titan_bus sentinel: {step.__name__.strip('_')}"
            self._tasks.append(asyncio.create_task(keep_going(step, what), name=what))

    async def close(self) -> None:
        """Stop watching and querying; `start` may begin again."""
        tasks = [*self._tasks, *([self._survey] if self._survey is not None else [])]
        self._tasks.clear()
        self._survey = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for sentinel, line in self._lines.items():
            line.close()
            self._lines[sentinel] = Channel(sentinel)

    async def open(self) -> Wire:
        """Connect to the primary, which must report itself as one.

        Raises:
            BusUnavailableError: no sentinel knows such a server; the message has the reasons of all.
        """
        namings = await self._ask_all()
        troubles = list(self._troubles)
        for naming in namings:
            endpoint = self._primary.at(naming.host, naming.port)
            try:
                wire = await self._open_primary(endpoint)
            except BusUnavailableError as error:
                troubles.append(error)
            else:
                self._wires[wire] = endpoint
                return wire
        raise trouble_of(self.address, troubles, "no sentinel answers")

    async def _open_primary(self, endpoint: Endpoint) -> Wire:
        wire = await endpoint.open()
        asked = Command(("ROLE",), asyncio.get_running_loop().create_future())
        try:
            async with limited(ANSWER_S):
                wire.send([asked])
                role = (await asked.future)[0].decode()
        except (TypeError, IndexError, AttributeError, ValueError) as error:
            wire.close()
            raise BusUnavailableError(
                endpoint.address, f"answers ROLE as no server does ({error!r})"
            ) from error
        except (OSError, ServerRefusedError) as error:
            wire.close()
            raise BusUnavailableError(endpoint.address, str(error) or "no answer to ROLE") from error
        except asyncio.CancelledError:
            wire.close()
            raise
        if role != "master":
            wire.close()
            raise BusUnavailableError(endpoint.address, f"named as the primary, says it is a {role}")
        wire.answered = 0
        return wire

    async def _ask_all(self) -> list[Naming]:
        """Return the sentinels' answers, the newest first. Concurrent callers share one survey."""
        if self._survey is None or self._survey.done():
            self._survey = asyncio.create_task(self._ask_each(), name="titan_bus sentinel: survey")
        return await answer_of(self._survey, self.address)

    async def _ask_each(self) -> list[Naming]:
        asking = {
            asyncio.create_task(
                self._ask(sentinel), name=f"titan_bus sentinel: ask {sentinel.address}"
            ): sentinel
            for sentinel in self._lines
        }
        namings, self._troubles = [], []
        named: set[Endpoint] = set()
        try:
            with contextlib.suppress(TimeoutError):
                async with limited(ANSWER_S):
                    await asyncio.wait(asking)
        finally:
            for task in asking:
                task.cancel()
        await asyncio.wait(asking)
        for task, sentinel in asking.items():
            if task.cancelled():
                self._troubles.append(BusUnavailableError(sentinel.address, "no answer"))
            elif isinstance(error := task.exception(), BusUnavailableError | ServerRefusedError):
                self._troubles.append(error)
            elif error is not None:  # another kind of server: it must not stop the others
                odd = f"answers as no sentinel does ({error!r})"
                self._troubles.append(BusUnavailableError(sentinel.address, odd))
            else:
                naming, others = task.result()
                namings.append(naming)
                named |= {sentinel, *others}
        if namings:
            self._prune_lines(named)
        return sorted(namings, key=lambda naming: naming.epoch, reverse=True)

    def _prune_lines(self, named: set[Endpoint]) -> None:
        """Keep the sentinels of the URL, those that answer and those that they name; drop the others."""
        for gone in self._lines.keys() - self._seeds - named:
            self._lines.pop(gone).close()
        for other in named - self._lines.keys():
            self._lines[other] = Channel(other)

    async def _ask(self, sentinel: Endpoint) -> tuple[Naming, set[Endpoint]]:
        """Return the primary that a sentinel names, and the other sentinels it knows."""
        line = self._lines[sentinel]
        # The address first: during a failover it is already the promoted replica's, that of MASTER is not.
        address = await line.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)
        if address is None:
            raise BusUnavailableError(sentinel.address, f"does not know a primary {self._name!r}")
        state = _pairs(await line.call("SENTINEL", "MASTER", self._name))
        rows = map(_pairs, await line.call("SENTINEL", "SENTINELS", self._name))
        others = {sentinel.at(row["ip"], int(row["port"])) for row in rows}
        return Naming(int(state.get("config-epoch", "0")), address[0].decode(), int(address[1])), others

    async def _listen(self) -> None:
        """Subscribe to the switches of one sentinel, until it is lost or the next one follows."""
        sentinels = list(self._lines)
        sentinel = sentinels[self._listening_to % len(sentinels)]
        self._listening_to += 1
        wire = await sentinel.open()
        try:
            async with asyncio.timeout(LISTEN_S):
                await self._send(wire, "SUBSCRIBE", "+switch-master")
                while True:
                    # An empty command, which servers ignore; the message takes the place of its reply.
                    await self._send(wire)
                    await self._drop_demoted()
        except TimeoutError:
            pass
        except OSError as error:
            raise BusUnavailableError(sentinel.address, str(error)) from error
        finally:
            wire.close()

    async def _send(self, wire: Wire, *words: str) -> Any:
        command = Command(words, asyncio.get_running_loop().create_future())
        wire.send([command])
        return await command.future

    async def _poll(self) -> None:
        await asyncio.sleep(POLL_S)
        await self._drop_demoted()

    async def _drop_demoted(self) -> None:
        """Drop the wires to a server that is no longer the primary; their owners reconnect."""
        namings = await self._ask_all()
        if not namings:
            return
        newest = self._primary.at(namings[0].host, namings[0].port)
        deposed = [wire for wire, endpoint in self._wires.items() if endpoint != newest and not wire.lost]
        if not deposed:
            return
        (await self._open_primary(newest)).close()  # before anything is dropped for it
        logger.info("the primary of %s is %s now", self.address, newest.address)
        for wire in deposed:
            wire.close()


def _is_true(text: str | None) -> bool:
    if text is None or text.lower() in {"false", "0", "no"}:
        return False
    if text.lower() in {"true", "1", "yes"}:
        return True
    raise ValueError("sentinel_ssl is true or false")


def _pairs(flat: Sequence[bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=False)}
