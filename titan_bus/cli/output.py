"""Output to the terminal: JSON lines for programs, aligned tables for people, UTF-8 in every locale."""

import contextlib
import io
import os
import select
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

import msgspec

from titan_bus.cli import exit_codes
from titan_bus.cli.failures import CommandError

_UNSAFE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "�")
_STYLES = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "cyan": "36"}
GAP = "  "


def use_utf8() -> None:
    """Write UTF-8 on both streams; what cannot be encoded (a lone surrogate in a file's name) becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def line_of(text: str) -> str:
    """Return `text` as one line without control characters, which a terminal would execute."""
    return " ".join(text.split()).translate(_UNSAFE)


def width_of(text: str) -> int:
    """Return the number of terminal cells of `text` (Unicode Standard Annex 11; combining marks have none)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def local_time(timestamp: str | None) -> str:
    """Return an RFC 3339 time in the local time zone; other text unchanged."""
    if timestamp is None:
        return ""
    try:
        moment = datetime.fromisoformat(timestamp).astimezone()
    except (ValueError, OverflowError):
        return line_of(timestamp)
    return moment.isoformat(sep=" ", timespec="milliseconds")[:23]


def duration(milliseconds: float) -> str:
    """Return a duration in the unit that fits: `850 ms`, `12.5 s`, `3 min`, `5 h`, `2 d`."""
    for limit, size, unit in ((1_000, 1, "ms"), (60_000, 1_000, "s"), (3_600_000, 60_000, "min")):
        if milliseconds < limit:
            return f"{milliseconds / size:.3g} {unit}"
    hours = milliseconds / 3_600_000
    return f"{hours:.3g} h" if hours < 48 else f"{hours / 24:.3g} d"  # noqa: PLR2004 -- two days


def complain(sentence: str) -> None:
    """Write a sentence to stderr."""
    if sys.stderr is not None:  # print would take None for stdout
        with contextlib.suppress(OSError):  # the reader is gone
            print(f"titan-bus: {sentence}", file=sys.stderr, flush=True)


def hush(stream: TextIO) -> None:
    """Discard what a stream has buffered: the interpreter flushes it at exit (Python docs, SIGPIPE)."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Output:
    """The output of a command. `json` is for programs."""

    def __init__(self, *, json: bool, stream: TextIO | None = None) -> None:
        self.json = json
        self._stream: TextIO | None = sys.stdout if stream is None else stream
        self._deaf = False
        # None when the program was started with it closed, which matters only to commands that write.
        self.terminal = self._stream is not None and self._stream.isatty()
        self._colour = (
            self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
        )

    @property
    def heard(self) -> bool:
        """Whether the output may still be read; True where the system cannot tell."""
        if self._stream is None or not hasattr(select, "poll"):  # not on Windows
            return True
        poll = select.poll()
        try:
            poll.register(self._stream.fileno(), 0)
        except (OSError, ValueError):  # a stream in memory
            return True
        return not poll.poll(0)

    def record(self, value: Any) -> None:
        """Write one JSON value on its own line."""
        encoded = msgspec.json.encode(value)
        if b"\n" in encoded:  # a payload with line breaks between its fields
            encoded = msgspec.json.format(encoded, indent=-1)
        self.line(encoded.decode(errors="replace"))

    def line(self, text: str = "") -> None:
        """Write a line and flush."""
        self.text(f"{text}\n")

    def text(self, whole: str) -> None:
        """Write a document unchanged.

        Raises:
            BrokenPipeError: the reader is gone.
            CommandError: the disk is full, or the output is closed.
        """
        if self._stream is None:
            raise CommandError("standard output is closed: there is nowhere to write to.")
        try:
            self._stream.write(whole)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            hush(self._stream)
            raise CommandError(
                f"the output cannot be written: {error.strerror}.", exit_codes.REFUSED
            ) from error

    def report(self, value: Any, text: str) -> None:
        """Write `value` or `text` about completed work; a closed pipe does not stop the work."""
        if self._deaf or self._stream is None:
            return
        try:
            self.record(value) if self.json else self.line(text)
        except BrokenPipeError:
            self._deaf = True
            hush(self._stream)

    def note(self, text: str) -> None:
        """Write a remark for people; programs do not read it."""
        complain(text)

    def ask(self, question: str) -> None:
        """Write a question to stderr, without a line break."""
        if sys.stderr is not None:
            print(question, end="", file=sys.stderr, flush=True)

    def paint(self, style: str, text: str) -> str:
        """Return `text` in a style if the terminal has colours."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write an aligned table, numbers to the right; on a terminal the last column is cut to its width."""
        cells = [["" if cell is None else line_of(str(cell)) for cell in row] for row in rows]
        widths = [max(map(width_of, column)) for column in zip(columns, *cells, strict=True)]
        right = [
            bool(rows) and all(isinstance(row[i], int | None) for row in rows) for i in range(len(columns))
        ]
        self.line(self.paint("bold", self._row(columns, widths, right)))
        for row in cells:
            self.line(self._row(row, widths, right))

    def _row(self, cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
        padded = []
        for cell, width, to_right in zip(cells, widths, right, strict=True):
            room = " " * (width - width_of(cell))
            padded.append(room + cell if to_right else cell + room)
        return self.fit(GAP.join(padded).rstrip())

    def fit(self, text: str) -> str:
        """Cut a line to the terminal's width; pipes and files get the whole line."""
        if not self.terminal or width_of(text) <= (limit := shutil.get_terminal_size().columns):
            return text
        while width_of(text) > limit - 1:
            text = text[: -max(1, (width_of(text) - limit) // 2)]
        return text + "…"
