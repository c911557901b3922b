"""Subscribe and Ack: each event goes to one stream, gets one outcome, and is never lost with a client."""

import asyncio
import json

import grpc
import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, pending, pending_is, settled, until
from titan_bus import Bus, BusConfig, DeadLetter, RequestFailedError, names
from titan_bus.connections.connection import Connection
from titan_bus.grpc import secret
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.listening import Listening
from titan_bus.grpc.server import GrpcServer

from .conftest import READ_S, Client, Connect, Stub, refused


async def publish(bus: Bus, topic: str, count: int, **payload: object) -> list[str]:
    return [await bus.publish(topic, "thing", {"number": number, **payload}) for number in range(count)]


async def test_acknowledged_event_is_done(bus: Bus, stub: Stub, topic: str, raw: Connection) -> None:
    """Events come with all they have; acknowledged, nothing is pending and nothing comes again."""
    ids = await publish(bus, topic, 3)
    client = await Client(stub, topic, "g").open()
    events = await client.read(3)
    assert [event.event_id for event in events] == ids
    assert [json.loads(event.payload_json)["number"] for event in events] == [0, 1, 2]
    assert {event.meta.source for event in events} == {"tests@v1"}
    assert not any(event.meta.is_request or event.meta.retries for event in events)
    await client.ack(*ids)
    await settled(raw, names.stream_of(topic), "g")
    await client.close()


async def test_nacked_event_comes_again(bus: Bus, stub: Stub, topic: str) -> None:
    """After a pause, with one retry more."""
    (event_id,) = await publish(bus, topic, 1)
    client = await Client(stub, topic, "g").open()
    await client.read()
    await client.nack(event_id, "not this time")
    (again,) = await client.read()
    assert (again.event_id, again.meta.retries) == (event_id, 1)
    await client.ack(event_id)
    await client.close()


@pytest.mark.logs("goes to the dead letters")
async def test_fatal_nack_is_a_dead_letter_with_its_reason(bus: Bus, stub: Stub, topic: str) -> None:
    """It goes there at once, and the client's sentence stands in it."""
    (event_id,) = await publish(bus, topic, 1)
    client = await Client(stub, topic, "g").open()
    await client.read()
    await client.nack(event_id, "the number is no order of ours", fatal=True)

    async def letter() -> bool:
        letters = await bus.dead_letters.list()
        found = [one for one in letters if one.event is not None and one.event.event_id == event_id]
        return bool(found) and found[0].origin.message == "the number is no order of ours"

    await until(letter, "the dead letter")
    await client.close()


