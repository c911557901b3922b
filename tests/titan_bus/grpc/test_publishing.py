"""Publish, PublishBatch, Request, Replay: what goes in comes out, and what is refused says why."""

import json
from urllib.parse import quote

import grpc
import pytest

from tests.titan_bus.conftest import Recorder, Server, until
from titan_bus import Bus, BusConfig, Event, Priority, RequestRefused, ServerRefusedError, errors
from titan_bus.grpc import secret, status
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.listening import Listening
from titan_bus.grpc.server import GrpcServer

from .conftest import READ_S, Connect, Stub, refused

BEGINNING = "2020-01-01T00:00:00Z"


def request(topic: str, payload: str = "{}", **fields: object) -> pb.PublishRequest:
    return pb.PublishRequest(topic=topic, event_type="happened", payload_json=payload, **fields)


async def test_event_arrives_as_it_was_published(bus: Bus, stub: Stub, topic: str) -> None:
    """Every value of the payload keeps its bytes, huge numbers too; the source is the token's subject."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    payload = '{"text":"Привет 🚌","huge":123456789012345678901234567890,"nested":{"b":[1,2.50]}}'
    reply = await stub.Publish(request(topic, payload, priority=pb.PRIORITY_HIGH, schema_version=3))
    (event,) = await recorder.wait_for(1)
    assert event.event_id == reply.event_id
    assert bytes(event.encoded_payload).decode() == payload
    assert (event.event_type, event.schema_version) == ("happened", 3)
    assert (event.meta.priority, event.meta.source) == (Priority.HIGH, "node")


async def test_what_is_left_out_has_defaults(bus: Bus, stub: Stub, topic: str) -> None:
    """No payload is {}, no priority is medium, no schema version is 1."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await stub.Publish(pb.PublishRequest(topic=topic, event_type="happened"))
    (event,) = await recorder.wait_for(1)
    assert (bytes(event.encoded_payload), event.meta.priority, event.schema_version) == (
        b"{}",
        Priority.MEDIUM,
        1,
    )


async def test_too_large_is_told_with_its_size(stub: Stub, topic: str) -> None:
    """An event over 32 KB is INVALID_ARGUMENT, its size and the limit are there for programs."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Publish(request(topic, json.dumps({"text": "x" * 40_000})))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    metadata = dict(caught.value.trailing_metadata())
    assert metadata["titan-bus-reason"] == "EVENT_TOO_LARGE"
    detail = json.loads(metadata["titan-bus-detail"])
    assert detail["size"] > detail["limit"] == 32_768


@pytest.mark.parametrize(
    "payload",
    ["[1]", "7", "null", "{", '{"a":}', "text", "[" * 10_000, '{"a":' * 5_000 + "1" + "}" * 5_000 + "x"],
    ids=["list", "number", "null", "open", "hole", "text", "deep", "deep and trailing"],
)
async def test_payload_that_is_no_object_is_refused(stub: Stub, topic: str, payload: str) -> None:
    """Only a JSON object is a payload; the sentence says so."""
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "EVENT_MALFORMED", "payload_json", "object"):
        await stub.Publish(request(topic, payload))


async def test_unknown_priority_and_empty_names_are_refused(stub: Stub, topic: str) -> None:
    """A number that is no priority, a topic or a type without a name: EVENT_MALFORMED."""
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "EVENT_MALFORMED", "priority 9"):
        await stub.Publish(request(topic, priority=9))
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "EVENT_MALFORMED", "named"):
        await stub.Publish(request(""))
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "EVENT_MALFORMED", "named"):
        await stub.Publish(pb.PublishRequest(topic=topic))


async def test_batch_keeps_its_order_and_goes_on_after_a_refusal(
    bus: Bus, connect: Connect, topic: str, token
) -> None:
    """Each event of a batch has its own outcome, as its own call would have had."""
    stub = await connect(token(publish=[topic]))
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder, concurrency=1)
    batch = [request(topic, '{"n":0}'), request(topic, "no"), request("other.v1"), request(topic, '{"n":1}')]
    results = (await stub.PublishBatch(pb.PublishBatchRequest(events=batch))).results
    assert [result.WhichOneof("outcome") for result in results] == [
        "event_id",
        "failure",
        "failure",
        "event_id",
    ]
    assert [result.failure.reason for result in results[1:3]] == ["EVENT_MALFORMED", "RIGHT_MISSING"]
    assert [result.failure.code for result in results[1:3]] == [
        grpc.StatusCode.INVALID_ARGUMENT.value[0],
        grpc.StatusCode.PERMISSION_DENIED.value[0],
    ]
    await recorder.wait_for(2)
    assert recorder.ids == [results[0].event_id, results[3].event_id]


async def test_batch_has_an_end(stub: Stub, topic: str) -> None:
    """More than 1,000 events in one batch are refused, none is published."""
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "1000 or fewer, not 1001"):
        await stub.PublishBatch(pb.PublishBatchRequest(events=[request(topic)] * 1_001))
    assert [
        event async for event in stub.Replay(pb.ReplayRequest(topic=topic, from_timestamp=BEGINNING))
    ] == []


async def test_request_is_answered(bus: Bus, stub: Stub, topic: str) -> None:
    """The handler sees who asks; its result comes back as JSON, also one that is longer than an event."""

    async def answer(event: Event) -> object:
        return {"of": event.meta.source, "text": "x" * event.payload_as(dict)["length"]}

    await bus.subscribe(topic, "g", answer)
    for length in (1, 100_000):
        reply = await stub.Request(request(topic, json.dumps({"length": length})), timeout=READ_S)
        result = json.loads(reply.result_json)
        assert (result["of"], len(result["text"])) == ("node", length)


async def test_request_that_is_refused_says_by_whom_and_why(bus: Bus, stub: Stub, topic: str) -> None:
    """The responder's code and message are in the details for programs."""

    async def refuse(_event: Event) -> None:
        raise RequestRefused("sold_out", "no seats left")

    await bus.subscribe(topic, "g", refuse)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Request(request(topic), timeout=READ_S)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    detail = json.loads(dict(caught.value.trailing_metadata())["titan-bus-detail"])
    assert detail == {"code": "sold_out", "message": "no seats left"}


