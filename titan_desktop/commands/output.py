"""What reaches the terminal: UTF-8 whatever the locale, one sentence for an error, a traceback only in the log."""

import contextlib
import io
import sys
import traceback


def use_utf8() -> None:
    """Write UTF-8 on both streams; what cannot be encoded (a lone surrogate in a file's name) becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


def complain(sentence: str) -> None:
    """Print a sentence to stderr."""
    with contextlib.suppress(OSError, AttributeError):  # no stderr: a windowed program on Windows
        print(sentence, file=sys.stderr)


def confess() -> None:
    """Log the exception in hand and tell the person where, in one sentence."""
    from titan_desktop.paths import Paths

    log = Paths.from_environment().logs / "titan.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("a", encoding="utf-8", errors="replace") as file:
            file.write(traceback.format_exc())
    except OSError as error:
        complain(f"titan: an unexpected error, and its log {log} cannot be written: {error.strerror}.")
        return
    complain(f"titan: an unexpected error; please report it with the end of {log}.")
