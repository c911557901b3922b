"""`titan backup`: has the core write everything into one file, and says how large it became."""

import argparse
import asyncio
import getpass
import sys

from titan_bus import Bus, new_ulid
from titan_desktop.client import backup_key, sizes
from titan_desktop.client.backup_key import BackupKey
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import message
from titan_desktop.contracts.backup import BackupFailed, BackupGrew, BackupMade, MakeBackup

SILENCE_S = 120.0
"""A core that has said nothing for so long does not make the backup."""

_TOLD = message.Kinds(BackupGrew, BackupMade, BackupFailed)


def password(options: argparse.Namespace, says: sentences.Table) -> str | None:
    """Return the password to encrypt with, "" for none, None when two that were typed differ or none was given."""
    if not options.password:
        return ""
    if sys.stdin is None or not sys.stdin.isatty():
        return (sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else "") or None
    typed = getpass.getpass(says["backup.password"])
    return typed if typed and typed == getpass.getpass(says["backup.once_more"]) else None


async def run(bus: Bus, options: argparse.Namespace, path: str, chosen: str, says: sentences.Table) -> int:
    """Make the backup at `path`, under the `chosen` password or none, and return the exit status."""
    key = await asyncio.to_thread(backup_key.new, chosen) if chosen else BackupKey("", "")
    job = MakeBackup(job_id=new_ulid(), path=path, recipient=key.recipient, sealed_key=key.sealed_key)
    language = sentences.language_of(says)
    shown = output.Progress(says["backup.reading"]) if not options.json else None
    tail = bus.tail(_TOLD.topics)
    try:
        await tail.start()
        await message.publish(bus, job)
        async with asyncio.timeout(SILENCE_S) as patience:
            async for event in tail:
                told = _TOLD.read(event)
                if told is None or told.job_id != job.job_id:
                    continue
                patience.reschedule(asyncio.get_running_loop().time() + SILENCE_S)
                match told:
                    case BackupGrew(read_bytes=count) if shown is not None:
                        shown.note(sizes.size(language, count))
                    case BackupMade():
                        _show(told, options, says, encrypted=bool(chosen))
                        return exit_codes.DONE
                    case BackupFailed(problem=problem):
                        output.complain(f"titan: {output.line(sentences.for_problem(says, problem))}")
                        return exit_codes.NOT_REACHED
    except TimeoutError:
        output.complain(says["no_answer"])
    finally:
        if shown is not None:
            shown.clear()
        await tail.close()
    return exit_codes.NOT_REACHED


def _show(made: BackupMade, options: argparse.Namespace, says: sentences.Table, *, encrypted: bool) -> None:
    if options.json:
        output.say_json(
            {
                "path": made.path, "bytes": made.size, "encrypted": encrypted,
                "conversations": made.conversations, "messages": made.messages, "files": made.files,
            }
        )  # fmt: skip
        return
    size = sizes.size(sentences.language_of(says), made.size)
    output.say(
        says["backup.made"].format(
            path=output.line(made.path), size=size, conversations=made.conversations,
            messages=made.messages, files=made.files,
        )
    )  # fmt: skip
    if not encrypted:
        output.say(says["backup.readable"])
