"""Questions and answers."""

import asyncio
import time

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, length_is, settled, until
from titan_bus import (
    Bus,
    BusClosedError,
    BusConfig,
    Event,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    names,
    new_ulid,
)
from titan_bus.connections.connection import Connection
from titan_bus.request import REPLY_BYTES_MAX


class Page(msgspec.Struct):
    lines: list[str]


@pytest.mark.by_url
async def test_a_request_gets_its_reply(bus: Bus, topic: str) -> None:
    """The handler's return value comes back, as a struct or undecoded."""

    async def handle(event: Event) -> Page:
        return Page([event.event_type, event.payload_as(dict)["text"]])

    await bus.subscribe(topic, "g", handle)
    assert await bus.request(topic, "page", {"text": "я"}, Page) == Page(["page", "я"])
    assert bytes(await bus.request(topic, "page", {"text": "x"})) == b'{"lines":["page","x"]}'


async def test_who_passes_a_request_on_names_the_source(bus: Bus, topic: str) -> None:
    """The handler sees on whose behalf it is asked; the bus's own source is for who says nothing."""

    async def handle(event: Event) -> str:
        return event.meta.source

    await bus.subscribe(topic, "g", handle)
    assert await bus.request(topic, "who", {}, str, source="alice") == "alice"
    assert await bus.request(topic, "who", {}, str) == "tests@v1"


async def test_replies_find_their_requests(bus: Bus, topic: str) -> None:
    """Two hundred requests at once get each its own reply."""

    async def handle(event: Event) -> object:
        await asyncio.sleep(0.001 * (event.payload_as(dict)["n"] % 3))
        return event.payload_as(dict)

    await bus.subscribe(topic, "g", handle, concurrency=50)
    replies = await asyncio.gather(*[bus.request(topic, "q", {"n": n}, dict) for n in range(200)])
    assert [reply["n"] for reply in replies] == list(range(200))


async def test_no_answer_is_an_answer(bus: Bus, topic: str) -> None:
    """A handler that returns None answers with null."""
    await bus.subscribe(topic, "g", Recorder())
    assert bytes(await bus.request(topic, "q", {})) == b"null"


