"""Requests with a deadline: a request names the stream for its answer.

Each bus has one such stream, `replies:<ulid>`. The first answer creates it, one task reads it, and it expires one
minute after the last answer. An answer longer than an event is split into several.

A deadline is a time on the requester's clock. A responder whose clock is ahead by more than the timeout skips the
request; one whose clock is behind answers requests that have timed out.
"""

import asyncio
import base64
import contextlib
import logging
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from titan_bus import codec, names
from titan_bus.connections.channel import Channel
from titan_bus.connections.connection import Connection, ignore_failure
from titan_bus.entry_id import EntryId
from titan_bus.error_groups import kind_of
from titan_bus.errors import (
    BusClosedError,
    BusError,
    EntryMalformedError,
    PayloadMismatchError,
    RequestFailedError,
    RequestRefused,
    RequestTimedOutError,
    speakable,
)
from titan_bus.event import Event, Meta, Payload, Priority, new_ulid
from titan_bus.observability.tracing import Tracing, ended
from titan_bus.publisher import Publisher
from titan_bus.running_time import limited
from titan_bus.supervisor import keep_going

REPLY_BYTES_MAX = 2 * 1024 * 1024
WHOLE_BYTES_MAX = 24_000
PART_BYTES_MAX = 23_000
"""A part is base64, 4 bytes for 3; the envelope needs the rest of the 32,768."""
REFUSAL_CHARS_MAX = 1_000
REPLIES_TTL_S = 60
READ_BEFORE_TRIM = 50
TRIM_AFTER_S = 0.2
REPLY = "reply"
REPLY_PART = "reply_part"
REPLY_REFUSED = "reply_refused"

_encoder = msgspec.json.Encoder()
logger = logging.getLogger("titan_bus")


class Refusal(msgspec.Struct, frozen=True):
    """The payload of `reply_refused`."""

    code: str
    message: str


class Responder:
    """Answers requests for the handlers of one bus."""

    def __init__(self, connection: Connection, publisher: Publisher, source: str, tracing: Tracing) -> None:
        self._connection = connection
        self._publisher = publisher
        self._source = source
        self._tracing = tracing

    def expired(self, event: Event) -> bool:
        """Whether the requester no longer waits for the answer."""
        return event.meta.deadline is not None and event.meta.deadline < _now_ms()

    async def answer(self, event: Event, result: object) -> None:
        """Send the handler's result, if the event asks for it."""
        if event.meta.reply_to is None or self.expired(event):
            return
        try:
            encoded = codec.encode_value(result)
            fault = await _fault_of(result, encoded)
        except ValueError as error:
            encoded, fault = b"", str(error)
        if fault:
            await self._refuse(event, "reply_malformed", fault)
        elif len(encoded) > REPLY_BYTES_MAX:
            await self._refuse(
                event, "reply_too_large", f"{len(encoded)} bytes, the limit is {REPLY_BYTES_MAX}"
            )
        elif len(encoded) <= WHOLE_BYTES_MAX:
            await self._send(event, REPLY, [encoded])
        else:
            chunks = [encoded[at : at + PART_BYTES_MAX] for at in range(0, len(encoded), PART_BYTES_MAX)]
            await self._send(event, REPLY_PART, [b'"' + base64.b64encode(chunk) + b'"' for chunk in chunks])

    async def refuse(self, event: Event, error: BaseException) -> None:
        """Send the handler's error: a refusal as it is, anything else as `internal` without its details."""
        if isinstance(error, RequestRefused):
            await self._refuse(event, error.code, error.message)
        else:
            await self._refuse(event, "internal", kind_of(error))

    async def _refuse(self, event: Event, code: str, message: str) -> None:
        refusal = Refusal(
            speakable(str(code))[:REFUSAL_CHARS_MAX], speakable(str(message))[:REFUSAL_CHARS_MAX]
        )
        await self._send(event, REPLY_REFUSED, [_encoder.encode(refusal)])

    async def _send(self, event: Event, event_type: str, payloads: list[bytes]) -> None:
        stream = event.meta.reply_to
        if stream is None:
            return
        if not names.is_replies(stream):  # otherwise a request could make us write to any key, and expire it
            logger.warning(
                "request %s asks for its reply on %r, which is not a reply stream", event.event_id, stream
            )
            return
        reply_id = new_ulid()
        trace = self._tracing.publishing(names.REPLIES, event_type, reply_id)
        sent = []
        for part, payload in enumerate(payloads):
            meta = Meta(
                priority=Priority.HIGH,
                retries=0,
                trace_id=trace.trace_id,
                parent_id=trace.parent_id,
                source=self._source,
                request_id=event.event_id,
                part=part,
                parts=len(payloads),
            )
            # All parts have one id: a request may be answered twice, and parts of two answers must not be mixed.
            sent.append(
                self._publisher.send(
                    stream,
                    event.topic,
                    event_type,
                    msgspec.Raw(payload),
                    meta,
                    reply_id,
                    over=self._connection,
                )
            )
        # After the answer and on its connection: before it there would be no key, and the answer would never
        # expire.
        sent.append(self._connection.call("EXPIRE", stream, REPLIES_TTL_S))
        answered = asyncio.gather(*sent)
        if trace.end is not None:
            answered.add_done_callback(partial(ended, trace.end))
        await answered


class _Waiting:
    """One pending request, and the parts that arrived of each answer to it, by the answer's id."""

    __slots__ = ("future", "parts")

    def __init__(self) -> None:
        self.future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self.parts: dict[str, dict[int, bytes]] = {}


