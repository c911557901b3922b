"""`titan import`: puts conversations of another program into the history, a line a message."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from titan_bus import Bus
from titan_desktop.commands import exit_codes, output, recalling, sentences
from titan_desktop.contracts import message
from titan_desktop.contracts.recall import TEXT_BYTES_MAX, ImportedMessage, ImportMessages

ASK_TIMEOUT_S = 60.0
_BATCH_BYTES = 20_000
"""Of the texts of one request, unless one is longer: an event has 32 KB."""
_NAME_MAX = 500
"""Characters of an id, a conversation, a speaker."""
_ROLES = ("user", "assistant")


class BadLineError(Exception):
    """A line that is no message; `key` names the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _Line(msgspec.Struct):
    id: str
    conversation: str
    text: str
    created_at: str
    role: str = "user"
    speaker: str | None = None


def opened(path: str) -> IO[bytes]:
    """Open the file, or standard input for "-".

    Raises:
        OSError: it cannot be read.
    """
    return sys.stdin.buffer if path == "-" else Path(path).open("rb")


async def run(bus: Bus, options: argparse.Namespace, file: IO[bytes], says: sentences.Table) -> int:
    """Import every line that is a message, say the others, and return the exit status."""
    new = known = bad = 0
    shown = output.Progress(says["import.reading"]) if not options.json else None
    with file:
        for batch in _batches(_read(file)):
            messages = [one for _, one in batch if isinstance(one, ImportedMessage)]
            for number, one in batch:
                if isinstance(one, BadLineError):
                    bad += 1
                    output.complain(says["import.bad"].format(line=number, why=says[f"import.{one.key}"]))
            if messages:
                reply = await message.ask(bus, ImportMessages(messages=tuple(messages)), ASK_TIMEOUT_S)
                new, known = new + reply.new, known + reply.known
            if shown is not None:
                shown.note(str(new + known))
    if new:
        if shown is not None:
            shown.note(says["import.indexing"])
        await recalling.until_indexed(bus, None)
    if shown is not None:
        shown.clear()
        output.say(says["import.done"].format(new=new, known=known, bad=bad))
    else:
        output.say_json({"new": new, "known": known, "bad": bad})
    return exit_codes.DONE if not bad else exit_codes.NOTHING


def _read(file: IO[bytes]) -> Iterator[tuple[int, ImportedMessage | BadLineError]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            yield number, read_line(line)
        except BadLineError as error:
            yield number, error


def read_line(line: bytes) -> ImportedMessage:
    """Read a message.

    Raises:
        BadLineError: it is none.
    """
    try:
        read = msgspec.convert(json.loads(line.decode("utf-8-sig")), _Line)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise BadLineError("no_message") from error
    text = read.text.encode("utf-8", "replace")
    if (
        len(text) > TEXT_BYTES_MAX
        or max(map(len, (read.id, read.conversation, read.speaker or ""))) > _NAME_MAX
    ):
        raise BadLineError("too_long")
    if not read.text.strip() or not read.id or not read.conversation:
        raise BadLineError("empty")
    if read.role not in _ROLES:
        raise BadLineError("role")
    try:
        said_at = datetime.fromisoformat(read.created_at)
        said_at = said_at.replace(tzinfo=said_at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLineError("time") from error
    return ImportedMessage(
        id=_clean(read.id), conversation=_clean(read.conversation), role=read.role, text=_clean(read.text),
        said_at=said_at.isoformat(), speaker=_clean(read.speaker or ""),
    )  # fmt: skip


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _batches(
    lines: Iterator[tuple[int, ImportedMessage | BadLineError]],
) -> Iterator[list[tuple[int, ImportedMessage | BadLineError]]]:
    batch: list[tuple[int, ImportedMessage | BadLineError]] = []
    size = 0
    for number, one in lines:
        own = len(msgspec.json.encode(one)) if isinstance(one, ImportedMessage) else 100
        if batch and size + own > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((number, one))
        size += own
    if batch:
        yield batch