@pytest.mark.parametrize("size", [23_990, 24_010, 100_000, 1_900_000])
@pytest.mark.by_url
async def test_a_long_reply_is_split_and_joined(bus: Bus, topic: str, size: int) -> None:
    """A reply longer than an event arrives whole, quotes and Russian text untouched."""
    text = 'я"\\\n' * (size // 8)
    assert len(msgspec.json.encode(Page([text]))) < REPLY_BYTES_MAX

    async def handle(_: Event) -> Page:
        return Page([text])

    await bus.subscribe(topic, "g", handle)
    assert (await bus.request(topic, "q", {}, Page)).lines == [text]


async def test_long_replies_may_mingle(bus: Bus, topic: str) -> None:
    """Split replies that travel at the same time are joined each from its own parts."""

    async def handle(event: Event) -> Page:
        return Page([event.payload_as(dict)["letter"] * 100_000])

    await bus.subscribe(topic, "g", handle)
    replies = await asyncio.gather(*[bus.request(topic, "q", {"letter": c}, Page) for c in "abcdefgh"])
    assert [reply.lines[0] for reply in replies] == [c * 100_000 for c in "abcdefgh"]


async def test_a_reply_over_2_mb_is_refused(bus: Bus, topic: str) -> None:
    """A reply beyond the limit becomes an error with a code, not a silence."""

    async def handle(_: Event) -> Page:
        return Page(["x" * REPLY_BYTES_MAX])

    await bus.subscribe(topic, "g", handle)
    with pytest.raises(RequestFailedError) as raised:
        await bus.request(topic, "q", {})
    assert raised.value.code == "reply_too_large"


async def test_a_refusal_has_its_code(bus: Bus, raw: Connection, topic: str) -> None:
    """RequestRefused reaches the requester with code and message, and is not tried again."""

    def refuse(_: Event) -> None:
        raise RequestRefused("not_found", "no such conversation")

    recorder = Recorder(refuse)
    await bus.subscribe(topic, "g", recorder)
    with pytest.raises(RequestFailedError) as raised:
        await bus.request(topic, "q", {})
    assert (raised.value.code, raised.value.message) == ("not_found", "no such conversation")
    await settled(raw, names.stream_of(topic), "g")
    assert len(recorder.events) == 1


async def test_a_crash_is_answered_at_once(bus: Bus, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that raises answers `internal` without details; those are in the log."""

    def crash(_: Event) -> None:
        raise ZeroDivisionError("secret")

    await bus.subscribe(topic, "g", Recorder(crash))
    with pytest.raises(RequestFailedError) as raised:
        await bus.request(topic, "q", {})
    assert (raised.value.code, raised.value.message) == ("internal", "ZeroDivisionError")
    assert "secret" in caplog.text


def never_set() -> Page:
    page = Page([])
    del page.lines
    return page


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (object(), "object"),
        (never_set(), "lines"),
        ({"x": [float("nan")]}, "x"),
        ({"text": "x" * 30_000, "y": float("inf")}, "y is inf"),
    ],
)
async def test_what_json_cannot_hold_is_no_reply(bus: Bus, topic: str, result: object, said: str) -> None:
    """A return value that cannot be encoded, or would arrive as another, becomes `reply_malformed`."""
    await bus.subscribe(topic, "g", Recorder(lambda _: asyncio.sleep(0, result)))
    with pytest.raises(RequestFailedError, match=said) as raised:
        await bus.request(topic, "q", {})
    assert raised.value.code == "reply_malformed"


async def test_a_reply_of_another_kind_is_named(bus: Bus, topic: str) -> None:
    """A reply that is not the type asked for is `reply_malformed`."""
    await bus.subscribe(topic, "g", Recorder(lambda _: asyncio.sleep(0, {"lines": 3})))
    with pytest.raises(RequestFailedError) as raised:
        await bus.request(topic, "q", {}, Page)
    assert raised.value.code == "reply_malformed"


async def test_nobody_there_times_out(bus: Bus, topic: str) -> None:
    """Without a responder the request ends at its deadline, and says which it was."""
    began = time.monotonic()
    with pytest.raises(RequestTimedOutError) as raised:
        await bus.request(topic, "q", {}, timeout_s=0.05)
    assert (raised.value.topic, raised.value.event_type, raised.value.timeout_s) == (topic, "q", 0.05)
    assert time.monotonic() - began < 5


async def test_a_request_waits_for_its_responder(bus: Bus, topic: str) -> None:
    """A request published before the responder is up is answered, within the deadline."""
    asking = asyncio.create_task(bus.request(topic, "q", {}, dict))
    await asyncio.sleep(0.02)
    await bus.subscribe(topic, "g", Recorder(lambda _: asyncio.sleep(0, {"late": True})))
    assert await asking == {"late": True}


async def test_an_expired_request_is_dropped(bus: Bus, raw: Connection, topic: str) -> None:
    """A request whose deadline is over is acknowledged without being handled."""
    with pytest.raises(RequestTimedOutError):
        await bus.request(topic, "q", {"n": 1}, timeout_s=0.02)
    recorder = Recorder()
    await asyncio.sleep(0.01)
    await bus.subscribe(topic, "g", recorder)
    await bus.request(topic, "q", {"n": 2})
    await settled(raw, names.stream_of(topic), "g")
    assert [event.payload_as(dict)["n"] for event in recorder.events] == [2]


async def test_the_reply_stream_is_tidy(config: BusConfig, raw: Connection, topic: str) -> None:
    """Read replies are removed while the bus lives, the stream expires without it, and closing deletes it."""
    async with Bus(config) as bus:
        stream = bus._requester._stream
        await bus.subscribe(topic, "g", Recorder())
        await bus.request(topic, "q", {})
        await length_is(raw, stream, 0)  # what was read keeps no copy of what it tells of
        await asyncio.gather(*(bus.request(topic, "q", {}) for _ in range(120)))
        await length_is(raw, stream, 0)
        assert 0 < await raw.call("TTL", stream) <= 60
    assert await raw.call("EXISTS", stream) == 0


async def test_parts_of_two_answers_make_none(config: BusConfig, topic: str) -> None:
    """A request that two groups answer at length gets one answer or the other, never some of each."""
    letters = {"a": 300_000, "b": 200_000}
    async with Bus(config) as asking, Bus(config) as one, Bus(config) as other:
        for bus, letter in ((one, "a"), (other, "b")):
            await bus.subscribe(
                topic, letter, Recorder(lambda _, letter=letter: asyncio.sleep(0, letter * letters[letter]))
            )
        for _ in range(20):
            text = await asking.request(topic, "q", {}, str)
            assert text == text[0] * letters[text[0]]


async def test_an_answer_goes_to_a_stream_of_replies_alone(
    bus: Bus, raw: Connection, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that names another key as its reply stream is handled and answered nowhere."""
    victim = names.stream_of(f"{topic}.victim")
    await raw.call("XADD", victim, "*", "e", "x")
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    bus._publisher.publish(topic, "q", {}, reply_to=victim)
    await recorder.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    assert (await raw.call("XLEN", victim), await raw.call("TTL", victim)) == (1, -1)
    assert "not a reply stream" in caplog.text


async def test_closing_ends_what_waits_for_an_answer(config: BusConfig, topic: str) -> None:
    """A request in the air fails when its bus closes, however long it would have waited."""
    async with Bus(config) as bus:
        asking = asyncio.create_task(bus.request(topic, "q", {}, timeout_s=3_600))
        await until(lambda: bus.counters.topic(topic).published, "the request")
    with pytest.raises(BusClosedError):
        await asking
    with pytest.raises(BusClosedError):
        await bus.request(topic, "q", {})


@pytest.mark.parametrize("timeout_s", [float("inf"), float("nan"), None, "1"])
async def test_a_deadline_is_a_number(bus: Bus, topic: str, timeout_s: object) -> None:
    """What is no number of seconds is refused by name and leaves nothing behind."""
    with pytest.raises(ValueError, match="timeout_s"):
        await bus.request(topic, "q", {}, timeout_s=timeout_s)  # type: ignore[arg-type]
    assert not bus._requester._waiting


async def test_a_bus_that_is_not_open_reads_no_replies(config: BusConfig, topic: str) -> None:
    """A request on it is refused, and begins no task that nobody would end."""
    bus = Bus(config)
    with pytest.raises(BusClosedError):
        await bus.request(topic, "q", {})
    assert bus._requester._reader is None


async def test_a_refusal_of_any_kind_is_told(bus: Bus, raw: Connection, topic: str) -> None:
    """A code or a message that is no text reaches who asked as text, and the request is acknowledged."""
    await bus.subscribe(topic, "g", Recorder(lambda _: refuse()))
    with pytest.raises(RequestFailedError) as raised:
        await bus.request(topic, "q", {})
    assert (raised.value.code, raised.value.message) == ("404", "{'no': 'page'}")
    await settled(raw, names.stream_of(topic), "g")


def refuse() -> None:
    raise RequestRefused(404, {"no": "page"})  # type: ignore[arg-type]


async def test_an_answer_that_is_none_is_said(bus: Bus, raw: Connection, topic: str) -> None:
    """A program of another language that answers with nonsense ends the request, which does not wait in vain."""
    recorder = Recorder(lambda _: asyncio.Event().wait())
    subscription = await bus.subscribe(topic, "g", recorder)
    asking = asyncio.create_task(bus.request(topic, "q", {}))
    [event] = await recorder.wait_for(1)
    nonsense = {
        "event_id": new_ulid(), "schema_version": 1, "topic": topic, "event_type": "reply_part",
        "timestamp": "", "payload": {"no": "text"},
        "meta": {"priority": "high", "retries": 0, "trace_id": "", "source": "x", "request_id": event.event_id},
    }  # fmt: skip
    assert event.meta.reply_to is not None
    await raw.call("XADD", event.meta.reply_to, "*", "e", msgspec.json.encode(nonsense))
    with pytest.raises(RequestFailedError) as raised:
        await asking
    assert raised.value.code == "reply_malformed"
    await subscription.stop(0.0)
