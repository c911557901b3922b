"""A server's address and credentials: parses a URL, opens wires.

`redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `unix://[user:password@]/path[?db=0]`.
TLS takes `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` and `ssl_cert_reqs=none` from the query, as redis-py does.
`valkey` and `valkeys` are other words for `redis` and `rediss`.
"""

import asyncio
import ipaddress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from titan_bus.connections import tls
from titan_bus.connections.access import Access, Credentials
from titan_bus.connections.keys import Word
from titan_bus.connections.tls import Tls
from titan_bus.connections.wire import Command, Wire
from titan_bus.errors import ACCESS_CODES, AccessRefusedError, BusUnavailableError, ServerRefusedError
from titan_bus.running_time import limited

CONNECT_TIMEOUT_S = 3.0
OPTIONS = frozenset({"db", *tls.OPTIONS})
"""The permitted options of the query."""
NEXT_ADDRESS_S = 0.25
"""How long one of a host's addresses is tried before the next one is tried beside it (RFC 8305, Happy
Eyeballs)."""
DEFAULT_PORT = 6379


class Dialer(Protocol):
    """Opens wires: an `Endpoint`, or one that first looks for the server (`sentinel`, `cluster`)."""

    @property
    def address(self) -> str:
        """The address without its password."""
        ...

    async def open(self) -> Wire:
        """Connect, log in, and check that the server serves.

        Raises:
            BusUnavailableError: it does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server. `address` is the URL without its password."""

    address: str
    path: str = ""
    host: str = ""
    port: int = DEFAULT_PORT
    tls: Tls | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    access: Access = field(default_factory=Access, compare=False)

    @classmethod
    def parse(cls, url: str, credentials: Credentials | None = None) -> "Endpoint":
        """Parse a URL.

        Raises:
            ValueError: the scheme or an option is unknown, or a number is malformed.
        """
        parts = _split(url)
        query = _query(parts, OPTIONS)
        username, password = unquoted(parts.username or ""), unquoted(parts.password or "")
        if parts.scheme == "unix":
            path = unquoted(parts.path)
            if parts.hostname or not path.strip("/"):
                raise ValueError("unix:// is followed by a whole path: unix:///run/redis/redis.sock")
            database = database_of(query.get("db"))
            return cls(
                f"unix://{path}", path, username=username, password=password, database=database,
                access=Access(credentials),
            )  # fmt: skip
        if parts.scheme not in {"redis", "rediss"}:
            raise ValueError(
                "a bus URL begins with redis://, rediss:// or unix://, or with redis+sentinel:// or "
                f"redis+cluster:// (rediss+ for TLS), not {parts.scheme!r}"
            )
        way_in = cls(
            "",
            tls=Tls.parse(query) if parts.scheme == "rediss" else None,
            username=username,
            password=password,
            database=database_of(query.get("db") or parts.path.strip("/")),
            access=Access(credentials),
        )
        return way_in.at(_host(parts), _port(parts, DEFAULT_PORT))

    def at(self, host: str, port: int) -> "Endpoint":
        """Return an endpoint with the same credentials at another host and port."""
        scheme = "redis" if self.tls is None else "rediss"
        shown = f"[{host}]" if ":" in host else host
        return replace(self, address=f"{scheme}://{shown}:{port}", host=host, port=port)

    async def open(self) -> Wire:
        """Connect, log in, and check that the server serves (it does not while it loads its data).

        Raises:
            AccessRefusedError: it does not let us in, as it is or with a certificate of another.
            BusUnavailableError: it does not answer within 3 s.
        """
        wire = Wire()
        try:
            login = await self.access.login(self.address, self.username, self.password)
            async with limited(CONNECT_TIMEOUT_S):
                await self._connect(wire)
                await self._greet(wire, *login)
        except AccessRefusedError as error:
            self.access.refused(error)
            raise
        except (OSError, ServerRefusedError, NotImplementedError, ValueError, OverflowError) as error:
            # Windows has no unix sockets; an invalid name or port is refused with various errors.
            wire.close()
            trouble = self._trouble(error)
            if isinstance(trouble, AccessRefusedError):
                self.access.refused(trouble)
            raise trouble from error
        except asyncio.CancelledError:
            wire.close()
            raise
        wire.answered = 0
        self.access.admitted(self.address)
        return wire

    def _trouble(self, error: Exception) -> BusUnavailableError:
        """Return what an error of connecting means: the server is away, or it refuses us."""
        if isinstance(error, ServerRefusedError) and error.code in ACCESS_CODES:
            return AccessRefusedError(self.address, error.code, str(error))
        if tls.is_refusal(error):
            return AccessRefusedError(self.address, "CERTIFICATE", str(error))
        reason = str(error) or "no answer"
        if isinstance(error, ConnectionRefusedError | FileNotFoundError):
            reason = "no server listens there"
        if self.tls is not None and isinstance(
            error, ConnectionResetError
        ):  # the TLS alert may be lost with it
            reason += ": if the server asks for a certificate, give ssl_certfile and ssl_keyfile"
        return BusUnavailableError(self.address, reason)

    async def _connect(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: wire, self.path)
            return
        several = isinstance(loop, asyncio.BaseEventLoop) and not _is_address(
            self.host
        )  # uvloop has no delay
        delay: dict[str, Any] = {"happy_eyeballs_delay": NEXT_ADDRESS_S} if several else {}
        context = None
        if self.tls is not None:
            try:
                context = await asyncio.to_thread(self.tls.context)
            except OSError as error:
                reason = f"{self.tls}: {error.strerror or error}"
                raise AccessRefusedError(self.address, "CERTIFICATE", reason) from error
        await loop.create_connection(lambda: wire, self.host, self.port, ssl=context, **delay)

    async def _greet(self, wire: Wire, username: str, password: str) -> None:
        if (
            username
        ):  # also without a password: else a user without one would be logged in as the default user
            await _ask(wire, "AUTH", username, password)
        elif password:
            await _ask(wire, "AUTH", password)
        if self.database:
            await _ask(wire, "SELECT", self.database)
        for words in (("CLIENT", "SETNAME", "titan_bus"), ("PING",)):
            try:
                await _ask(wire, *words)
            except ServerRefusedError as error:
                # Not ours to use, or renamed away. The name is for whoever looks at CLIENT LIST; PING finds a
                # server that loads its data, which any other command does, too, only later.
                if error.code not in {"NOPERM", "ERR"}:
                    raise