async def test_request_ends_with_the_calls_deadline(stub: Stub, topic: str) -> None:
    """Nobody answers: DEADLINE_EXCEEDED when the client's own deadline has come."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Request(request(topic), timeout=0.1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_request_without_a_deadline_has_one(
    stub: Stub, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sets no deadline waits for the gRPC server's, and is told what to do."""
    monkeypatch.setattr("titan_bus.grpc.service.REQUEST_TIMEOUT_S", 0.05)
    async with refused(grpc.StatusCode.DEADLINE_EXCEEDED, "REQUEST_TIMED_OUT", "0.05 s", "subscribes"):
        await stub.Request(request(topic))


async def test_replay_gives_the_past_in_order(stub: Stub, topic: str) -> None:
    """By time all of it, by id from that event on."""
    ids = [(await stub.Publish(request(topic))).event_id for _ in range(5)]
    by_time = stub.Replay(pb.ReplayRequest(topic=topic, from_timestamp=BEGINNING))
    assert [event.event_id async for event in by_time] == ids
    by_id = stub.Replay(pb.ReplayRequest(topic=topic, from_id=ids[2]))
    assert [event.event_id async for event in by_id] == ids[2:]
    nothing = stub.Replay(
        pb.ReplayRequest(topic=topic, from_timestamp=BEGINNING, to_timestamp="2020-01-02T00:00:00Z")
    )
    assert [event async for event in nothing] == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "one of the two"),
        ({"from_timestamp": BEGINNING, "from_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "one of the two"),
        ({"from_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "to_timestamp": BEGINNING}, "from_timestamp alone"),
        ({"from_timestamp": "yesterday"}, "2026-01-31T12:00:00Z"),
        ({"from_id": "what"}, "what"),
    ],
)
async def test_replay_of_no_span_is_refused(
    stub: Stub, topic: str, asked: dict[str, str], words: str
) -> None:
    """What says no beginning, or two, or no time, is INVALID_ARGUMENT with what to write."""
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", words):
        await stub.Replay(pb.ReplayRequest(topic=topic, **asked)).read()


async def test_replay_from_an_event_that_is_nowhere(stub: Stub, topic: str) -> None:
    """NOT_FOUND, in place of an empty past."""
    async with refused(grpc.StatusCode.NOT_FOUND, "EVENT_NOT_FOUND"):
        await stub.Replay(pb.ReplayRequest(topic=topic, from_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")).read()


async def test_server_that_is_away_is_unavailable(server: Server, topic: str, secret_file, token) -> None:
    """While the bus's server is away calls end with UNAVAILABLE, and work again when it is back."""
    key = secret.shared(secret_file)
    async with (
        Bus(BusConfig(url=server.url, patience_s=0.05)) as bus,
        GrpcServer(bus, key, Listening.on("127.0.0.1:0")) as grpc_server,
        grpc.aio.insecure_channel(grpc_server.address) as channel,
    ):
        stub = Stub(channel, (("authorization", f"Bearer {token()}"),))
        server.kill()
        async with refused(grpc.StatusCode.UNAVAILABLE, "BUS_UNAVAILABLE", "Try again"):
            await stub.Publish(request(topic))
        server.start()

        async def published() -> bool:
            try:
                return bool((await stub.Publish(request(topic))).event_id)
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 -- until it is found again
                return False

        await until(published, "the server is back")


async def test_fault_of_the_server_tells_nothing_about_itself(
    grpc_server: GrpcServer,
    stub: Stub,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug is INTERNAL; its text is in the log and not in the answer."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the server")

    monkeypatch.setattr(grpc_server._bus, "publish", broken)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Publish(request(topic))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret of the server" not in f"{caught.value.details()}{caught.value.trailing_metadata()}"
    assert "secret of the server" in caplog.text


def test_every_error_of_the_servers_own_has_a_status() -> None:
    """A full memory is RESOURCE_EXHAUSTED, a changing role UNAVAILABLE, a right that we lack our fault."""
    codes = {
        reply: status.of(ServerRefusedError(f"{reply} text")).code.name
        for reply in ("OOM", "READONLY", "NOPERM")
    }
    assert codes == {"OOM": "RESOURCE_EXHAUSTED", "READONLY": "UNAVAILABLE", "NOPERM": "INTERNAL"}


OURS = {
    errors.ArchiveError, errors.BusError, errors.RequestError, errors.RemoteClientError,  # roots, never raised
    errors.ServerRefusedError, errors.ServerFullError, errors.WrongTypeError,  # by their codes, see above
    errors.ConfigError, errors.ConfigValueError, errors.ExtraMissingError, errors.OnceMisusedError,
    errors.UpcastError, errors.UndescribableError,  # the gRPC server's set-up, and what describes a program
    errors.ClientGoneError, errors.FatalError, errors.NackedError, errors.PayloadMismatchError,  # outcomes
    errors.EntryMalformedError, errors.RestoreRefusedError, errors.RestoreDisturbedError,
    errors.HandlerTimedOutError,
    errors.ArchiveElsewhereError, errors.ArchiveForeignError, errors.ArchiveUnnamedError,
    errors.ErasureInterruptedError,
    errors.BusThreadError, errors.BusForkedError, errors.ServerTooOldError,  # of what no call does or can
    errors.NameMalformedError,
}  # fmt: skip
"""What is INTERNAL by intent, or never the end of a call."""


@pytest.mark.parametrize("kind", [one for one in vars(errors).values() if isinstance(one, type)])
def test_every_error_has_a_status(kind: type[Exception]) -> None:
    """An error that a call may end with is known by its status, or is left out here by intent."""
    known = any(issubclass(kind, one) for one, *_ in status._KNOWN)
    assert known != (kind in OURS | {errors.RequestRefused})


async def test_event_without_its_replicas_may_be_there(
    server: Server, topic: str, secret_file, token, caplog: pytest.LogCaptureFixture
) -> None:
    """UNAVAILABLE with that sentence, and no fault of the gRPC server in its log."""
    key = secret.shared(secret_file)
    async with (
        Bus(BusConfig(url=server.url, replicas=1, patience_s=0.05)) as bus,
        GrpcServer(bus, key, Listening.on("127.0.0.1:0")) as grpc_server,
        grpc.aio.insecure_channel(grpc_server.address) as channel,
    ):
        stub = Stub(channel, (("authorization", f"Bearer {token()}"),))
        async with refused(grpc.StatusCode.UNAVAILABLE, "NOT_REPLICATED", "0 of 1", "It may be there"):
            await stub.Publish(request(topic))
    assert "a call failed" not in caplog.text


@pytest.mark.parametrize("letter", ["я", "🚌", "%", "\n", "x"])
def test_sentence_fits_into_what_clients_take(letter: str) -> None:
    """It is cut by its bytes as they travel: longer, the client would lose the whole status."""
    sentence = letter * 10_000
    left = status.cut(sentence)
    assert sentence.startswith(left)
    assert 1_980 < len(quote(left, safe="")) <= 2_000
    assert status.cut("short: я 100 %") == "short: я 100 %"


async def test_refusal_of_a_long_text_keeps_its_status(stub: Stub, topic: str) -> None:
    """What is quoted in letters that travel as twelve bytes each is still refused with its own status."""
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "🚌"):
        await stub.Replay(pb.ReplayRequest(topic=topic, from_timestamp="🚌" * 2_000)).read()
