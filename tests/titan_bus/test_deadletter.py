"""Dead letters: looked up, given back, dropped."""

import asyncio
import logging
import tracemalloc
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from titan_bus import Bus, BusConfig, Event, FatalError, codec, deadletter, names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.deadletter import DeadLetter, DeadLetters
from titan_bus.errors import EntryMalformedError, ServerRefusedError

from .conftest import Recorder, Server, settled, until

pytestmark = pytest.mark.logs("goes to the dead letters")

MakeDeadLetters = Callable[..., Awaitable[list[str]]]


class Failing(Recorder):
    """A handler that refuses everything until it is mended."""

    def __init__(self) -> None:
        super().__init__(self._refuse)
        self.mended = False

    def _refuse(self, event: Event) -> None:
        if not self.mended:
            raise FatalError(f"no {event.event_type}")


async def letters_are(bus: Bus, topic: str, count: int) -> list[DeadLetter]:
    """Wait until a topic has so many dead letters, and return them, newest first."""

    async def check() -> bool:
        return await bus.dead_letters.count(topic=topic) == count

    await until(check, f"{count} dead letters")
    return await bus.dead_letters.list(topic=topic)


@pytest.mark.by_url
async def test_a_letter_goes_back_to_the_group_that_failed(bus: Bus, raw: Connection, topic: str) -> None:
    """Given back, an event comes to its own group alone, as if never tried; other groups see nothing."""
    failing, content = Failing(), Recorder()
    await bus.subscribe(topic, "failing", failing)
    await bus.subscribe(topic, "content", content)
    event_id = await bus.publish(topic, "e", {"a": 1}, priority="low")
    (letter,) = await letters_are(bus, topic, 1)
    failing.mended = True
    assert await bus.dead_letters.redrive(letter.letter_id) == 1
    await failing.wait_for(2)
    await settled(raw, names.retries_of("failing", topic), "failing")
    assert failing.events[0] == failing.events[1]
    assert content.ids == [event_id]
    assert await bus.dead_letters.count(topic=topic) == 0
    assert await bus.dead_letters.get(letter.letter_id) is None


async def test_a_long_message_is_cut(bus: Bus, topic: str) -> None:
    """An error of three million characters is no letter of that length: the server's memory holds it."""

    def fault(_: Event) -> None:
        raise FatalError("no stock " * 333_333)

    await bus.subscribe(topic, "g", Recorder(fault))
    await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    assert letter.origin.message == ("no stock " * 333_333)[:2_000]
    assert len(letter.origin.traceback) == 8_000


async def test_a_letter_goes_back_to_all(bus: Bus, topic: str) -> None:
    """Given back to the topic, an event comes to every group again, under its own id."""
    failing, content = Failing(), Recorder()
    await bus.subscribe(topic, "failing", failing)
    await bus.subscribe(topic, "content", content)
    event_id = await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    failing.mended = True
    assert await bus.dead_letters.redrive(letter.letter_id, to="topic") == 1
    await failing.wait_for(2)
    await content.wait_for(2)
    assert content.ids == [event_id, event_id]


