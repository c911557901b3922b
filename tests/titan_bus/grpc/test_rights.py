"""Who is let in: every call needs a token of this server's key that counts now, and the right to what it asks."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from titan_bus import Bus
from titan_bus.errors import ConfigValueError, RightMissingError, TokenRefusedError
from titan_bus.grpc import secret, tokens
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.listening import Listening
from titan_bus.grpc.server import GrpcServer

from .conftest import READ_S, Client, Connect, Stub, refused

METHODS = tuple(pb.DESCRIPTOR.services_by_name["Bus"].methods)
SECRET = b"s" * 32
KEY = secret.Key(SECRET, "HS256")
Token = Callable[..., str]


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good token, changed; None leaves one out."""
    good = {
        "sub": "node",
        "aud": "titan-bus",
        "exp": time.time() + 60,
        "publish": ["*"],
        "subscribe": ["*:*"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(**changes: Any) -> str:
    return jwt.encode(claims(**changes), SECRET, "HS256")


def unsigned() -> str:
    return jwt.encode(claims(), "", "none")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize(
    "metadata", [(), (("authorization", "Basic dXNlcjpwYXNz"),), (("authorization", "Bearer x"),)]
)
async def test_no_method_works_without_a_token(
    grpc_server: GrpcServer, method: Any, metadata: tuple[tuple[str, str], ...]
) -> None:
    """Every method that the protocol has answers UNAUTHENTICATED, whatever it was asked."""
    async with grpc.aio.insecure_channel(grpc_server.address) as channel:
        stub = Stub(channel, metadata)
        async with refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED", "titan-bus token"):
            call = getattr(stub, method.name)
            request = getattr(pb, method.input_type.name)()
            if method.client_streaming:
                await call(iter([request])).read()
            elif method.server_streaming:
                await call(request).read()
            else:
                await call(request)


async def silent() -> AsyncIterator[bytes]:
    """A body that never comes."""
    await asyncio.Event().wait()
    yield b""


def call_of(channel: grpc.aio.Channel, method: Any, body: AsyncIterator[bytes], token: str = "") -> Any:
    """Begin a call with a body of bytes, which may take its time: on the wire each call is a stream."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    call = channel.stream_stream if method.server_streaming else channel.stream_unary
    return call(f"/titan.bus.v1.Bus/{method.name}")(body, metadata=metadata, timeout=READ_S)


async def end_of(call: Any) -> None:
    """Wait for the end of a call that is refused."""
    await (call.read() if hasattr(call, "read") else call)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_no_method_waits_for_what_comes_without_a_token(grpc_server: GrpcServer, method: Any) -> None:
    """Headers alone are answered: a call without a token takes up no place among those that are open."""
    async with (
        grpc.aio.insecure_channel(grpc_server.address) as channel,
        refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED"),
    ):
        await end_of(call_of(channel, method, silent()))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_message_that_does_not_come_is_not_waited_for(
    grpc_server: GrpcServer, token: Token, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a token, too, each call has to say soon what it wants."""
    monkeypatch.setattr("titan_bus.grpc.calls.FIRST_MESSAGE_S", 0.05)
    async with (
        grpc.aio.insecure_channel(grpc_server.address) as channel,
        refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "within 0.05 s"),
    ):
        await end_of(call_of(channel, method, silent(), token()))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_bytes_that_are_no_message_are_refused(
    grpc_server: GrpcServer, token: Token, method: Any
) -> None:
    """What the proto does not describe is the caller's fault and is named; it is no fault of the gRPC server."""

    async def body() -> AsyncIterator[bytes]:
        yield b"\xff\xff\xff"

    async with grpc.aio.insecure_channel(grpc_server.address) as channel:
        words = f"is no {method.input_type.name}"
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", words):
            await end_of(call_of(channel, method, body(), token()))


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (lambda: jwt.encode(claims(), b"other" * 8, "HS256"), "signature"),
        (lambda: signed(exp=time.time() - 60), "expired"),
        (lambda: signed(exp=None), "has to have exp"),
        (lambda: signed(aud="another-service"), "audience"),
        (lambda: signed(aud=None), "has to have"),
        (lambda: signed(sub=None), "has to have"),
        (lambda: signed(sub=7), "malformed"),
        (lambda: signed(sub=""), "name of the program"),
        (lambda: signed(sub=" "), "name of the program"),
        (lambda: signed(exp=time.time() + 25 * 3600), "longer than the 24 hours"),
        (lambda: signed(nbf=time.time() + 60), "counts from later"),
        (lambda: jwt.encode(claims(), SECRET * 2, "HS512"), "another algorithm"),
        (unsigned, "another algorithm"),
        (
            lambda: unsigned().replace(unsigned().split(".")[0], b64({"alg": "None", "typ": "JWT"})),
            "algorithm",
        ),
        (lambda: signed(exp="tomorrow"), "no well-formed JWT"),
        (lambda: signed(exp=10**400), "malformed"),
        (lambda: signed(publish="*"), "list of patterns"),
        (lambda: signed(subscribe=[1]), "list of patterns"),
        (lambda: "a.b.c", "no well-formed JWT"),
        (lambda: "", "no well-formed JWT"),
        (lambda: signed(padding="x" * 9_000), "longer than"),
        (lambda: f"{signed()[:-4]}AAAA", "signature"),
    ],
)
def test_token_that_does_not_count(token: Callable[[], str], why: str) -> None:
    """Each kind is refused, and the sentence names the check and the cure, never the token's own text."""
    with pytest.raises(TokenRefusedError) as caught:
        tokens.check(KEY, token())
    assert why in caught.value.reason