async def test_reason_is_one_short_line(
    bus: Bus, stub: Stub, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A line break in it begins no line of the log, and three million characters make no letter of that length."""
    (event_id,) = await publish(bus, topic, 1)
    client = await Client(stub, topic, "g").open()
    await client.read()
    forged = "2026-01-31 12:00:00 INFO root: all is well"
    await client.nack(event_id, f"no order\r\n{forged}\u2028{'x' * 3_000_000}", fatal=True)

    async def letters() -> list[DeadLetter]:
        return await bus.dead_letters.list(topic=topic)

    await until(letters, "the dead letter")
    (letter,) = await letters()
    assert letter.origin.message.startswith(f"no order\\r\\n{forged}\\u2028xxx")
    assert len(letter.origin.message) == 2_000
    assert forged in caplog.text
    assert not any(line.startswith(forged) for line in caplog.text.splitlines())
    await client.close()


async def test_no_more_than_the_concurrency_is_in_flight(
    bus: Bus, stub: Stub, topic: str, raw: Connection
) -> None:
    """A client that takes two has two; the third comes with the first outcome. `flow` changes that."""
    ids = await publish(bus, topic, 8)
    client = await Client(stub, topic, "g", concurrency=2).open()
    await client.read(2)
    await client.ack(ids[0])
    assert [event.event_id for event in await client.read(1)] == [ids[2]]
    await client.flow(4)
    assert [event.event_id for event in await client.read(2)] == ids[3:5]
    await client.flow(0)
    await client.ack(*ids[1:5])
    await pending_is(raw, names.stream_of(topic), "g", 3)  # read ahead, and delivered to nobody
    await client.flow(16)
    assert [event.event_id for event in await client.read(3)] == ids[5:]
    await client.ack(*ids[5:])
    await client.close()


async def test_high_overtakes_what_waits(bus: Bus, stub: Stub, topic: str, raw: Connection) -> None:
    """What no stream has room for waits in the bus, where priority orders it."""
    low = [await bus.publish(topic, "thing", {}, "low") for _ in range(3)]
    client = await Client(stub, topic, "g", concurrency=1).open()
    await client.read()
    high = await bus.publish(topic, "thing", {}, "high")
    await pending_is(raw, names.stream_of(topic), "g", 4)  # it has been read, too
    await client.ack(low[0])
    (following,) = await client.read()
    assert following.event_id == high


async def test_streams_of_a_group_take_turns(bus: Bus, connect: Connect, topic: str) -> None:
    """Two clients of one group share its events; another group gets all of them."""
    one = await Client(await connect(), topic, "g", concurrency=50).open()
    two = await Client(await connect(), topic, "g", concurrency=50).open()
    other = await Client(await connect(), topic, "h", concurrency=50).open()
    first = await publish(bus, topic, 1)
    assert len(await other.read(1)) == 1  # all are subscribed
    ids = first + await publish(bus, topic, 39)
    got = await asyncio.gather(one.read(20), two.read(20), other.read(39))
    assert sorted(event.event_id for event in got[0] + got[1]) == ids
    for client, events in zip((one, two), got, strict=False):
        await client.ack(*(event.event_id for event in events))
        await client.close()


async def test_vanished_client_gives_its_events_to_the_next(bus: Bus, connect: Connect, topic: str) -> None:
    """A killed client with events in flight loses none: another of the group gets them, counted as retries."""
    ids = await publish(bus, topic, 4)
    stub = await connect()
    await (doomed := Client(stub, topic, "g", concurrency=4)).open()
    await doomed.read(4)
    heir = await Client(await connect(), topic, "g").open()
    await stub.channel.close()
    events = await heir.read(4)
    assert sorted(event.event_id for event in events) == ids
    assert {event.meta.retries for event in events} == {1}
    await heir.ack(*ids)
    await heir.close()


async def test_last_client_leaves_its_events_to_other_programs(
    bus: Bus, connect: Connect, topic: str, raw: Connection
) -> None:
    """Without a stream the server is no member of the group: a Python consumer gets what the last client had."""
    ids = await publish(bus, topic, 2)
    stub = await connect()
    await (doomed := Client(stub, topic, "g", concurrency=2)).open()
    await doomed.read(2)
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    await stub.channel.close()
    await recorder.wait_for(2)
    assert sorted(recorder.ids) == ids
    later = await publish(bus, topic, 20)
    await recorder.wait_for(22)
    assert sorted(recorder.ids[2:]) == later


async def test_client_that_pauses_and_settles_leaves_without_a_retry(
    bus: Bus, stub: Stub, topic: str
) -> None:
    """Concurrency 0, the last outcomes, close: who comes next gets the rest as it was published."""
    ids = await publish(bus, topic, 6)
    leaving = await Client(stub, topic, "g", concurrency=3).open()
    await leaving.read(3)
    await leaving.flow(0)
    await leaving.ack(*ids[:3])
    await leaving.close()
    following = await Client(stub, topic, "g").open()
    events = await following.read(3)
    assert [(event.event_id, event.meta.retries) for event in events] == [(one, 0) for one in ids[3:]]


@pytest.mark.logs("goes to the dead letters")
async def test_poison_that_kills_its_clients_becomes_a_dead_letter(
    config: BusConfig, connect: Connect, bus: Bus, topic: str
) -> None:
    """An event that each client dies of ends in `errors.dlq` after `retry_limit` more attempts."""
    (event_id,) = await publish(bus, topic, 1)
    for _ in range(config.stream(topic).retry_limit + 1):
        stub = await connect()
        await (victim := Client(stub, topic, "g")).open()
        await victim.read()
        await stub.channel.close()

    async def dead_lettered() -> bool:
        letters = await bus.dead_letters.list()
        return any(one.event is not None and one.event.event_id == event_id for one in letters)

    await until(dead_lettered, "the dead letter")


async def test_outcome_on_what_is_not_in_flight_is_told(bus: Bus, stub: Stub, topic: str) -> None:
    """A second outcome, or one on an unknown event, changes nothing and is named to the client."""
    (event_id,) = await publish(bus, topic, 1)
    client = await Client(stub, topic, "g").open()
    await client.read()
    await client.ack(event_id)
    await client.ack(event_id, "never heard of")
    while len(client.unknown) < 2:
        client.unknown.extend((await client.call.read()).unknown_ids)
    assert client.unknown == [event_id, "never heard of"]
    await client.close()


async def test_flood_of_wrong_outcomes_ends_the_stream(stub: Stub, topic: str) -> None:
    """What is no id of an event is refused; it is not kept to be told back."""
    client = await Client(stub, topic, "g").open()
    await client.ack("x" * 100)
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "event_id"):
        await client.call.read()


async def test_ack_from_elsewhere(
    bus: Bus, connect: Connect, stub: Stub, topic: str, raw: Connection
) -> None:
    """Another connection may acknowledge what a stream has in flight; the stream then has room for one more."""
    ids = await publish(bus, topic, 2)
    client = await Client(stub, topic, "g", concurrency=1).open()
    await client.read()
    elsewhere = await connect()
    await elsewhere.Ack(pb.AckRequest(topic=topic, group="g", event_id=ids[0]))
    assert [event.event_id for event in await client.read()] == [ids[1]]
    for group, event_id in (("g", ids[0]), ("other", ids[1]), ("g", "never heard of")):
        async with refused(grpc.StatusCode.NOT_FOUND, "EVENT_NOT_HELD", "outcome"):
            await elsewhere.Ack(pb.AckRequest(topic=topic, group=group, event_id=event_id))
    assert len(await pending(raw, names.stream_of(topic), "g")) == 1


async def test_client_answers_requests(bus: Bus, stub: Stub, topic: str) -> None:
    """The result of an ack is the answer; without one it is null."""
    client = await Client(stub, topic, "g").open()
    asking = asyncio.create_task(bus.request(topic, "double", {"number": 21}, int))
    (event,) = await client.read()
    assert event.meta.is_request
    assert event.meta.deadline_ms > 0
    await client.ack(event.event_id, result="42")
    assert await asking == 42
    asking_again = asyncio.create_task(bus.request(topic, "double", {"number": 21}, None))
    (event,) = await client.read()
    await client.ack(event.event_id)
    assert bytes(await asking_again) == b"null"
    await client.close()


async def test_client_refuses_a_request(bus: Bus, stub: Stub, topic: str) -> None:
    """A nack is the answer: its code and its reason reach who asked, and the request does not come again."""
    client = await Client(stub, topic, "g").open()
    for code, expected in (("sold_out", "sold_out"), ("", "refused")):
        asking = asyncio.create_task(bus.request(topic, "seat", {}))
        (event,) = await client.read()
        await client.nack(event.event_id, "no seats left", code=code)
        with pytest.raises(RequestFailedError) as caught:
            await asking
        assert (caught.value.code, caught.value.message) == (expected, "no seats left")
    await client.close()


@pytest.mark.parametrize("result", ["{", "text", '{"a":1}}', "[" * 10_000])
async def test_result_that_is_no_json_is_told_to_who_asked(
    bus: Bus, stub: Stub, topic: str, result: str
) -> None:
    """The stream goes on: only this request fails, as `reply_malformed`."""
    client = await Client(stub, topic, "g").open()
    asking = asyncio.create_task(bus.request(topic, "seat", {}))
    (event,) = await client.read()
    await client.ack(event.event_id, result=result)
    with pytest.raises(RequestFailedError) as caught:
        await asking
    assert caught.value.code == "reply_malformed"
    await client.close()


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (pb.SubscribeRequest(acks=[pb.Ack(event_id="x")]), "first message"),
        (pb.SubscribeRequest(subscription=pb.Subscription(topic="t")), "named"),
        (pb.SubscribeRequest(subscription=pb.Subscription(group="g")), "named"),
        (pb.SubscribeRequest(subscription=pb.Subscription(topic="t", group="g", start="7")), '"$"'),
        (
            pb.SubscribeRequest(subscription=pb.Subscription(topic="t", group="g", concurrency=101)),
            "100 or less",
        ),
    ],
)
async def test_subscription_that_cannot_be(stub: Stub, first: pb.SubscribeRequest, words: str) -> None:
    """The first message is refused with what it has to be."""
    call = stub.Subscribe(timeout=READ_S)
    await call.write(first)
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", words):
        await call.read()


@pytest.mark.parametrize(("topic", "group"), [("t", names.ARCHIVE_GROUP), (names.DEAD_LETTERS, "g")])
async def test_names_of_the_bus_are_refused(stub: Stub, topic: str, group: str) -> None:
    """A token for everything is none for the archive's group, or for the dead letters as a topic."""
    client = await Client(stub, topic, group).open()
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "HANDLER_REFUSED", "name another"):
        await client.read()


