"""TLS: a real handshake, in front of a real server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from titan_bus import Bus, BusConfig, BusUnavailableError
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
async def tls(tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """A port of localhost that speaks TLS for a server behind it, and the certificate to trust."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with private_server() as url:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            behind = await asyncio.open_unix_connection(url.removeprefix("unix://"))
            await asyncio.gather(pump(reader, behind[1]), pump(behind[0], writer))

        async with await asyncio.start_server(serve, "localhost", 0, ssl=context) as server:
            yield server.sockets[0].getsockname()[1], certificate


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
