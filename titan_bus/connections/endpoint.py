"""A server's address and credentials: parses a URL, opens wires.

`redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `unix://[user:password@]/path[?db=0]`.
TLS takes `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` and `ssl_cert_reqs=none` from the query, as redis-py does.
"""

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from titan_bus.connections.wire import Command, Wire, Word
from titan_bus.errors import BusUnavailableError, ServerRefusedError

CONNECT_TIMEOUT_S = 3.0
OPTIONS = frozenset({"db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"})
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
    tls: ssl.SSLContext | None = None
    username: str = ""
    password: str = ""
    database: int = 0

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
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
            return cls(f"unix://{path}", path, username=username, password=password, database=database)
        if parts.scheme not in {"redis", "rediss"}:
            raise ValueError(
                "a bus URL begins with redis://, rediss:// or unix://, or with redis+sentinel:// or "
                f"redis+cluster:// (rediss+ for TLS), not {parts.scheme!r}"
            )
        way_in = cls(
            "",
            tls=tls_of(query) if parts.scheme == "rediss" else None,
            username=username,
            password=password,
            database=database_of(query.get("db") or parts.path.strip("/")),
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
            BusUnavailableError: it does not answer within 3 s, or refuses the login.
        """
        wire = Wire()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect(wire)
                await self._greet(wire)
        except (OSError, ServerRefusedError, NotImplementedError, ValueError, OverflowError) as error:
            # Windows has no unix sockets; an invalid name or port is refused with various errors.
            wire.close()
            reason = str(error) or "no answer"
            if self.tls is not None and isinstance(
                error, ConnectionResetError
            ):  # asyncio drops the TLS alert
                reason += ": if the server asks for a certificate, give ssl_certfile and ssl_keyfile"
            raise BusUnavailableError(self.address, reason) from error
        except asyncio.CancelledError:
            wire.close()
            raise
        wire.answered = 0
        return wire

    async def _connect(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: wire, self.path)
        else:
            several = isinstance(loop, asyncio.BaseEventLoop) and not _is_address(
                self.host
            )  # uvloop has no delay
            delay: dict[str, Any] = {"happy_eyeballs_delay": NEXT_ADDRESS_S} if several else {}
            await loop.create_connection(lambda: wire, self.host, self.port, ssl=self.tls, **delay)

    async def _greet(self, wire: Wire) -> None:
        greeting: list[tuple[Word, ...]] = []
        if (
            self.username
        ):  # also without a password: else a user without one would be logged in as the default user
            greeting.append(("AUTH", self.username, self.password))
        elif self.password:
            greeting.append(("AUTH", self.password))
        if self.database:
            greeting.append(("SELECT", self.database))
        greeting += [("CLIENT", "SETNAME", "titan_bus"), ("PING",)]
        loop = asyncio.get_running_loop()
        for words in greeting:
            command = Command(words, loop.create_future())
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
    def parse(cls, url: str, default_port: int, options: frozenset[str] = OPTIONS) -> "MultiUrl":
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
            tls=tls_of(query) if scheme == "rediss" else None,
            username=unquoted(username),
            password=unquoted(password),
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


def tls_of(query: dict[str, str]) -> ssl.SSLContext:
    """Build the TLS context from the query.

    Raises:
        ValueError: a file cannot be read, or does not match the others.
    """
    certificate, key = query.get("ssl_certfile"), query.get("ssl_keyfile")
    if key and not certificate:
        raise ValueError("ssl_keyfile needs the certificate that it belongs to: give ssl_certfile, too")
    try:
        context = ssl.create_default_context(cafile=query.get("ssl_ca_certs"))
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        given = ", ".join(f"{name}={value}" for name, value in query.items() if name.startswith("ssl_"))
        raise ValueError(f"{given}: {error.strerror or error}") from error
    if query.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


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
    return parts


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