async def test_what_was_retried_is_given_back_as_new(bus: Bus, topic: str) -> None:
    """An event that failed on its retry stream goes back uncounted, and is retried as often again."""
    failing = Recorder(lambda _: 1 // 0)
    await bus.subscribe(topic, "g", failing)
    await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    assert letter.topic == topic
    assert letter.origin.stream == names.retries_of("g", topic)
    assert len(failing.events) == 9
    await bus.dead_letters.redrive(letter.letter_id)
    await letters_are(bus, topic, 1)
    assert [event.meta.retries for event in failing.events] == [*range(9)] * 2


async def test_unknown_fields_come_back_with_the_event(bus: Bus, raw: Connection, topic: str) -> None:
    """What a newer publisher wrote into the envelope is not lost on the way through the dead letters."""
    failing = Failing()
    await bus.subscribe(topic, "g", failing)
    await raw.call("XADD", names.stream_of(topic), "*", codec.FIELD, unknown_field_event(topic))
    (letter,) = await letters_are(bus, topic, 1)
    failing.mended = True
    await bus.dead_letters.redrive(letter.letter_id, to="topic")
    await failing.wait_for(2)
    entries = await raw.call("XRANGE", names.stream_of(topic), "-", "+")
    assert b'"shade":"blue"' in entries[-1][1][1]


def unknown_field_event(topic: str) -> bytes:
    return (
        f'{{"event_id":"01E","schema_version":1,"topic":"{topic}","event_type":"e","timestamp":"",'
        '"payload":{},"shade":"blue","meta":{"priority":"low","retries":0,"trace_id":"","source":""}}'
    ).encode()


async def test_given_back_twice_is_given_back_once(bus: Bus, raw: Connection, topic: str) -> None:
    """The step is atomic: a command that is sent again, or two people at once, bring one event."""
    failing = Failing()
    await bus.subscribe(topic, "g", failing)
    await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    failing.mended = True
    both = await asyncio.gather(*(bus.dead_letters.redrive(letter.letter_id) for _ in range(2)))
    assert sorted(both) == [0, 1]
    words = (
        "EVAL",
        scripts.REDRIVE,
        2,
        names.DEAD_LETTERS,
        names.stream_of(topic),
        letter.letter_id,
        "e",
        "x",
    )
    assert await raw.call(*words) == 0
    await failing.wait_for(2)
    await settled(raw, names.retries_of("g", topic), "g")
    assert len(failing.events) == 2


async def test_what_a_stream_refuses_stays_a_dead_letter(bus: Bus, raw: Connection, topic: str) -> None:
    """A redrive that the server refuses in the midst of its script loses nothing."""
    await bus.subscribe(topic, "g", Failing())
    await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    other = msgspec.structs.replace(letter.origin, stream=names.stream_of(f"{topic}.other"))
    fields = [part for name, value in letter.fields.items() for part in (name.encode(), value)]
    packed = deadletter.pack(other, fields)
    letter_id = (await raw.call("XADD", names.DEAD_LETTERS, "*", *packed)).decode()
    await raw.call("SET", names.retries_of("g", f"{topic}.other"), "no stream")
    with pytest.raises(ServerRefusedError):
        await bus.dead_letters.redrive(letter_id)
    assert await bus.dead_letters.get(letter_id) is not None
    await bus.dead_letters.drop(letter_id)


async def test_in_a_cluster_it_is_written_before_it_is_removed(
    bus: Bus, raw: Connection, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one step cannot have both keys, the event is there first and the letter goes then."""
    failing = Failing()
    await bus.subscribe(topic, "g", failing)
    await bus.publish(topic, "e", {})
    (letter,) = await letters_are(bus, topic, 1)
    failing.mended = True
    sent: list[str] = []

    class Across:
        """A connection whose server has the two keys in different slots."""

        def call(self, *words: object) -> asyncio.Future[object]:
            sent.append(str(words[0]))
            if words[0] == "EVAL":
                refused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
                refused.set_exception(
                    ServerRefusedError("CROSSSLOT Keys in request don't hash to the same slot")
                )
                return refused
            return raw.call(*words)  # type: ignore[arg-type]  # words of ours

    assert await DeadLetters(Across()).redrive(letter.letter_id) == 1  # type: ignore[arg-type]  # as much of one
    assert sent == ["XRANGE", "EVAL", "XADD", "XDEL"]
    await failing.wait_for(2)
    assert await bus.dead_letters.count(topic=topic) == 0


@pytest.mark.by_url
async def test_letters_are_found_by_topic_group_and_error(bus: Bus, topic: str) -> None:
    """A filter holds for listing (newest first), counting, and selecting (oldest first)."""
    other = f"other-{topic}"
    await bus.subscribe(topic, "a", Failing())
    await bus.subscribe(topic, "b", Recorder(lambda event: event.payload_as(int)))
    await bus.subscribe(other, "a", Failing())
    for _ in range(2):
        await bus.publish(topic, "e", {})
    await bus.publish(other, "e", {})
    letters = bus.dead_letters
    newest_first = await letters_are(bus, topic, 4)
    await letters_are(bus, other, 1)
    oldest_first = [letter async for letter in letters.select(topic=topic)]
    assert newest_first == oldest_first[::-1]
    assert [letter.letter_id for letter in newest_first] == sorted(
        (letter.letter_id for letter in newest_first),
        key=lambda i: [int(n) for n in i.split("-")],
        reverse=True,
    )
    assert await letters.count(topic=topic, group="a") == 2
    assert await letters.count(topic=topic, error="PayloadMismatchError") == 2
    assert await letters.count(topic=topic, group="a", error="PayloadMismatchError") == 0
    assert await letters.count() >= 5
    assert await letters.list(1, topic=topic) == newest_first[:1]
    older = await letters.list(2, topic=topic, before=newest_first[0].letter_id)
    assert older == newest_first[1:3]
    assert await letters.get(newest_first[2].letter_id) == newest_first[2]


async def test_counting_keeps_no_letter(bus: Bus, raw: Connection, topic: str) -> None:
    """Counting by topic holds a page of letters at a time, however many there are."""
    origin = deadletter.origin_of(ValueError(), names.stream_of(topic), "g", b"1-1")
    packed = deadletter.pack(origin, [b"x", b"x" * 20_000])
    await asyncio.gather(*(raw.call("XADD", names.DEAD_LETTERS, "*", *packed) for _ in range(1_000)))
    tracemalloc.start()
    try:
        assert await bus.dead_letters.count(topic=topic) == 1_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    await bus.dead_letters.drop(*[letter.letter_id async for letter in bus.dead_letters.select(topic=topic)])


async def test_a_selection_ends_though_what_it_gives_back_fails_again(bus: Bus, topic: str) -> None:
    """Giving everything back while the handler still fails comes to an end: new letters are not selected."""
    failing = Failing()
    await bus.subscribe(topic, "g", failing)
    for number in range(5):
        await bus.publish(topic, "e", {"number": number})
    await letters_are(bus, topic, 5)
    given_back = 0
    async for letter in bus.dead_letters.select(topic=topic):
        given_back += await bus.dead_letters.redrive(letter.letter_id)
        await failing.wait_for(5 + given_back)
        await letters_are(bus, topic, 5)
    assert given_back == 5


async def test_many_go_at_once(bus: Bus, topic: str) -> None:
    """Drop and redrive take as many ids as there are, pass over what is gone, and tell how many there were."""
    failing = Failing()
    await bus.subscribe(topic, "g", failing)
    for number in range(250):
        bus.publish(topic, "e", {"number": number})
    ids = [letter.letter_id for letter in await collected(bus, topic, 250)]
    failing.mended = True
    assert await bus.dead_letters.drop(*ids[:130], ids[0]) == 130
    assert await bus.dead_letters.redrive(*ids) == 120
    assert await bus.dead_letters.redrive() == await bus.dead_letters.drop() == 0
    await failing.wait_for(370)
    assert await bus.dead_letters.count(topic=topic) == 0


async def collected(bus: Bus, topic: str, count: int) -> list[DeadLetter]:
    await letters_are(bus, topic, count)
    return [letter async for letter in bus.dead_letters.select(topic=topic)]


@pytest.mark.parametrize("letter_id", ["", "-", "5", "a-b", "1-1-1", "1-+"])
async def test_what_is_no_id_is_refused(bus: Bus, letter_id: str) -> None:
    """A wrong id is said to be one; nothing else is given back or dropped on the way."""
    for call in (bus.dead_letters.get, bus.dead_letters.redrive, bus.dead_letters.drop):
        with pytest.raises(ValueError, match="is no id of a dead letter, such as"):
            await call(letter_id)


async def test_what_is_no_event_goes_back_as_it_is(bus: Bus, raw: Connection, topic: str) -> None:
    """An entry that was no event keeps its fields, byte for byte, on the way back."""
    fields = [b"shape", b"\xff\x00", b"e", b"{", b"\xff", b"one", b"k", b"1", b"k", b"2", b"d", b"3"]
    error = EntryMalformedError("none")
    origin = deadletter.origin_of(error, names.stream_of(topic), "g", b"1-1")
    letter_id = await raw.call("XADD", names.DEAD_LETTERS, "*", *deadletter.pack(origin, fields))
    letter = await bus.dead_letters.get(letter_id.decode())
    assert letter is not None
    assert letter.event is None
    assert await bus.dead_letters.redrive(letter.letter_id) == 1
    ((_, back),) = await raw.call("XRANGE", names.retries_of("g", topic), "-", "+")
    assert back == fields


async def test_an_entry_of_thousands_of_fields_goes_back(bus: Bus, raw: Connection, topic: str) -> None:
    """More fields than a script can hand over are no hindrance on the way back."""
    fields = [b"%d" % n for n in range(10_000)]
    origin = deadletter.origin_of(EntryMalformedError("none"), names.stream_of(topic), "g", b"1-1")
    letter_id = await raw.call("XADD", names.DEAD_LETTERS, "*", *deadletter.pack(origin, fields))
    assert await bus.dead_letters.redrive(letter_id.decode()) == 1
    ((_, back),) = await raw.call("XRANGE", names.retries_of("g", topic), "-", "+")
    assert back == fields
    assert await bus.dead_letters.get(letter_id.decode()) is None


async def test_what_others_wrote_there_is_shown_and_can_be_dropped(bus: Bus, raw: Connection) -> None:
    """An entry of somebody else's in `errors.dlq` stops no listing; it has no way back, and says so."""
    letter_id = (await raw.call("XADD", names.DEAD_LETTERS, "*", "hello", "world")).decode()
    letter = await bus.dead_letters.get(letter_id)
    assert letter is not None
    assert letter.topic is None
    assert letter.fields == {"hello": b"world"}
    with pytest.raises(ValueError, match="no topic's stream"):
        await bus.dead_letters.redrive(letter_id)
    assert await bus.dead_letters.drop(letter_id) == 1


@pytest.mark.parametrize("words_max", [1_000, 0])
async def test_what_makes_room_is_counted_and_said(
    server: Server,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    words_max: int,
) -> None:
    """Beyond the limit the oldest letters go, by the script and without: counted, and said, but not each time."""
    monkeypatch.setattr("titan_bus.scripts.WORDS_MAX", words_max)
    monkeypatch.setattr("titan_bus.deadletter.DEAD_LETTERS_MAX", 20)
    async with Bus(BusConfig(url=server.url)) as bus:
        await bus.subscribe(topic, "g", Failing(), concurrency=8)
        await asyncio.gather(*(bus.publish(topic, "e", {}) for _ in range(100)))
        counters = bus.counters.group(topic, "g")
        await until(lambda: counters.dead == 100, "the letters")
        assert counters.displaced == 100 - await bus.dead_letters.count()
        assert counters.displaced > 50
    (said,) = [text for text in map(logging.LogRecord.getMessage, caplog.records) if "is full" in text]
    assert "errors.dlq is full (20 letters)" in said
    assert "titan-bus dlq redrive" in said
    caplog.clear()


async def test_a_letter_that_is_sent_again_drives_out_nothing(raw: Connection, topic: str) -> None:
    """Dead-lettering an entry for the second time adds no dead letter."""
    stream = names.stream_of(topic)
    await raw.call("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM")
    entry_id = await raw.call("XADD", stream, "*", "e", "x")
    await raw.call("XREADGROUP", "GROUP", "g", "c", "STREAMS", stream, ">")
    command = ("EVAL", scripts.DEAD_LETTER, 2, stream, f"letters:{topic}", "g", entry_id, 10, "d", "{}")
    assert [await raw.call(*command) for _ in range(2)] == [0, 0]
    assert await raw.call("XLEN", f"letters:{topic}") == 1
