"""Server-sent events out of a response's bytes, wherever they are cut.

The `openai` package has a decoder of its own, which cannot be used here: it hands on an event for every line that
means nothing (`retry:`, an `id:` and from then on every blank line), takes its empty data for JSON and ends the
answer; a byte order mark costs it the first event; a body that is no stream it reads as no events; and it tells
nobody whether a stream said `[DONE]` or was cut. See https://html.spec.whatwg.org/multipage/server-sent-events.html,
"9.2.6 Interpreting an event stream".
"""

import codecs
from collections.abc import Iterator
from typing import NamedTuple

LINE_BYTES_MAX = 2_000_000
"""A line that is longer than any answer is no line of an event stream."""


class LineTooLongError(ValueError):
    """A line has more than LINE_BYTES_MAX bytes."""


class ServerEvent(NamedTuple):
    """One event with data. `name` is "" for an ordinary one."""

    name: str
    data: str


class EventDecoder:
    """Takes bytes, gives events. Comments, empty data, `id` and `retry` give none."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yield the events that are complete with these bytes.

        Raises:
            LineTooLongError: there is no end to a line.
        """
        for piece in chunk.splitlines(keepends=True):  # bytes are split at CR, LF and CRLF, and nothing else
            if self._after_cr and piece == b"\n":
                self._after_cr = False
                continue
            self._after_cr = piece.endswith(b"\r")
            content = piece.rstrip(b"\r\n")
            self._line.append(content)
            self._line_bytes += len(content)
            if self._line_bytes > LINE_BYTES_MAX:
                raise LineTooLongError
            if len(content) < len(piece):
                yield from self._take_line()

    def finish(self) -> Iterator[ServerEvent]:
        """Yield the event that the stream ended in: some servers leave out the last blank line."""
        yield from self._take_line()
        yield from self._dispatch()

    def _take_line(self) -> Iterator[ServerEvent]:
        raw = b"".join(self._line)
        self._line.clear()
        self._line_bytes = 0
        if self._at_start:
            self._at_start = False
            raw = raw.removeprefix(codecs.BOM_UTF8)
        line = raw.decode("utf-8", "replace")
        if not line:
            yield from self._dispatch()
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
        if data.strip():
            yield ServerEvent(name, data)