class Requester:
    """Sends requests and matches the answers. Reading begins with the first request."""

    def __init__(
        self,
        connection: Connection,
        open_channel: Callable[[str], Channel],
        publisher: Publisher,
        block_ms: int,
    ) -> None:
        self._connection = connection
        self._publisher = publisher
        self._block_ms = block_ms
        self._stream = names.replies_of(new_ulid())
        self._channel = open_channel(self._stream)
        self._position = b"0-0"
        self._read_since_trim = 0
        self._trimming: asyncio.TimerHandle | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._closed = False
        self._reader: asyncio.Task[None] | None = None

    async def request(
        self, topic: str, event_type: str, payload: Payload, timeout_s: float, source: str | None = None
    ) -> msgspec.Raw:
        """Publish a request and return the undecoded payload of its reply.

        Raises:
            RequestTimedOutError: no answer within `timeout_s`.
            RequestFailedError: the responder refused.
            BusUnavailableError: the server was away for so long that the request could not be published; as
                AccessRefusedError: nobody answered within `timeout_s`, and the server does not let us in.
            PublishRefusedError: the request is malformed or too long.
            BusClosedError: the bus is not open, or was closed meanwhile.
            ValueError: `timeout_s` is no number of seconds.
        """
        if not isinstance(timeout_s, int | float) or not math.isfinite(timeout_s):
            raise ValueError(f"timeout_s is a number of seconds, not {timeout_s!r}")
        deadline = _now_ms() + int(timeout_s * 1000)
        event_id = new_ulid()
        self._begin_reading()
        waiting = self._waiting[event_id] = _Waiting()
        try:
            async with limited(timeout_s):
                await self._publisher.publish(
                    topic, event_type, payload, Priority.HIGH,
                    reply_to=self._stream, deadline=deadline, event_id=event_id, source=source,
                )  # fmt: skip
                return await waiting.future
        except TimeoutError as error:
            if (refusal := self._connection.refusal()) is not None:
                raise refusal from error
            raise RequestTimedOutError(topic, event_type, timeout_s) from error
        finally:
            del self._waiting[event_id]
            if waiting.future.done():
                ignore_failure(waiting.future)  # failed while the request was being sent

    async def close(self) -> None:
        """Stop reading, fail the pending requests, and delete the reply stream."""
        self._closed = True
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(BusClosedError())
        if self._trimming is not None:
            self._trimming.cancel()
        reader, self._reader = self._reader, None
        if reader is None:
            return
        reader.cancel()
        await asyncio.wait([reader])
        self._channel.close()
        with contextlib.suppress(BusError):  # it expires later by itself
            await self._connection.call("DEL", self._stream, patience_s=0.0)

    def _begin_reading(self) -> None:
        if self._closed:
            raise BusClosedError
        if self._reader is None:
            name = "titan_bus replies"
            self._reader = asyncio.create_task(keep_going(self._read, name), name=name)

    async def _read(self) -> None:
        reply: Any = await self._channel.call(
            "XREAD", "COUNT", 100, "BLOCK", self._block_ms, "STREAMS", self._stream, self._position,
            block_s=self._block_ms / 1000,
        )  # fmt: skip
        for _, entries in reply or ():
            for entry_id, fields in entries:
                self._position = entry_id
                with contextlib.suppress(EntryMalformedError):
                    self._match(codec.decode(fields))
            self._read_since_trim += len(entries)
        if self._read_since_trim >= READ_BEFORE_TRIM:
            self._trim()
        elif self._read_since_trim and self._trimming is None:
            self._trimming = asyncio.get_running_loop().call_later(TRIM_AFTER_S, self._trim)

    def _trim(self) -> None:
        """Remove what was read, so that an answer does not outlive an erased event."""
        if self._trimming is not None:
            self._trimming.cancel()
        self._trimming, self._read_since_trim = None, 0
        behind = EntryId.parse(self._position).next()
        with contextlib.suppress(BusError):  # then the next call does it
            self._connection.call("XTRIM", self._stream, "MINID", str(behind)).add_done_callback(
                ignore_failure
            )

    def _match(self, event: Event) -> None:
        waiting = self._waiting.get(event.meta.request_id or "")
        if waiting is None or waiting.future.done():
            return
        if event.event_type == REPLY:
            waiting.future.set_result(event.encoded_payload)
            return
        try:
            if event.event_type == REPLY_REFUSED:
                refusal = event.payload_as(Refusal)
                waiting.future.set_exception(RequestFailedError(refusal.code, refusal.message))
            else:
                _join(waiting, event)
        except PayloadMismatchError as error:
            waiting.future.set_exception(RequestFailedError("reply_malformed", str(error)))


def _join(waiting: _Waiting, event: Event) -> None:
    """Add a part of an answer; the last one completes it."""
    parts = waiting.parts.setdefault(event.event_id, {})
    parts[event.meta.part] = event.payload_as(bytes)
    if len(parts) == event.meta.parts:
        whole = b"".join(part for _, part in sorted(parts.items()))
        waiting.future.set_result(msgspec.Raw(whole))


async def _fault_of(result: object, encoded: bytes) -> str:
    """See `codec.fault_of`; a long answer is searched in a thread, 2 MiB take some 100 ms."""
    if len(encoded) > REPLY_BYTES_MAX:
        return ""  # too large is fault enough
    if len(encoded) > WHOLE_BYTES_MAX:
        return await asyncio.to_thread(codec.fault_of, result, encoded)
    return codec.fault_of(result, encoded)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
