"""The dead letters in `errors.dlq`, with the error, the origin and the bytes of each entry.

It has 10,000 dead letters and a few more. Beyond that the oldest are removed, for good unless they are archived.
"""

import asyncio
import logging
import re
import traceback
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Literal

import msgspec

from titan_bus import codec, errors, names, scripts
from titan_bus.connections.connection import Connection
from titan_bus.error_groups import kind_of, message_of
from titan_bus.errors import EntryMalformedError, ServerRefusedError
from titan_bus.event import Event, timestamp_now

DEAD_LETTERS_MAX = 10_000
"""With their tracebacks usually some 100 MB, in the memory of the server."""
OVERFLOW_EVERY_S = 60.0
"""How often removed dead letters are logged: when it happens there are thousands."""
MESSAGE_CHARS_MAX = 2_000
TRACEBACK_CHARS_MAX = 8_000
PAGE = 100
_INFO = b"d"
ORIGINAL = b"raw:"
"""The prefix of the entry's original fields, which follow byte for byte."""
_LETTER_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")

logger = logging.getLogger("titan_bus")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The error of a dead letter, and where its entry was: stream, group and entry id."""

    error: str
    message: str
    traceback: str
    stream: str
    group: str
    entry_id: str
    at: str


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter. `event` is None when the entry was no event; `fields` has its bytes in any case.

    `redrive` uses the original entry; here names are made readable, and of two equal names the last is shown.
    """

    letter_id: str
    origin: Origin
    fields: dict[str, bytes]
    event: Event | None

    @property
    def topic(self) -> str | None:
        """Its topic; None when its origin is no stream of the bus."""
        origin = self.origin
        return names.topic_of(origin.stream) or names.topic_of_retries(origin.stream, origin.group)

    def is_of(self, topic: str | None = None, group: str | None = None, error: str | None = None) -> bool:
        """Whether it has this topic, group and error name; None matches any."""
        return (
            topic in {None, self.topic}
            and group in {None, self.origin.group}
            and error in {None, self.origin.error}
        )


def origin_of(error: BaseException, stream: str, group: str, entry_id: bytes) -> Origin:
    """Describe the failure of an entry."""
    return Origin(
        error=kind_of(error),
        message=message_of(error)[:MESSAGE_CHARS_MAX],
        traceback=_trace_of(error)[-TRACEBACK_CHARS_MAX:],
        stream=stream,
        group=group,
        entry_id=entry_id.decode(),
        at=timestamp_now(),
    )


def _trace_of(error: BaseException) -> str:
    try:
        return errors.speakable("".join(traceback.format_exception(error)))
    except Exception:  # noqa: BLE001 -- an error whose own code raises is a dead letter like others
        return ""


def pack(origin: Origin, fields: Sequence[bytes]) -> list[bytes]:
    """Return the flat fields of a dead letter's entry."""
    packed = [_INFO, msgspec.json.encode(origin)]
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        packed += [ORIGINAL + name, value]
    return packed


