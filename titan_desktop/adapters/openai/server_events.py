"""Decodes server-sent events from a response's bytes, wherever these are cut.

The `openai` package has a decoder of its own, which cannot be used here. It yields an event for lines that mean
nothing (`retry:`, an `id:` and from then on every blank line), parses their empty data as JSON and ends the
answer. A byte order mark costs it the first event. It reads a body that is no stream as no events. And it does
not tell whether a stream ended with `[DONE]` or was cut. See
https://html.spec.whatwg.org/multipage/server-sent-events.html, "9.2.6 Interpreting an event stream".
"""

import codecs
from collections.abc import Iterator
from typing import NamedTuple

EVENT_BYTES_MAX = 2_000_000
"""A line, or an event of many, that is longer than any answer is none of an event stream."""


class EventTooLongError(ValueError):
    """An event has more than EVENT_BYTES_MAX bytes."""


class ServerEvent(NamedTuple):
    """One event with data. `name` is "" for an ordinary one."""

    name: str
    data: str


class EventDecoder:
    """Takes bytes, gives events. Comments, empty data, `id` and `retry` give none.

    A line that is an object by itself is an event, too: so Ollama tells what broke its stream.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._event_bytes = 0
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yield the events that are complete with these bytes.

        Raises:
            EventTooLongError: there is no end to a line, or to an event.
        """
        for piece in chunk.splitlines(keepends=True):  # bytes are split at CR, LF and CRLF, and nothing else
            if self._after_cr and piece == b"\n":
                self._after_cr = False
                continue
            self._after_cr = piece.endswith(b"\r")
            content = piece.rstrip(b"\r\n")
            self._line.append(content)
            self._event_bytes += len(piece)
            if self._event_bytes > EVENT_BYTES_MAX:
                raise EventTooLongError
            if len(content) < len(piece):
                yield from self._take_line()

    def finish(self) -> Iterator[ServerEvent]:
        """Yield the event that the stream ended in: some servers leave out the last blank line."""
        yield from self._take_line()
        yield from self._dispatch()

    def _take_line(self) -> Iterator[ServerEvent]:
        raw = b"".join(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            raw = raw.removeprefix(codecs.BOM_UTF8)
        line = raw.decode("utf-8", "replace")
        if not line:
            yield from self._dispatch()
            return
        if line.startswith("{") and line.rstrip().endswith("}"):
            yield from self._dispatch()
            yield ServerEvent("", line)
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        elif (
            field == "error"
        ):  # llama.cpp and its kin: not in the specification, and the only word on what broke
            self._name = "error"
            self._data.append(value)

    def _dispatch(self) -> Iterator[ServerEvent]:
        name, data = self._name, "\n".join(self._data)
        self._name = ""
        self._data.clear()
        self._event_bytes = 0
        if data.strip():
            yield ServerEvent(name, data)