async def test_silent_stream_is_ended(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that never says what it wants is not kept, nor is one that closes at once."""
    monkeypatch.setattr("titan_bus.grpc.calls.FIRST_MESSAGE_S", 0.05)
    for close in (False, True):
        call = stub.Subscribe(timeout=READ_S)
        if close:
            await call.done_writing()
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "first message"):
            await call.read()


async def test_second_subscription_in_a_stream_is_refused(stub: Stub, topic: str) -> None:
    """One stream is one subscription."""
    client = await Client(stub, topic, "g").open()
    await client.call.write(pb.SubscribeRequest(subscription=pb.Subscription(topic=topic, group="h")))
    async with refused(grpc.StatusCode.INVALID_ARGUMENT, "CALL_MALFORMED", "another stream"):
        await client.call.read()


async def test_new_group_may_begin_now(bus: Bus, stub: Stub, topic: str) -> None:
    """With start "$" a group that is new gets what comes, not what was."""
    await publish(bus, topic, 2)
    call = stub.Subscribe(timeout=READ_S)
    wanted = pb.Subscription(topic=topic, group="late", start="$")
    await call.write(pb.SubscribeRequest(subscription=wanted))

    async def there() -> bool:
        return any(group.group == "late" for group in await bus.inspection.groups(topic))

    await until(there, "the group")
    (event_id,) = await publish(bus, topic, 1)
    assert [event.event_id for event in (await call.read()).events] == [event_id]


async def test_twice_under_one_id_is_delivered_once_at_a_time(
    bus: Bus, stub: Stub, topic: str, raw: Connection
) -> None:
    """Two entries with one id, as a publish that was sent twice leaves them, get one outcome together."""
    (event_id,) = await publish(bus, topic, 1)
    stream = names.stream_of(topic)
    ((_, fields),) = await raw.call("XRANGE", stream, "-", "+")
    await raw.call("XADD", stream, "*", *fields)
    client = await Client(stub, topic, "g").open()
    (event,) = await client.read()
    await pending_is(raw, stream, "g", 2)
    await client.ack(event.event_id)
    await settled(raw, stream, "g")
    assert event.event_id == event_id
    await client.close()


async def test_closing_waits_for_outcomes_and_then_ends_the_streams(
    config: BusConfig, secret_file, token, topic: str, bus: Bus, raw: Connection
) -> None:
    """In the drain an outcome still counts; then UNAVAILABLE, and what has no outcome is pending, not retried."""
    key = secret.shared(secret_file)
    ids = await publish(bus, topic, 2)
    stream = names.stream_of(topic)
    drained = msgspec.structs.replace(config, consumer="grpc", drain_s=0.5)
    async with (
        Bus(drained) as own,
        GrpcServer(own, key, Listening.on("127.0.0.1:0")) as grpc_server,
        grpc.aio.insecure_channel(grpc_server.address) as channel,
    ):
        client = await Client(Stub(channel, (("authorization", f"Bearer {token()}"),)), topic, "g").open()
        await client.read(2)
        closing = asyncio.create_task(grpc_server.close())
        await until(lambda: grpc_server._dispatchers._closing, "the gRPC server closes")
        await client.ack(ids[0])
        await pending_is(raw, stream, "g", 1)
        async with refused(grpc.StatusCode.UNAVAILABLE, "BUS_CLOSED", "connect again"):
            await client.call.read()
        await closing
    assert len(await pending(raw, stream, "g")) == 1
    assert not await raw.call("ZCARD", names.delayed_of("g", topic))
