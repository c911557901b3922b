"""Where the server is and how to get in: a URL read once, wires opened from it.

`redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `unix://[user:password@]/path[?db=0]`.
TLS takes `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` and `ssl_cert_reqs=none` from the query, as redis-py does.
"""

import asyncio
import ssl
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from titan_bus.connections.wire import Command, Wire, Word
from titan_bus.errors import BusUnavailableError, ServerRefusedError

CONNECT_TIMEOUT_S = 3.0
DEFAULT_PORT = 6379


class Dialer(Protocol):
    """Whoever opens wires: an `Endpoint`, or one that has to find out first where (`sentinel`, `cluster`)."""

    @property
    def address(self) -> str:
        """What may be shown of it."""
        ...

    async def open(self) -> Wire:
        """Connect, log in, and see that the server serves.

        Raises:
            BusUnavailableError: it does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server. `address` is what may be shown: the URL without its password."""

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
        """Read a URL.

        Raises:
            ValueError: the scheme is none of ours, or a number is no number.
        """
        parts = _split(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme == "unix":
            path = unquote(parts.path)
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
            tls=_tls(query) if parts.scheme == "rediss" else None,
            username=username,
            password=password,
            database=database_of(query.get("db") or parts.path.strip("/")),
        )
        return way_in.at(parts.hostname or "localhost", _port(parts, DEFAULT_PORT))

    def at(self, host: str, port: int) -> "Endpoint":
        """Return the same way in at another place."""
        scheme = "redis" if self.tls is None else "rediss"
        shown = f"[{host}]" if ":" in host else host
        return replace(self, address=f"{scheme}://{shown}:{port}", host=host, port=port)

    async def open(self) -> Wire:
        """Connect, log in, and see that the server serves (it does not while it loads its data).

        Raises:
            BusUnavailableError: it does not answer within 3 s, or does not let us in.
        """
        wire = Wire()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect(wire)
                await self._greet(wire)
        except (OSError, ServerRefusedError, NotImplementedError, ValueError, OverflowError) as error:
            # Windows has no unix sockets; a name or port that can be none is refused in several ways.
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
            await loop.create_connection(lambda: wire, self.host, self.port, ssl=self.tls)

    async def _greet(self, wire: Wire) -> None:
        greeting: list[tuple[Word, ...]] = []
        if self.password:
            login = (self.username, self.password) if self.username else (self.password,)
            greeting.append(("AUTH", *login))
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
    """A URL that names several hosts: `rediss+sentinel://user:password@host1:1,host2:2/path?query`.

    `endpoint` is the first of them, with user, password and TLS; `address` is the URL without its password.
    """

    address: str
    endpoint: Endpoint
    hosts: tuple[tuple[str, int], ...]
    path: str
    query: dict[str, str]

    @classmethod
    def parse(cls, url: str, default_port: int) -> "MultiUrl":
        """Read a URL.

        Raises:
            ValueError: it names no host, its scheme is none of ours, or a port is no number.
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
        hosts = tuple((place.hostname or "localhost", _port(place, default_port)) for place in split)
        if not hosts:
            raise ValueError(
                f"{parts.scheme}:// names no host: write {parts.scheme}://host1:port1,host2:port2/"
            )
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        way_in = Endpoint(
            "",
            tls=_tls(query) if scheme == "rediss" else None,
            username=unquote(username),
            password=unquote(password),
        )
        return cls(f"{parts.scheme}://{netloc}", way_in.at(*hosts[0]), hosts, parts.path, query)


def database_of(text: str | None) -> int:
    """Read the number of a database, 0 where there is none.

    Raises:
        ValueError: it is no number. What stands there may be a part of a password, so it is not shown.
    """
    if text and not text.isdecimal():
        raise ValueError(f"what follows the host in a bus URL is a database's number; {_ESCAPES}")
    return int(text or "0")


_ESCAPES = "in a user name or password #, /, ? and @ are written %23, %2F, %3F and %40"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:  # its text may have the password in it
        raise ValueError(f"this is no URL: an IPv6 address is written [::1], and {_ESCAPES}") from None
    if parts.fragment:
        raise ValueError(f"a bus URL has no part after a #; {_ESCAPES}")
    return parts


def _port(parts: SplitResult, default: int) -> int:
    try:
        port = default if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError(f"a port is a number from 1 to 65535; {_ESCAPES}") from None
    return port


def _tls(query: dict[str, str]) -> ssl.SSLContext:
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
