"""Output to the terminal: UTF-8 in every locale, one sentence for an error, tracebacks only in the log."""

import contextlib
import io
import re
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from titan_desktop.client import foreign

if TYPE_CHECKING:
    from titan_desktop.client.sentences import Language
    from titan_desktop.contracts.sources import Source

REDRAW_S = 0.1
_BAR_CELLS = 24
_UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def use_utf8() -> None:
    """Write UTF-8 on both streams; what cannot be encoded (a lone surrogate in a file's name) becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def line(text: str) -> str:
    """Return a name or a sentence with names in it as one line that a terminal shows as it is."""
    return foreign.name(foreign.without_isolates(text))


def say(text: str = "", *, end: str = "\n") -> None:
    """Print to stdout at once. Control characters of files and models, which a terminal would execute, are not."""
    print(foreign.text(text), end=end, flush=True)


def say_json(value: Any) -> None:
    """Print one JSON value on one line. It may be or hold contract structs.

    What is not seen is written as an escape (RFC 8259, 7): the value is the same, and a terminal executes nothing.
    """
    import msgspec

    print(_UNSEEN.sub(_escaped, msgspec.json.encode(value).decode()), flush=True)


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def source_as_json(source: "Source") -> dict[str, object]:
    """Return the fields that scripts may rely on.

    A passage of a file has "path", "title", "score", "passage", "kind" and "place": null, or its "type" ("pages",
    "slides", "lines", "cells") with "first", "last" and, for cells, "sheet".
    A fact has "fact_id" and "learned_at".
    """
    import msgspec

    fields: dict[str, object] = msgspec.to_builtins(source)
    return {name: value for name, value in fields.items() if name not in {"type", "position", "modified_ns"}}


def complain(sentence: str) -> None:
    """Print a sentence to stderr."""
    with contextlib.suppress(OSError, AttributeError):  # no stderr: a windowed program on Windows
        print(foreign.text(sentence), file=sys.stderr, flush=True)


def confess() -> None:
    """Log the current exception and tell the person where, in one sentence."""
    from titan_desktop.system import private_files
    from titan_desktop.system.bounded_file import BoundedFile
    from titan_desktop.system.paths import Paths

    log = Paths.from_environment().logs / "titan.log"
    try:
        private_files.make_folder(log.parent)
        with contextlib.closing(BoundedFile(log)) as file:
            file.append(traceback.format_exc().encode(errors="replace"))
    except OSError as error:
        complain(f"titan: an unexpected error, and its log {log} cannot be written: {error.strerror}.")
        return
    complain(f"titan: an unexpected error; please report it with the end of {log}.")


class Progress:
    """A progress bar on stderr if that is a terminal. `title` stands before it."""

    def __init__(self, title: str, language: "Language" = "en") -> None:
        from titan_desktop.client.pace import Pace  # heavy beside `--help`

        self._title = title
        self._language = language
        self._pace = Pace()
        self._shown = False
        self._drawn_at = 0.0
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def update(self, done: int, total: int) -> None:
        """Show the progress with its speed and the time left, at most ten times a second."""
        now = time.monotonic()
        self._pace.note(done, now)
        pace = self._pace.say(self._language, total - done, now)
        filled = _BAR_CELLS * done // total if total else 0
        bar = "█" * filled + "░" * (_BAR_CELLS - filled)
        self.note("  ".join(filter(None, (f"{bar} {done}/{total}", pace))))

    def note(self, so_far: str) -> None:
        """Show how far it is where nobody knows how far it goes."""
        now = time.monotonic()
        if not self._terminal or now - self._drawn_at < REDRAW_S:
            return
        self._shown, self._drawn_at = True, now
        print(f"\r\x1b[K{self._title} {so_far}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the bar."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
