"""Where the gRPC server listens: unix sockets for their owner, TLS beyond this machine; a taken port is told."""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests import servers
from titan_bus import Bus
from titan_bus.errors import ConfigValueError
from titan_bus.grpc import secret
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.listening import Listening
from titan_bus.grpc.server import GrpcServer

from .conftest import Stub, refused

Token = Callable[..., str]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "titan-bus test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def authorization(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_unix_socket_is_its_owners(bus: Bus, secret_file: Path, token: Token, topic: str) -> None:
    """Mode 0600; a token is needed there, too; the socket goes with the server, a stale one is no hindrance."""
    key = secret.shared(secret_file)
    with servers.short_folder() as folder:
        path = folder / "titan.sock"
        for _ in range(2):
            async with GrpcServer(bus, key, Listening.on(f"unix:{path}")) as grpc_server:
                assert path.stat().st_mode & 0o777 == 0o600
                async with grpc.aio.insecure_channel(grpc_server.address) as channel:
                    request = pb.PublishRequest(topic=topic, event_type="x")
                    assert (await Stub(channel, authorization(token())).Publish(request)).event_id
                    async with refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED"):
                        await Stub(channel, ()).Publish(request)
            assert not path.exists()


async def test_socket_of_another_server_is_not_taken(
    bus: Bus, secret_file: Path, token: Token, topic: str
) -> None:
    """While somebody answers there a second one is told so; the first goes on serving."""
    key = secret.shared(secret_file)
    with servers.short_folder() as folder:
        listening = Listening.on(f"unix:{folder}/titan.sock")
        async with GrpcServer(bus, key, listening) as grpc_server:
            second = GrpcServer(bus, key, listening)
            with pytest.raises(ConfigValueError, match="taken, another program listens"):
                await second.open()
            await second.close()
            async with grpc.aio.insecure_channel(grpc_server.address) as channel:
                request = pb.PublishRequest(topic=topic, event_type="x")
                assert (await Stub(channel, authorization(token())).Publish(request)).event_id


async def test_server_removes_no_socket_but_its_own(
    bus: Bus, secret_file: Path, token: Token, topic: str
) -> None:
    """Whose socket was removed leaves the next one's alone when it ends; what is no socket is never replaced."""
    key = secret.shared(secret_file)
    with servers.short_folder() as folder:
        path = folder / "titan.sock"
        first, second = (GrpcServer(bus, key, Listening.on(f"unix:{path}")) for _ in range(2))
        await first.open()
        path.unlink()
        await second.open()
        await first.close()
        async with grpc.aio.insecure_channel(second.address) as channel:
            request = pb.PublishRequest(topic=topic, event_type="x")
            assert (await Stub(channel, authorization(token())).Publish(request)).event_id
        await second.close()
        assert list(folder.iterdir()) == []
        path.write_text("somebody's notes")
        with pytest.raises(ConfigValueError, match="no socket"):
            await first.open()
        assert path.read_text() == "somebody's notes"


def test_socket_that_cannot_be_made() -> None:
    """A folder that is not there and a path that is too long are told before anything listens."""
    with servers.short_folder() as folder:
        with pytest.raises(ConfigValueError, match=f"no folder {folder}/none: make it"):
            Listening.on(f"unix:{folder}/none/x.sock")
        with pytest.raises(ConfigValueError, match="100 bytes at most"):
            Listening.on(f"unix:{folder}/{'я' * 50}")


async def test_longest_path_of_a_socket(bus: Bus, secret_file: Path) -> None:
    """A path of the length that is allowed can be listened on."""
    with servers.short_folder() as folder:
        path = folder / ("x" * (100 - len(f"{folder}/")))
        async with GrpcServer(bus, secret.shared(secret_file), Listening.on(f"unix:{path}")):
            assert path.is_socket()


async def test_tls(bus: Bus, secret_file: Path, token: Token, topic: str, tmp_path: Path) -> None:
    """With a certificate every address is allowed; who speaks no TLS there gets no answer."""
    certificate, private_key = make_certificate(tmp_path)
    listening = Listening.on("0.0.0.0:0", certificate, private_key)
    request = pb.PublishRequest(topic=topic, event_type="x")
    async with GrpcServer(bus, secret.shared(secret_file), listening) as grpc_server:
        address = f"127.0.0.1:{grpc_server.address.rpartition(':')[2]}"
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        async with grpc.aio.secure_channel(address, credentials) as channel:
            assert (await Stub(channel, authorization(token())).Publish(request)).event_id
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await Stub(channel, authorization(token())).Publish(request)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_certificate_and_key_that_do_not_fit(tmp_path: Path) -> None:
    """What is no certificate, another's key, or a key with a password is told before anything listens."""
    certificate, private_key = make_certificate(tmp_path)
    (tmp_path / "other").mkdir()
    _, another_key = make_certificate(tmp_path / "other")
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing of the kind")
    for pair in (
        (nothing, private_key),
        (certificate, nothing),
        (certificate, another_key),
        (certificate, locked),
    ):
        with pytest.raises(ConfigValueError, match="certificate and its key"):
            Listening.on("127.0.0.1:0", *pair)


async def test_port_that_is_taken(grpc_server: GrpcServer, bus: Bus, secret_file: Path) -> None:
    """Two gRPC servers never share a port in silence."""
    second = GrpcServer(bus, secret.shared(secret_file), Listening.on(grpc_server.address))
    with pytest.raises(ConfigValueError, match="taken"):
        await second.open()
    await second.close()


async def test_message_that_is_too_long_is_refused_by_size(
    grpc_server: GrpcServer, token: Token, topic: str
) -> None:
    """5 MB in one message never reach the bus."""
    async with grpc.aio.insecure_channel(grpc_server.address) as channel:
        request = pb.PublishRequest(topic=topic, event_type="x", payload_json="x" * 5_000_000)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await Stub(channel, authorization(token())).Publish(request)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
