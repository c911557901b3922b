"""URLs, logging in, and servers that are none."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from tests import servers
from tests.titan_bus.conftest import Recorder
from titan_bus import Bus, BusConfig, BusUnavailableError, NameMalformedError
from titan_bus.connections.endpoint import Endpoint
from titan_bus.testing import private_bus, private_server


def test_urls_are_read() -> None:
    """Host, port, path, user, password and database come from where redis-py has them too."""
    plain = Endpoint.parse("redis://localhost")
    assert (plain.host, plain.port, plain.database, plain.tls) == ("localhost", 6379, 0, None)
    full = Endpoint.parse("redis://user:p%40ss@db.example:7000/3")
    assert (full.host, full.port, full.database) == ("db.example", 7000, 3)
    assert (full.username, full.password) == ("user", "p@ss")
    unix = Endpoint.parse("unix://:secret@/run/titan%20one/v.sock?db=2")
    assert (unix.path, unix.password, unix.database) == ("/run/titan one/v.sock", "secret", 2)
    ipv6 = Endpoint.parse("redis://[::1]:7000")
    assert (ipv6.address, ipv6.host, ipv6.port) == ("redis://[::1]:7000", "::1", 7000)
    assert Endpoint.parse("redis://[fe80::1%25eth0]").host == "fe80::1%eth0"
    assert Endpoint.parse("redis://:a+b@host/1?db=2").password == "a+b"
    assert Endpoint.parse("redis://host/1?db=2").database == 2


def test_an_address_has_no_password() -> None:
    """What errors and logs show never contains the password."""
    assert Endpoint.parse("redis://user:secret@host:1/0").address == "redis://host:1"
    assert Endpoint.parse("unix://user:secret@/v.sock").address == "unix:///v.sock"


def test_tls_verifies_unless_told_not_to() -> None:
    """`rediss://` checks certificate and name; only `ssl_cert_reqs=none` turns that off."""
    strict, loose = (
        Endpoint.parse("rediss://host").tls,
        Endpoint.parse("rediss://host?ssl_cert_reqs=none").tls,
    )
    assert strict is not None
    assert strict.context().check_hostname
    assert loose is not None
    assert not loose.context().check_hostname


def test_valkey_is_another_word_for_redis() -> None:
    """`valkey://` and `valkeys://` are `redis://` and `rediss://`, also of several hosts."""
    assert Endpoint.parse("valkey://:p@db/3") == Endpoint.parse("redis://:p@db/3")
    assert Endpoint.parse("valkeys://db") == Endpoint.parse("rediss://db")
    Bus(BusConfig(url="valkey+sentinel://one,two/main"))
    Bus(BusConfig(url="valkeys+cluster://one,two/"))


def test_another_scheme_is_refused() -> None:
    """A URL of something else raises ValueError at once."""
    with pytest.raises(ValueError, match="amqp"):
        Bus(BusConfig(url="amqp://host"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://:sec#ret@host", "%23"),
        ("redis://user:12#sec@host", "%23"),
        ("redis://:sec/ret@host:1", "%2F"),
        ("redis://user:12/sec@host", "%2F"),
        ("redis://:sec?ret@host:1", "%3F"),
        ("redis+sentinel://:sec/ret@host/main", "%2F"),
        ("redis://:sec\u2100ret@host", "%40"),
        ("redis://[::1", r"\[::1\]"),
        ("redis+cluster://[::1,host/", r"\[::1\]"),
        ("redis://host:99999", "1 to 65535"),
        ("redis://host:0", "1 to 65535"),
        ("redis://host:port", "1 to 65535"),
        ("redis://host/name", "database's number"),
        ("redis+sentinel://host/main/sec", "database's number"),
        ("redis://:s[sec]t@host", "%5B"),
        ("redis://:%ffsec@host", "UTF-8"),
        ("redis+sentinel://host/main?sentinel_password=%ffsec", "UTF-8"),
        ("redis://host?username=bob", "user and password stand before the host"),
        ("redis://host?ssl_ca_cert=ca.pem", "ssl_ca_certs"),
        ("redis://:x?sec=sec@host", "%3F"),
        ("redis+cluster://host/?sentinel_ssl=true", "unknown option 'sentinel_ssl'"),
        ("redis+cluster://host/0?db=1", "database 0 alone"),
        ("unix://", "whole path"),
        ("unix://run/v.sock", "whole path"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused(url: str, sentence: str) -> None:
    """ValueError at once, with how it is written; never with a part of the password."""
    with pytest.raises(ValueError, match=sentence) as raised:
        Bus(BusConfig(url=url))
    assert "sec" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example", "a%00b"])
async def test_a_host_that_can_be_none_is_unavailable(host: str) -> None:
    """A name that no name service takes is BusUnavailableError, as one that it does not know."""
    with pytest.raises(BusUnavailableError):
        await Bus(BusConfig(url=f"redis://{host}")).open()


async def test_a_password_is_given(topic: str) -> None:
    """A server that asks for a password lets the right one in, and the wrong one gets BusUnavailableError."""
    with private_server("--requirepass", "secret") as url:
        async with Bus(BusConfig(url=url.replace("unix://", "unix://:secret@") + "?db=3")) as bus:
            await bus.publish(topic, "e", {})
        with pytest.raises(BusUnavailableError, match="WRONGPASS") as raised:
            await Bus(BusConfig(url=url.replace("unix://", "unix://:wrong@"))).open()
        assert "wrong@" not in str(raised.value)
        with pytest.raises(BusUnavailableError, match="NOAUTH"):
            await Bus(BusConfig(url=url)).open()


async def test_a_user_without_a_password_is_that_user() -> None:
    """It does not get the rights of `default`, and one that the server does not know is refused."""
    with private_server() as url:
        async with Bus(BusConfig(url=url)) as bus:
            await bus._connection.call("ACL", "SETUSER", "bob", "on", "nopass", "+@all")
        for login in ("bob@", "bob:@"):
            async with Bus(BusConfig(url=url.replace("unix://", f"unix://{login}"))) as bus:
                assert await bus._connection.call("ACL", "WHOAMI") == b"bob"
        with pytest.raises(BusUnavailableError, match="WRONGPASS"):
            await Bus(BusConfig(url=url.replace("unix://", "unix://eve@"))).open()


async def test_an_address_that_swallows_everything_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the first address of a host does not answer, the next one is tried while there is time."""
    full = socket.socket()
    full.bind(("127.0.0.2", 0))
    full.listen(0)
    port = full.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:  # its queue is full: what else comes gets no answer
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(("127.0.0.2", port))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(b"+OK\r\n")
        writer.close()

    async def two(*_: object, **__: object) -> list[tuple[object, ...]]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", port))]

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
        wire = await Endpoint.parse(f"redis://two.example:{port}").open()
        wire.close()
    for one in (full, *waiting):
        one.close()


