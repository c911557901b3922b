"""Outcomes sent twice: after a lost connection it is unknown whether the first command arrived."""

import asyncio

import pytest

from tests.titan_bus.conftest import pending
from titan_bus import Bus, BusClosedError, RetryConfig, ServerRefusedError, names
from titan_bus.codec import decode
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint
from titan_bus.consumer.delivery import Delivery
from titan_bus.consumer.settlement import Settlement
from titan_bus.names import delayed_of, retries_of, stream_of


@pytest.fixture
async def delivery(bus: Bus, raw: Connection, topic: str) -> Delivery:
    """An event that was delivered to the group `g`."""
    await bus.publish(topic, "e", {})
    await raw.call("XGROUP", "CREATE", stream_of(topic), "g", "0")
    [[_, [[entry_id, fields]]]] = await raw.call(
        "XREADGROUP", "GROUP", "g", "c", "STREAMS", stream_of(topic), ">"
    )
    return Delivery(stream_of(topic), entry_id, fields, decode(fields))


async def test_postponing_twice_is_postponing_once(raw: Connection, topic: str, delivery: Delivery) -> None:
    """The second time the event is no longer pending, so it waits once and is redelivered once."""
    settlement = Settlement(raw, topic, "g", RetryConfig(base_s=0.0))
    await settlement.postpone(delivery)
    await settlement.postpone(delivery)
    assert await raw.call("ZCARD", delayed_of("g", topic)) == 1
    assert await pending(raw, stream_of(topic), "g") == []
    assert await settlement.redeliver_due() is None
    assert await settlement.redeliver_due() is None
    assert await raw.call("XLEN", retries_of("g", topic)) == 1


async def test_dead_lettering_twice_makes_one_dead_letter(
    bus: Bus, raw: Connection, topic: str, delivery: Delivery
) -> None:
    """Two outcomes make one dead letter."""
    settlement = Settlement(raw, topic, "g", RetryConfig())
    for _ in range(2):
        await settlement.dead_letter(delivery.stream, delivery.entry_id, delivery.fields, ValueError("no"))
    letters = [letter async for letter in bus.dead_letters if letter.origin.stream == stream_of(topic)]
    assert [letter.origin.entry_id for letter in letters] == [delivery.entry_id.decode()]


async def test_acknowledgements_of_one_turn_are_one_command(bus: Bus, raw: Connection, topic: str) -> None:
    """A hundred acknowledgements of two streams are two commands, and a cancelled waiter stops no other."""
    settlement = Settlement(raw, topic, "g", RetryConfig())
    streams = (stream_of(topic), retries_of("g", topic))
    waiting = []
    for stream in streams:
        ids = [await raw.call("XADD", stream, "*", "e", "{}") for _ in range(50)]
        await raw.call("XGROUP", "CREATE", stream, "g", "0")
        await raw.call("XREADGROUP", "GROUP", "g", "c", "STREAMS", stream, ">")
        waiting.append([(stream, entry_id) for entry_id in ids])
    before = await _xacks(raw)
    futures = [settlement.acknowledge(*key) for keys in waiting for key in keys]
    futures[7].cancel()
    done = await asyncio.gather(*futures, return_exceptions=True)
    assert [result for result in done if result is not None] == [done[7]]
    assert await _xacks(raw) - before == 2
    assert [await pending(raw, stream, "g") for stream in streams] == [[], []]
    assert await raw.call("XLEN", streams[1]) == 0


async def test_an_acknowledgement_that_cannot_be_sent_raises(redis_url: str, topic: str) -> None:
    """On a closed connection every waiter gets the error."""
    connection = Connection(Endpoint.parse(redis_url), 5.0)
    settlement = Settlement(connection, topic, "g", RetryConfig())
    futures = [
        settlement.acknowledge(stream, b"1-1") for stream in (stream_of(topic), retries_of("g", topic))
    ]
    done = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in done] == [BusClosedError, BusClosedError]


async def _xacks(raw: Connection) -> int:
    """Return the server's count of XACK."""
    [line] = [
        line for line in (await raw.call("INFO", "commandstats")).split(b"\r\n") if b"cmdstat_xack:" in line
    ] or [b"calls=0,"]
    return int(line.partition(b"calls=")[2].partition(b",")[0])


async def test_pauses_double_up_to_the_cap(raw: Connection, topic: str) -> None:
    """The pause is 50 to 100 % of the base doubled with each failure, and of the cap at most."""
    for retries, longest in ((0, 0.1), (1, 0.2), (2, 0.4), (9, 1.0), (5_000, 1.0)):
        settlement = Settlement(raw, topic, "g", RetryConfig(base_s=0.1, cap_s=1.0))
        pause_s = settlement.pause_after(retries + 1)
        assert longest / 2 <= pause_s <= longest


async def test_an_outcome_that_cannot_be_written_acknowledges_nothing(
    raw: Connection, topic: str, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another key is in the way, the event stays pending, because scripts are not rolled back."""
    foreign = f"foreign:{topic}"
    monkeypatch.setattr(names, "DEAD_LETTERS", foreign)
    for key in (foreign, delayed_of("g", topic)):
        await raw.call("SET", key, "something else")
    settlement = Settlement(raw, topic, "g", RetryConfig())
    with pytest.raises(ServerRefusedError, match="WRONGTYPE"):
        await settlement.postpone(delivery)
    with pytest.raises(ServerRefusedError, match="WRONGTYPE"):
        await settlement.dead_letter(delivery.stream, delivery.entry_id, delivery.fields, ValueError("no"))
    assert await pending(raw, stream_of(topic), "g") == [delivery.entry_id]
    await raw.call("DEL", foreign, delayed_of("g", topic))
