"""TLS: a real handshake, in front of a real server."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.titan_bus.conftest import Recorder
from titan_bus import AccessRefusedError, Bus, BusConfig, BusUnavailableError
from titan_bus.testing import private_server

x509 = pytest.importorskip("cryptography.x509")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for `localhost` that signs itself, and its key."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(pem))
    key_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until there are no more."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
def servers_own() -> ssl.SSLContext:
    """What the server of `tls` shows; certificates loaded into it later are those of its next connections."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


@pytest.fixture
async def tls(tmp_path: Path, servers_own: ssl.SSLContext) -> AsyncIterator[tuple[int, Path]]:
    """A port of localhost that speaks TLS for a server behind it, and the certificate to trust."""
    certificate, key = make_certificate(tmp_path)
    async with terminator(certificate, key, ask_for_certificate=False, context=servers_own) as port:
        yield port, certificate


@contextlib.asynccontextmanager
async def terminator(
    certificate: Path, key: Path, *, ask_for_certificate: bool, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Speak TLS on a port for a server behind it; one that asks trusts this one certificate."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if ask_for_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    with private_server() as url:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            behind = await asyncio.open_unix_connection(url.removeprefix("unix://"))
            await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))

        async with await asyncio.start_server(serve, "localhost", 0, ssl=context) as server:
            yield server.sockets[0].getsockname()[1]


async def test_a_trusted_certificate_opens(tls: tuple[int, Path], topic: str) -> None:
    """With the authority named in the URL, publish and tail work through TLS."""
    port, certificate = tls
    async with Bus(BusConfig(url=f"rediss://localhost:{port}?ssl_ca_certs={certificate}")) as bus:
        tail = bus.tail([topic])
        await tail.start()
        event_id = await bus.publish(topic, "e", {"text": "я" * 10_000})
        assert (await anext(tail)).event_id == event_id


async def test_an_unknown_certificate_does_not(tls: tuple[int, Path]) -> None:
    """A certificate that nobody vouches for is refused, as BusUnavailableError with the reason."""
    with pytest.raises(BusUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await Bus(BusConfig(url=f"rediss://localhost:{tls[0]}")).open()


async def test_a_server_may_ask_who_comes(tmp_path: Path, topic: str) -> None:
    """With `ssl_certfile` and `ssl_keyfile` a server that wants a client's certificate lets the bus in."""
    certificate, key = make_certificate(tmp_path)
    async with terminator(certificate, key, ask_for_certificate=True) as port:
        trusted = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
        async with Bus(BusConfig(url=f"{trusted}&ssl_certfile={certificate}&ssl_keyfile={key}")) as bus:
            recorder = Recorder()
            await bus.subscribe(topic, "g", recorder)
            event_id = await bus.publish(topic, "e", {})
            await recorder.wait_for(1)
            assert recorder.ids == [event_id]
        with pytest.raises(BusUnavailableError, match="give ssl_certfile"):
            await Bus(BusConfig(url=trusted)).open()


async def test_a_renewed_certificate_counts(
    tls: tuple[int, Path], servers_own: ssl.SSLContext, topic: str
) -> None:
    """An authority that is written over while a bus runs is that of its next connect; keys are read with it."""
    port, certificate = tls
    url = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
    async with Bus(BusConfig(url=url)) as bus:
        recorder = Recorder()
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        servers_own.load_cert_chain(*make_certificate(certificate.parent))
        wire = bus._connection._wire
        assert wire is not None
        wire.close()
        await bus.publish(topic, "e", {})
        await recorder.wait_for(2)


async def test_a_server_that_refuses_our_certificate_says_so(tmp_path: Path) -> None:
    """In TLS 1.3 its alert follows the handshake: AccessRefusedError, not a connection that was lost."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)
    with socket.create_server(("localhost", 0)) as listening:

        def refuse() -> None:
            client, _ = listening.accept()
            with (
                client.dup() as kept
            ):  # closed with what it has not read, it would send a reset behind the alert
                with contextlib.suppress(ssl.SSLError), context.wrap_socket(client, server_side=True):
                    pass
                kept.shutdown(socket.SHUT_WR)
                while kept.recv(4_096):
                    pass

        refusing = asyncio.create_task(asyncio.to_thread(refuse))
        url = f"rediss://localhost:{listening.getsockname()[1]}?ssl_ca_certs={certificate}"
        with pytest.raises(AccessRefusedError, match=r"CERTIFICATE.*ssl_certfile") as raised:
            await Bus(BusConfig(url=url)).open()
        assert raised.value.code == "CERTIFICATE"
        await refusing


@pytest.mark.logs("does not let us in|localhost")
async def test_a_certificate_that_is_refused_later_is_told(
    tls: tuple[int, Path], topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An authority that does not vouch for the server any more: one warning, and publishing fails with it."""
    port, certificate = tls
    url = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
    async with Bus(BusConfig(url=url, patience_s=0.3)) as bus:
        await bus.publish(topic, "e", {})
        make_certificate(certificate.parent)
        wire = bus._connection._wire
        assert wire is not None
        wire.close()
        with pytest.raises(AccessRefusedError, match="ssl_ca_certs") as raised:
            await bus.publish(topic, "e", {})
    assert raised.value.code == "CERTIFICATE"
    assert [record.levelname for record in caplog.records if record.name == "titan_bus"].count("WARNING") == 1


def test_certificates_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    """A file that is missing, one that is no certificate, and a key without one: ValueError with the setting."""
    noise = tmp_path / "noise.pem"
    noise.write_text("no certificate")
    with pytest.raises(ValueError, match=r"ssl_ca_certs=/nowhere\.pem: No such file"):
        Bus(BusConfig(url="rediss://localhost?ssl_ca_certs=/nowhere.pem"))
    with pytest.raises(ValueError, match=r"ssl_certfile=.*noise"):
        Bus(BusConfig(url=f"rediss://localhost?ssl_certfile={noise}"))
    with pytest.raises(ValueError, match="give ssl_certfile"):
        Bus(BusConfig(url=f"rediss://localhost?ssl_keyfile={noise}"))


async def test_long_replies_arrive_whole(tls: tuple[int, Path], topic: str) -> None:
    """A reply of many records of TLS, longer than what is read at once, comes out as it went in."""
    port, certificate = tls
    url = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
    async with Bus(BusConfig(url=url)) as bus:
        texts = [f"{n:05}" * 4_000 for n in range(30)]
        await asyncio.gather(*[bus.publish(topic, "e", {"text": text}) for text in texts])
        events = [event async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert [event.payload_as(dict)["text"] for event in events] == texts