class Overflow:
    """Logs, at most once a minute, that the dead letters of a subscription displace the oldest."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._untold = 0
        self._said_at = float("-inf")

    def note(self, gone: int) -> None:
        """Count displaced dead letters."""
        self._untold += gone
        now = asyncio.get_running_loop().time()
        if not self._untold or now - self._said_at < OVERFLOW_EVERY_S:
            return
        logger.error(
            "%s: %s is full (%d letters), %d of the oldest were removed for new ones: mend the cause, then empty "
            "it with `titan-bus dlq redrive` or `titan-bus dlq drop`",
            self._name, names.DEAD_LETTERS, DEAD_LETTERS_MAX, self._untold,
        )  # fmt: skip
        self._untold, self._said_at = 0, now


class DeadLetters:
    """Reads, redrives and drops dead letters. Consumers write them, in one step with the acknowledgement.

    `select` chooses several dead letters:

        ids = [letter.letter_id async for letter in bus.dead_letters.select(group="billing")]
        await bus.dead_letters.redrive(*ids)
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(
        self,
        limit: int = 100,
        *,
        topic: str | None = None,
        group: str | None = None,
        error: str | None = None,
        before: str | None = None,
    ) -> list[DeadLetter]:
        """Return the newest dead letters of a topic, a group or an error's class name, newest first.

        With a `letter_id` as `before`, only those older than it.
        """
        found: list[DeadLetter] = []
        end = f"({before}" if before else "+"
        while len(found) < limit:
            count = PAGE if topic or group or error else min(PAGE, limit - len(found))
            page: list[Any] = await self._connection.call(
                "XREVRANGE", names.DEAD_LETTERS, end, "-", "COUNT", count
            )
            letters = [_unpack(letter_id, fields) for letter_id, fields in page]
            found += [letter for letter in letters if letter.is_of(topic, group, error)]
            if len(page) < count:
                break
            end = f"({letters[-1].letter_id}"
        return found[:limit]

    def __aiter__(self) -> AsyncIterator[DeadLetter]:
        """Iterate over all current dead letters, oldest first."""
        return self.select()

    async def select(
        self, *, topic: str | None = None, group: str | None = None, error: str | None = None
    ) -> AsyncIterator[DeadLetter]:
        """Iterate over the current dead letters of a topic, a group or an error's class name, oldest first."""
        newest: list[Any] = await self._connection.call("XREVRANGE", names.DEAD_LETTERS, "+", "-", "COUNT", 1)
        # The end is fixed here, because a redriven event that fails at once is added at the end.
        start, end = "-", newest[0][0] if newest else "-"
        while True:
            page: list[Any] = await self._connection.call(
                "XRANGE", names.DEAD_LETTERS, start, end, "COUNT", PAGE
            )
            for letter_id, fields in page:
                letter = _unpack(letter_id, fields)
                if letter.is_of(topic, group, error):
                    yield letter
            if len(page) < PAGE:
                return
            start = f"({page[-1][0].decode()}"

    async def count(
        self, *, topic: str | None = None, group: str | None = None, error: str | None = None
    ) -> int:
        """Return the number of dead letters of a topic, a group or an error's class name."""
        if topic is None and group is None and error is None:
            return int(await self._connection.call("XLEN", names.DEAD_LETTERS))
        counted = 0
        async for _ in self.select(topic=topic, group=group, error=error):  # a list may take 100 MB
            counted += 1
        return counted

    async def get(self, letter_id: str) -> DeadLetter | None:
        """Return a dead letter; None when it does not exist.

        Raises:
            ValueError: the id is malformed.
        """
        entry = await self._entry(letter_id)
        return None if entry is None else _unpack(*entry)

    async def redrive(self, *letter_ids: str, to: Literal["group", "topic"] = "group") -> int:
        """Redrive dead letters: their events are delivered again, as if for the first time. Returns how many.

        Each is removed from the dead letters in the same atomic step. In a cluster, or with hundreds of fields, it
        is written first and removed then: a kill in between doubles it.

        Args:
            letter_ids: the dead letters; missing ones are skipped.
            to: "group" delivers only to the group that failed, "topic" to every group of the topic.

        Raises:
            ValueError: an id is malformed, or a dead letter's origin is no stream of the bus.
            BusUnavailableError: the server does not answer; the former ones are redriven.
        """
        moved = 0
        for letter_id in letter_ids:
            entry = await self._entry(letter_id)
            if entry is not None:
                moved += await self._redrive(_unpack(*entry), _original(entry[1]), to)
        return moved

    async def drop(self, *letter_ids: str) -> int:
        """Remove dead letters for good. Returns how many.

        Raises:
            ValueError: an id is malformed.
        """
        for letter_id in letter_ids:
            _check(letter_id)
        dropped = 0
        for at in range(0, len(letter_ids), PAGE):
            some = letter_ids[at : at + PAGE]
            dropped += int(await self._connection.call("XDEL", names.DEAD_LETTERS, *some))
        return dropped

    async def _entry(self, letter_id: str) -> tuple[bytes, Sequence[bytes]] | None:
        _check(letter_id)
        page: list[Any] = await self._connection.call(
            "XRANGE", names.DEAD_LETTERS, letter_id, letter_id, "COUNT", 1
        )
        return (page[0][0], page[0][1]) if page else None

    async def _redrive(
        self, letter: DeadLetter, fields: Sequence[bytes], to: Literal["group", "topic"]
    ) -> int:
        topic = letter.topic
        if topic is None:
            raise ValueError(
                f"{letter.letter_id} comes from {letter.origin.stream!r}, which is no topic's stream"
            )
        stream = names.stream_of(topic) if to == "topic" else names.retries_of(letter.origin.group, topic)
        if letter.event is not None:
            fields = [codec.FIELD, codec.with_retries(codec.body(fields), 0)]
        if len(fields) <= scripts.WORDS_MAX:
            try:
                return int(
                    await self._connection.call(
                        "EVAL", scripts.REDRIVE, 2, names.DEAD_LETTERS, stream, letter.letter_id, *fields
                    )
                )
            except ServerRefusedError as error:
                if error.code != "CROSSSLOT":
                    raise
        await self._connection.call("XADD", stream, "*", *fields)
        return int(await self._connection.call("XDEL", names.DEAD_LETTERS, letter.letter_id))


def _check(letter_id: str) -> None:
    if not _LETTER_ID.fullmatch(letter_id):
        raise ValueError(f"{letter_id!r} is no id of a dead letter, such as 1700000000000-0")


def _unpack(letter_id: bytes, packed: Sequence[bytes]) -> DeadLetter:
    try:
        origin = msgspec.json.decode(dict(_pairs(packed)).get(_INFO, b""), type=Origin)
    except msgspec.MsgspecError as error:  # another program wrote into errors.dlq
        origin = Origin(
            error="",
            message=f"no dead letter of ours: {error}",
            traceback="",
            stream="",
            group="",
            entry_id="",
            at="",
        )
    fields = _original(packed)
    try:
        event = codec.decode(fields)
    except EntryMalformedError:
        event = None
    return DeadLetter(
        letter_id=letter_id.decode(),
        origin=origin,
        fields={name.decode(errors="backslashreplace"): value for name, value in _pairs(fields)},
        event=event,
    )


def _original(packed: Sequence[bytes]) -> Sequence[bytes]:
    """Return the flat fields of the dead letter's original entry."""
    return [
        part
        for name, value in _pairs(packed)
        if name != _INFO
        for part in (name.removeprefix(ORIGINAL), value)
    ]


def _pairs(fields: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(fields[::2], fields[1::2], strict=False)