async def test_a_missing_server_is_unavailable() -> None:
    """`async with` raises at once where nobody listens, and the same bus may try again later."""
    with servers.short_folder() as folder:
        bus = Bus(BusConfig(url=f"unix://{folder}/v.sock"))
        with pytest.raises(BusUnavailableError) as raised:
            await bus.open()
        assert raised.value.address == f"unix://{folder}/v.sock"
        with servers.valkey(folder):
            async with bus:
                assert bus.connected
        assert not bus.connected


async def test_something_else_is_unavailable(tmp_path: Path) -> None:
    """A port that speaks another protocol is no server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    other = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        with pytest.raises(BusUnavailableError):
            await Bus(BusConfig(url=f"redis://127.0.0.1:{port}")).open()


async def test_a_private_bus_works(topic: str) -> None:
    """`titan_bus.testing` gives a bus on a server of its own, with the rest of the configuration kept."""
    async with private_bus(BusConfig(url="redis://nowhere", source="shop@v1")) as bus:
        await bus.publish(topic, "e", {})
        [event] = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
        assert event.meta.source == "shop@v1"


async def test_a_name_that_has_no_bytes_is_refused(bus: Bus) -> None:
    """A topic with a lone surrogate, as a file name may bring: subscribe and tail name it."""
    with pytest.raises(NameMalformedError, match="lone surrogate") as raised:
        await bus.subscribe("a\udcff.v1", "g", Recorder())
    assert "\udcff" in raised.value.name
    with pytest.raises(NameMalformedError):
        bus.tail(["a\udcff.v1"])
