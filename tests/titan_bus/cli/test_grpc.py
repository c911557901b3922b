"""`titan-bus token` and `titan-bus grpc`: a token by one is let in by the other; signals drain."""

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM
from subprocess import Popen

import grpc
import pytest

from tests.titan_bus.conftest import pending
from titan_bus import Bus, names
from titan_bus.connections.connection import Connection
from titan_bus.grpc import secret, titan_bus_pb2_grpc
from titan_bus.grpc import titan_bus_pb2 as pb

from .conftest import Run

WAIT_S = 20
Program = Callable[..., "Popen[str]"]


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys" / "jwt.secret"
    monkeypatch.setenv("TITAN_BUS_SECRET_FILE", str(path))
    return path


def listening(process: "Popen[str]") -> str:
    """Wait until it listens, and return where."""
    assert process.stderr is not None
    for line in process.stderr:
        if "listening on " in line:
            return line.rpartition("listening on ")[2].strip()
    raise AssertionError(f"it ended with {process.wait()}")


async def test_token_says_what_it_was_asked_to(titan_bus: Run, secret_file: Path) -> None:
    """Subject, rights and an end; the secret is made with it, and shown nowhere."""
    done = await titan_bus(
        "token", "--sub", "billing", "--publish", "orders.*", "--subscribe", "chat.v1:g", "--hours", "2"
    )
    assert done.status == 0
    claims = json.loads(base64.urlsafe_b64decode(done.out.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] == 7_200
    assert (claims["sub"], claims["aud"]) == ("billing", "titan-bus")
    assert (claims["publish"], claims["subscribe"]) == (["orders.*"], ["chat.v1:g"])
    assert secret.read(secret_file).decode() not in done.out + done.err


async def test_the_secret_is_replaced(titan_bus: Run, secret_file: Path) -> None:
    """Alone, or with a token of the new one; the former stays beside it."""
    before = secret.read(secret_file)
    assert (await titan_bus("token", "--rotate")).status == 0
    assert secret.read(secret_file) != before
    assert secret.read(secret.former_of(secret_file)) == before
    done = await titan_bus("token", "--rotate", "--sub", "x", "--publish", "*")
    header = json.loads(base64.urlsafe_b64decode(done.out.split(".")[0] + "=="))
    assert header["kid"] == secret.kid_of(secret.read(secret_file))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("token", "--sub", "x"), 2, "say what it may"),
        (("token", "--sub", "", "--publish", "*"), 4, "name of the program"),
        (("token", "--sub", "x", "--subscribe", "chat.v1"), 4, "chat.v1:GROUP"),
        (("token", "--sub", "x", "--publish", "*", "--hours", "0"), 4, "more than 0"),
        (("token", "--sub", "x", "--publish", "*", "--hours", "1e308"), 4, "at most 24"),
        (("token", "--sub", "x", "--publish", "*", "--hours", "nan"), 4, "at most 24"),
        (("token", "--publish", "*"), 2, "--sub NAME"),
        (("token", "--sub", "x", "--publish", "*", "--secret", "/dev/null/x"), 4, "cannot be used"),
        (("grpc", "--listen", "0.0.0.0:0"), 4, "--cert and --key"),
        (("grpc", "--listen", "127.0.0.1:0", "--cert", "c.pem"), 4, "both"),
        (("grpc", "--public-key", "k.pem"), 4, "k.pem"),
        (("grpc", "--public-key", "k.pem", "--secret", "s"), 2, "take one"),
    ],
)
@pytest.mark.usefixtures("secret_file")
async def test_what_cannot_be_is_one_sentence(
    titan_bus: Run, arguments: tuple[str, ...], status: int, words: str
) -> None:
    """With its cure and an exit status, and no traceback."""
    done = await titan_bus(*arguments)
    assert done.status == status, done.err
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("titan-bus: ")
    assert words in last
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("signum", "status"), [(SIGTERM, 0), (SIGINT, 130)])
async def test_a_signal_lets_clients_finish(
    titan_bus: Run,
    program: Program,
    secret_file: Path,
    topic: str,
    bus: Bus,
    raw: Connection,
    signum: int,
    status: int,
) -> None:
    """What a client has in flight when the signal comes it may still acknowledge; then its stream ends."""
    token = (await titan_bus("token", "--sub", "x", "--publish", "*", "--subscribe", "*:*")).out.strip()
    metadata = (("authorization", f"Bearer {token}"),)
    process = program("grpc", "--listen", "127.0.0.1:0", "--secret", str(secret_file))
    with process, contextlib.ExitStack() as cleanup:
        cleanup.callback(process.kill)  # should a claim fail; a process that has ended is left alone
        async with grpc.aio.insecure_channel(listening(process)) as channel:
            stub = titan_bus_pb2_grpc.BusStub(channel)
            published = await stub.Publish(pb.PublishRequest(topic=topic, event_type="x"), metadata=metadata)
            call = stub.Subscribe(metadata=metadata, timeout=WAIT_S)
            await call.write(pb.SubscribeRequest(subscription=pb.Subscription(topic=topic, group="g")))
            (event,) = (await call.read()).events
            assert event.event_id == published.event_id
            process.send_signal(signum)
            assert process.stderr is not None
            assert any("stopping" in line for line in process.stderr)
            await call.write(pb.SubscribeRequest(acks=[pb.Ack(event_id=event.event_id)]))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert process.wait(WAIT_S) == status
        assert token not in process.stderr.read()
    assert not await pending(raw, names.stream_of(topic), "g")