async def _ask(wire: Wire, *words: Word) -> None:
    command = Command(words, asyncio.get_running_loop().create_future())
    wire.send([command])
    await command.future


@dataclass(frozen=True, slots=True)
class MultiUrl:
    """A URL with several hosts: `rediss+sentinel://user:password@host1:1,host2:2/path?query`.

    `endpoint` is the first of them, with user, password and TLS; `address` is the URL without its password.
    """

    address: str
    endpoint: Endpoint
    hosts: tuple[tuple[str, int], ...]
    path: str
    query: dict[str, str]

    @classmethod
    def parse(
        cls,
        url: str,
        default_port: int,
        options: frozenset[str] = OPTIONS,
        credentials: Credentials | None = None,
    ) -> "MultiUrl":
        """Parse a URL.

        Raises:
            ValueError: it has no host, the scheme or an option is unknown, or a port is malformed.
        """
        parts = _split(url)
        scheme, _, kind = parts.scheme.partition("+")
        if scheme not in {"redis", "rediss"}:
            raise ValueError(
                f"a bus URL begins with redis+{kind}:// or rediss+{kind}://, not {parts.scheme!r}"
            )
        login, _, netloc = parts.netloc.rpartition("@")
        username, _, password = login.partition(":")
        split = [_split(f"//{place}") for place in netloc.split(",") if place]
        hosts = tuple((_host(place), _port(place, default_port)) for place in split)
        if not hosts:
            raise ValueError(
                f"{parts.scheme}:// names no host: write {parts.scheme}://host1:port1,host2:port2/"
            )
        query = _query(parts, options)
        way_in = Endpoint(
            "",
            tls=Tls.parse(query) if scheme == "rediss" else None,
            username=unquoted(username),
            password=unquoted(password),
            access=Access(credentials),
        )
        return cls(f"{parts.scheme}://{netloc}", way_in.at(*hosts[0]), hosts, parts.path, query)


def database_of(text: str | None) -> int:
    """Parse the number of a database, 0 for None.

    Raises:
        ValueError: it is no number. It is not shown, because it may be part of a password.
    """
    if text and not text.isdecimal():
        raise ValueError(f"what follows the host in a bus URL is a database's number; {_ESCAPES}")
    return int(text or "0")


def unquoted(text: str) -> str:
    """Decode percent-encoding.

    Raises:
        ValueError: it is no text. It is not shown, because it may be part of a password.
    """
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(_NO_TEXT) from None


_ESCAPES = "in a user name or password #, /, ?, @, [ and ] are written %23, %2F, %3F, %40, %5B and %5D"
_NO_TEXT = "what stands with % in a bus URL has to be UTF-8: ü is written %C3%BC"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:  # its text may contain the password
        raise ValueError(f"this is no URL: an IPv6 address is written [::1], and {_ESCAPES}") from None
    if parts.fragment:
        raise ValueError(f"a bus URL has no part after a #; {_ESCAPES}")
    return parts._replace(scheme=scheme_of(parts.scheme))


def scheme_of(scheme: str) -> str:
    """Return a URL's scheme as Redis has it: `valkey` is `redis`, `valkeys` is `rediss`."""
    name, plus, kind = scheme.partition("+")
    return {"valkey": "redis", "valkeys": "rediss"}.get(name, name) + plus + kind


def _query(parts: SplitResult, known: frozenset[str]) -> dict[str, str]:
    try:
        found = parse_qs(
            parts.query.replace("+", "%2B"), keep_blank_values=True, errors="strict"
        )  # a + is a +: this is no form
    except UnicodeDecodeError:
        raise ValueError(_NO_TEXT) from None
    unknown = [name for name in found if name not in known]
    if unknown:
        shown = "" if "@" in parts.query else f" {unknown[0]!r}"  # with an @ it may be part of a password
        raise ValueError(
            f"unknown option{shown} after the ? of a bus URL, there are {', '.join(sorted(known))}; "
            f"user and password stand before the host: redis://user:password@host; {_ESCAPES}"
        )
    return {name: values[-1] for name, values in found.items() if values[-1]}


def _host(parts: SplitResult) -> str:
    host = parts.hostname or "localhost"
    return host.replace("%25", "%") if ":" in host else host  # an IPv6 zone, RFC 6874


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult, default: int) -> int:
    try:
        port = default if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError(f"a port is a number from 1 to 65535; {_ESCAPES}") from None
    return port