def b64(value: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_clocks_may_differ_a_little() -> None:
    """A token that expired a moment ago still counts: ten seconds are between two clocks, no more."""
    assert tokens.check(KEY, signed(exp=time.time() - 5)).remaining_s() > 0


def pem(private: Any) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [
        (rsa.generate_private_key(public_exponent=65_537, key_size=2_048), "RS256"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
    ids=["RS256", "EdDSA"],
)
def test_public_key_checks_what_was_signed_elsewhere(tmp_path: Path, private: Any, algorithm: str) -> None:
    """Its own algorithm counts; the public key taken as an HMAC secret, `none` and a stranger's key do not."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(private))
    key = secret.public(path)
    assert key.algorithm == algorithm
    assert tokens.check(key, jwt.encode(claims(), private, algorithm)).subject == "node"
    header, body = b64({"alg": "HS256", "typ": "JWT"}), signed().split(".")[1]
    confused = (
        jwt.api_jws.PyJWS().get_algorithm_by_name("HS256").sign(f"{header}.{body}".encode(), pem(private))
    )
    forged = f"{header}.{body}.{base64.urlsafe_b64encode(confused).rstrip(b'=').decode()}"
    for wrong in (forged, unsigned(), signed()):
        with pytest.raises(TokenRefusedError, match="another algorithm"):
            tokens.check(key, wrong)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A private key, a secret, an elliptic curve or nothing at all in place of a public key: a sentence."""
    from cryptography.hazmat.primitives.asymmetric import ec

    path = tmp_path / "key.pem"
    with pytest.raises(ConfigValueError, match="cannot be read"):
        secret.public(path)
    path.write_bytes(SECRET)
    with pytest.raises(ConfigValueError, match="no public key in PEM"):
        secret.public(path)
    path.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(ConfigValueError, match="RSA or Ed25519"):
        secret.public(path)


async def test_right_to_publish(connect: Connect, token: Token, topic: str) -> None:
    """Topics that a pattern fits and no others; requests as well. What is missing is named."""
    stub = await connect(token("billing", publish=[f"{topic}", "orders.*"], subscribe=[]))
    await stub.Publish(pb.PublishRequest(topic=topic, event_type="x"))
    for other in ("chat.v1", f"{topic}x", "order.v1", "Orders.v1"):
        async with refused(
            grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING", "billing may not publish to", other
        ):
            await stub.Publish(pb.PublishRequest(topic=other, event_type="x"))
        async with refused(grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING"):
            await stub.Request(pb.PublishRequest(topic=other, event_type="x"))


async def test_right_to_subscribe(bus: Bus, connect: Connect, token: Token, topic: str) -> None:
    """Topic and group both have to fit: for streams and for acknowledgements from elsewhere."""
    stub = await connect(token(publish=[], subscribe=[f"{topic}:billing"]))
    await bus.publish(topic, "x", {})
    client = await Client(stub, topic, "billing").open()
    (event,) = await client.read()
    for other, group in ((topic, "shipping"), ("chat.v1", "billing")):
        async with refused(
            grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING", f"subscribe to {other}:{group}"
        ):
            await (await Client(stub, other, group).open()).call.read()
        async with refused(grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING"):
            await stub.Ack(pb.AckRequest(topic=other, group=group, event_id=event.event_id))
    async with refused(grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING", "replay chat.v1"):
        await stub.Replay(pb.ReplayRequest(topic="chat.v1", from_timestamp="2020-01-01")).read()
    replayed = stub.Replay(pb.ReplayRequest(topic=topic, from_timestamp="2020-01-01"))
    assert [one.event_id async for one in replayed] == [event.event_id]


def test_only_the_asterisk_is_a_wildcard() -> None:
    """A question mark, brackets and a line break in a pattern or a name stand for themselves."""
    caller = tokens.check(KEY, signed(publish=["a?v1", "b[1].v1", "c.*"], subscribe=["d?:g[ab]", "*:h"]))
    for topic in ("a?v1", "b[1].v1", "c.", "c.x\ny"):
        caller.may_publish(topic)
    for topic in ("a.v1", "b1.v1", "c", "xc.v1"):
        with pytest.raises(RightMissingError):
            caller.may_publish(topic)
    caller.may_subscribe("d?", "g[ab]")
    for topic, group in (("d1", "g[ab]"), ("d?", "ga"), ("x", "hh")):
        with pytest.raises(RightMissingError):
            caller.may_subscribe(topic, group)


@pytest.mark.parametrize("hours", [0, -1, 24.1, 1e300, 1e308, float("inf"), float("nan")])
def test_token_has_an_end(hours: float) -> None:
    """A day at most, and the sentence says so; what is no number is no length of time."""
    with pytest.raises(ConfigValueError, match="more than 0 and at most 24"):
        tokens.make(SECRET, "node", hours, ["*"], [])


def test_a_server_may_take_longer_tokens() -> None:
    """Where both are given the number; the one for a day refuses them all the same."""
    month = tokens.make(SECRET, "node", 720, ["*"], [], hours_max=720)
    assert tokens.check(KEY, month, hours_max=720).subject == "node"
    with pytest.raises(TokenRefusedError, match="--max-hours"):
        tokens.check(KEY, month)


def test_an_asterisk_is_no_right_to_command() -> None:
    """A topic with the word `commands` makes a program act: only a pattern that says the word fits it."""
    anything = tokens.check(KEY, signed(publish=["*", "chat.*"], subscribe=["*:*"]))
    anything.may_publish("commandsx.v1")
    for topic in ("chat.commands.v1", "commands", "a.b.commands"):
        with pytest.raises(RightMissingError):
            anything.may_publish(topic)
        with pytest.raises(RightMissingError):
            anything.may_subscribe(topic, "g")
        with pytest.raises(RightMissingError):
            anything.may_replay(topic)
    asked = tokens.check(KEY, signed(publish=["*.commands.*"], subscribe=["chat.commands.v1:g"]))
    asked.may_publish("files.commands.v1")
    asked.may_subscribe("chat.commands.v1", "g")
    with pytest.raises(RightMissingError):
        asked.may_publish("chat.v1")


def test_a_secret_is_replaced_while_its_tokens_count(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running server takes tokens of the new secret and of the one before it, and of none before that."""
    monkeypatch.setattr(secret, "LOOK_EVERY_S", 0.0)
    keys = secret.shared(secret_file)
    made = []
    for _ in range(3):
        made.append(tokens.make(secret.read(secret_file), "node", 1, ["*"], []))
        secret.rotate(secret_file)
    assert len({jwt.get_unverified_header(one)["kid"] for one in made}) == 3
    assert tokens.check(keys, made[2]).subject == "node"
    made.append(tokens.make(secret.read(secret_file), "node", 1, ["*"], []))
    assert tokens.check(keys, made[3]).subject == "node"
    for one in made[:2]:
        with pytest.raises(TokenRefusedError, match="signature"):
            tokens.check(keys, one)
    for path in (secret_file, secret.former_of(secret_file)):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.logs("others may read it")
def test_a_secret_that_cannot_be_read_any_more_changes_nothing(
    secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server goes on with what it has read, and says so once."""
    monkeypatch.setattr(secret, "LOOK_EVERY_S", 0.0)
    keys = secret.shared(secret_file)
    token = tokens.make(secret.read(secret_file), "node", 1, ["*"], [])
    secret.rotate(secret_file)
    secret_file.chmod(0o644)
    assert tokens.check(keys, token).subject == "node"


def test_several_public_keys_count(tmp_path: Path) -> None:
    """Of two issuers, or of one that changes its key; a `kid` that nobody here knows is no hindrance."""
    private = [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65_537, 2_048)]
    paths = [tmp_path / "one.pem", tmp_path / "two.pem"]
    for path, one in zip(paths, private, strict=True):
        path.write_bytes(pem(one))
    keys = secret.PublicKeys(tuple(map(secret.public, paths)))
    for one, algorithm in zip(private, ("EdDSA", "RS256"), strict=True):
        for headers in ({}, {"kid": "theirs"}):
            token = jwt.encode(claims(), one, algorithm, headers=headers)
            assert tokens.check(keys, token).subject == "node"


@pytest.mark.parametrize("name", ["x" * 257, "x" * 3_000_000, "a\nb", "a\x00", "a\x9bb", "a\u2028b"])
async def test_what_is_no_name_is_refused_everywhere(stub: Stub, topic: str, name: str) -> None:
    """Topics, groups and event types are short and on one line: they stand in keys and in logs."""
    first = pb.SubscribeRequest(subscription=pb.Subscription(topic=topic, group=name))
    calls = (
        stub.Publish(pb.PublishRequest(topic=name, event_type="x")),
        stub.Publish(pb.PublishRequest(topic=topic, event_type=name)),
        stub.Request(pb.PublishRequest(topic=topic, event_type=name)),
        stub.Ack(pb.AckRequest(topic=topic, group=name, event_id="x")),
        stub.Replay(pb.ReplayRequest(topic=name, from_timestamp="2020-01-01")),
        stub.Subscribe(iter([first])),
    )
    for call in calls:
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "characters"):
            await end_of(call)


async def test_longest_name_is_one(stub: Stub, topic: str) -> None:
    """256 characters of any language, spaces and joined signs included."""
    event_type = "я \u200d👩" * 64
    assert len(event_type) == 256
    assert (await stub.Publish(pb.PublishRequest(topic=topic, event_type=event_type))).event_id


@pytest.mark.parametrize("subject", ["", " ", "x" * 257, "a\nb"])
def test_subject_is_a_name(subject: str) -> None:
    """It is the source of events and stands in logs: neither made nor taken when it is no name."""
    with pytest.raises(ConfigValueError, match="sub"):
        tokens.make(SECRET, subject, 1, ["*"], [])
    with pytest.raises(TokenRefusedError, match="sub"):
        tokens.check(KEY, signed(sub=subject))


async def test_no_claim_is_no_right(connect: Connect, secret_file: Path, topic: str) -> None:
    """A token of the right key that says nothing of rights has none: another issuer's may say nothing."""
    bare = jwt.encode(claims(publish=None, subscribe=None), secret.read(secret_file), "HS256")
    stub = await connect(bare)
    async with refused(grpc.StatusCode.PERMISSION_DENIED, "RIGHT_MISSING"):
        await stub.Publish(pb.PublishRequest(topic=topic, event_type="x"))


async def test_stream_ends_with_its_token(
    bus: Bus, connect: Connect, secret_file: Path, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream does not outlive the token; what it had in flight comes again to who has one."""
    monkeypatch.setattr(tokens, "LEEWAY_S", 0)
    key = secret.read(secret_file)
    short = jwt.encode(claims(exp=time.time() + 1.2), key, "HS256")
    event_id = await bus.publish(topic, "x", {})
    client = await Client(await connect(short), topic, "g").open()
    await client.read()
    async with refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED", "expired"):
        await client.call.read()
    heir = await Client(await connect(), topic, "g").open()
    assert [(event.event_id, event.meta.retries) for event in await heir.read()] == [(event_id, 1)]


async def test_replay_ends_with_its_token(
    grpc_server: GrpcServer, connect: Connect, secret_file: Path, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay that takes longer than the token counts is ended, too."""

    async def endless(*_: object) -> AsyncIterator[object]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(tokens, "LEEWAY_S", 0)
    monkeypatch.setattr(grpc_server._bus, "replay", endless)
    short = jwt.encode(claims(exp=time.time() + 1.2), secret.read(secret_file), "HS256")
    stub = await connect(short)
    async with refused(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REFUSED", "expired"):
        await stub.Replay(pb.ReplayRequest(topic=topic, from_timestamp="2020-01-01")).read()


def test_secret_is_made_once_and_only_for_its_owner(secret_file: Path) -> None:
    """Mode 0600 in a folder of 0700, 32 bytes of chance, the same at the second look."""
    first = secret.read(secret_file)
    assert len(first) >= 32
    assert secret.read(secret_file) == first
    assert secret_file.stat().st_mode & 0o777 == 0o600
    assert secret_file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in secret_file.parent.iterdir()] == [secret_file.name]


def test_secret_that_others_may_read_is_refused(secret_file: Path) -> None:
    """The sentence has the command that mends it."""
    secret.read(secret_file)
    secret_file.chmod(0o640)
    with pytest.raises(ConfigValueError, match=re.escape(f"chmod 600 {secret_file}")):
        secret.read(secret_file)


def test_short_secret_and_unreadable_place_are_refused(tmp_path: Path) -> None:
    """An empty file is no secret, a folder is no file, and a file is no folder."""
    short = tmp_path / "short"
    short.write_text("guess me")
    short.chmod(0o600)
    with pytest.raises(ConfigValueError, match="32 bytes or more"):
        secret.read(short)
    for wrong in (tmp_path, short / "below"):
        with pytest.raises(ConfigValueError, match="cannot be used"):
            secret.read(wrong)


def test_the_secrets_place_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TITAN_BUS_SECRET_FILE before XDG_CONFIG_HOME before ~/.config."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("TITAN_BUS_SECRET_FILE", raising=False)
    assert secret.default_path() == tmp_path / ".config" / "titan-bus" / "jwt.secret"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert secret.default_path() == tmp_path / "xdg" / "titan-bus" / "jwt.secret"
    monkeypatch.setenv("TITAN_BUS_SECRET_FILE", str(tmp_path / "named"))
    assert secret.default_path() == tmp_path / "named"


async def test_no_call_writes_a_token_to_the_log(
    connect: Connect, token: Token, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an accepted token nor a refused one, nor the secret."""
    caplog.set_level("DEBUG")
    good = token()
    for given in (good, good[:-3]):
        stub = await connect(given)
        try:
            await stub.Publish(pb.PublishRequest(topic=topic, event_type="x"))
        except grpc.aio.AioRpcError as error:
            assert good[:-3] not in str(error)  # noqa: PT017
    assert good[-20:] not in caplog.text
    assert good.split(".")[1] not in caplog.text


def test_listening_is_for_this_machine() -> None:
    """Loopback by name and number, and sockets; nothing else without TLS."""
    for address in ("127.0.0.1:0", "127.8.9.1:1", "[::1]:50051", "localhost:1", "unix:/tmp/bus.sock"):
        assert Listening.on(address).address == address
    for address in (
        "0.0.0.0:1",
        "[::]:1",
        "192.168.1.5:1",
        "example.org:1",
        "localhost.example.org:1",
        "*:1",
    ):
        with pytest.raises(ConfigValueError, match="--cert"):
            Listening.on(address)
    for address in ("", "127.0.0.1", ":1", "127.0.0.1:x", "127.0.0.1:65536", "::1:50051", "unix:bus.sock"):
        with pytest.raises(ConfigValueError, match=r"has to be|brackets|whole path"):
            Listening.on(address)


def test_certificate_needs_its_key(tmp_path: Path) -> None:
    """One without the other, or a file that is not there: a sentence before anything listens."""
    with pytest.raises(ConfigValueError, match="both"):
        Listening.on("0.0.0.0:1", tmp_path / "cert.pem")
    with pytest.raises(ConfigValueError, match="cannot be read"):
        Listening.on("0.0.0.0:1", tmp_path / "cert.pem", tmp_path / "key.pem")
