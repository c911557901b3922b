"""`titan files`: looks at the folders that Titan reads, and changes what is in them, every change to be undone."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from titan_bus import Bus, RequestFailedError, Tail, new_ulid
from titan_desktop.client import handing, sizes
from titan_desktop.client.refusals import refusal
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import file_actions as actions
from titan_desktop.contracts import files, message
from titan_desktop.contracts.file_actions import (
    Action,
    ActionEnded,
    ActionState,
    OnExists,
    Refusal,
    RunUndone,
)
from titan_desktop.system.file_names import spelled, written
from titan_desktop.system.paths import Paths

ASK_TIMEOUT_S = 30.0
FORGET_TIMEOUT_S = 600.0
"""Everything that the bus keeps is read."""
ACT_TIMEOUT_S = 3_600.0
"""A large file is copied to a slow disk."""
_CHUNK_BYTES = 1 << 20

ENDED = message.Kinds(ActionEnded, RunUndone)
Ended = ActionEnded | RunUndone


def absolute(options: argparse.Namespace) -> None:
    """Make the paths of the options absolute, in place.

    Raises:
        UnicodeEncodeError: a name is no text, and cannot travel.
    """
    for name in ("path", "target", "source", "place"):
        if path := getattr(options, name, ""):
            path = spelled(os.path.abspath(path))  # noqa: PTH100 - without a look at links
            path.encode()
            setattr(options, name, path)


async def run(bus: Bus, options: argparse.Namespace, paths: Paths, says: sentences.Table) -> int:
    """Do what `options.act` says, and return the exit status."""
    try:
        match options.act:
            case "list":
                return await _list(bus, options, says)
            case "read":
                return await _read(bus, options)
            case "forget":
                return await _forget(bus, options, says)
    except RequestFailedError as error:
        return _complain(options.path, error.code, says)
    try:
        command = await asyncio.to_thread(_command, options, paths)
    except OSError as error:
        source = error.filename or options.source
        output.complain(says["cannot_read"].format(path=output.line(str(source)), reason=error.strerror))
        return exit_codes.USAGE
    async with listening(bus) as tail:
        action = await perform(bus, tail, command)
    if options.json:
        output.say_json(action)
    elif action.state is ActionState.DONE:
        output.say(done(says, action))
    return report(says, action)


def _command(options: argparse.Namespace, paths: Paths) -> message.BusMessage:
    """Return the command; for `write`, after the content was handed over."""
    action_id = new_ulid()
    on_exists = OnExists.NUMBER if getattr(options, "number", False) else OnExists.REFUSE
    if getattr(options, "replace", False):
        on_exists = OnExists.REPLACE
    match options.act:
        case "write":
            content_id = new_ulid()
            handing.hand_over(paths, content_id, _content(options.source))
            return actions.WriteFile(
                action_id=action_id, path=options.path, content_id=content_id, on_exists=on_exists,
                keep=not options.no_undo,
            )  # fmt: skip
        case "mkdir":
            return actions.MakeFolder(action_id=action_id, path=options.path)
        case "move":
            return actions.MovePath(
                action_id=action_id, path=options.path, target=options.target, on_exists=on_exists
            )
        case "delete":
            return actions.DeletePath(action_id=action_id, path=options.path)
        case "copy-in":
            return actions.CopyIn(
                action_id=action_id, source=options.source, path=options.path, on_exists=on_exists,
                keep=not options.no_undo,
            )  # fmt: skip
        case "copy-out":
            return actions.CopyOut(
                action_id=action_id, path=options.path, place=options.place, on_exists=on_exists
            )
    raise AssertionError(options.act)


def _content(source: str) -> Iterator[bytes]:
    """Yield a file, or standard input."""
    if source:
        with Path(written(source)).open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
    elif sys.stdin is not None:
        yield from iter(lambda: sys.stdin.buffer.read(_CHUNK_BYTES), b"")


@asynccontextmanager
async def listening(bus: Bus) -> AsyncIterator[Tail]:
    """Listen to the ends of actions from now on."""
    tail = bus.tail(ENDED.topics)
    try:
        await tail.start()
        yield tail
    finally:
        await tail.close()


async def perform(bus: Bus, tail: Tail, command: message.BusMessage) -> Action:
    """Send a command and return its action, once it has ended."""
    await message.publish(bus, command, priority="high")
    async for ended in ends(tail):
        if isinstance(ended, ActionEnded) and ended.action.id == getattr(command, "action_id", ""):
            return ended.action
    raise AssertionError("a tail ends only when it is closed")


async def ends(tail: Tail) -> AsyncIterator[Ended]:
    """Yield what has ended; a core that dies meanwhile finishes it after its restart."""
    while True:
        async with asyncio.timeout(ACT_TIMEOUT_S):
            event = await anext(tail)
        ended = ENDED.read(event)
        if isinstance(ended, ActionEnded | RunUndone):
            yield ended


def done(says: sentences.Table, action: Action) -> str:
    """Say what was done, and how it is undone."""
    size = sizes.size(sentences.language_of(says), action.size)
    said = says[f"files.{action.kind}"].format(
        path=output.line(action.path), target=output.line(action.target), size=size
    )
    return f"{said} {says['files.undo'].format(id=action.id)}" if action.undoable else said


def report(says: sentences.Table, action: Action) -> int:
    """Say on stderr why an action was refused, and return the exit status."""
    if action.state is ActionState.DONE:
        return exit_codes.DONE
    reason = refusal(sentences.language_of(says), action.refusal, action.detail)
    path = f"{output.line(action.path)}: " if action.path not in {"", "."} else ""
    output.complain(f"titan: {path}{output.line(reason)}")
    return exit_codes.PATH_REFUSED


async def _list(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    wanted = {
        "path": options.path, "hidden": options.all, "sort_by": files.SortBy(options.sort),
        "descending": options.reverse, "limit": 1_000,
    }  # fmt: skip
    page = await message.ask(bus, files.ListFolder(**wanted), ASK_TIMEOUT_S)
    entries = list(page.entries)
    while page.next_cursor:
        page = await message.ask(bus, files.ListFolder(**wanted, cursor=page.next_cursor), ASK_TIMEOUT_S)
        entries += page.entries
    if options.json:
        output.say_json({"path": page.path, "entries": entries})
    elif not entries:
        output.complain(says["files.empty"])
    else:
        _print(entries, says)
    return exit_codes.DONE if entries else exit_codes.NOTHING


def _print(entries: list[files.FolderEntry], says: sentences.Table) -> None:
    language = sentences.language_of(says)
    shown = ["" if entry.is_folder else sizes.size(language, entry.size) for entry in entries]
    width = max(map(len, shown))
    for entry, size in zip(entries, shown, strict=True):
        when = datetime.fromtimestamp(entry.modified_ns / 1e9).astimezone() if entry.modified_ns else None
        time = f"{when:%Y-%m-%d %H:%M}" if when else " " * 16
        output.say(f"{size:>{width}}  {time}  {output.line(entry.name)}{os.sep if entry.is_folder else ''}")


async def _read(bus: Bus, options: argparse.Namespace) -> int:
    page = await message.ask(bus, files.ReadFile(path=options.path), ASK_TIMEOUT_S)
    texts, encoding, size = [page.text], page.encoding, page.size
    while True:
        if not options.json:
            output.say(page.text, end="")
        if not page.next_offset:
            break
        wanted = files.ReadFile(path=options.path, offset=page.next_offset, encoding=encoding)
        page = await message.ask(bus, wanted, ASK_TIMEOUT_S)
        if options.json:
            texts.append(page.text)
    if options.json:
        said = {"path": page.path, "encoding": encoding, "bytes": size, "text": "".join(texts)}
        output.say_json(said)
    return exit_codes.DONE


async def _forget(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    if options.undo:
        return await _permit(bus, options, says)
    forgotten = await message.ask(bus, actions.ForgetFile(path=options.path), FORGET_TIMEOUT_S)
    if options.json:
        output.say_json(forgotten)
    else:
        output.say(
            says["files.forgotten"].format(
                passages=forgotten.passages, actions=forgotten.actions, contents=forgotten.contents
            )
        )
    if not forgotten.complete:
        output.complain(says["files.incomplete"])
    return exit_codes.DONE if forgotten.complete else exit_codes.NOTHING


async def _permit(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    permitted = await message.ask(bus, actions.PermitFile(path=options.path), ASK_TIMEOUT_S)
    if permitted.files:
        await message.publish(bus, files.IndexPaths(paths=(options.path,), job_id=new_ulid()))
    if options.json:
        output.say_json(permitted)
    else:
        key = "files.permitted" if permitted.files else "files.not_forgotten"
        output.say(says[key].format(files=permitted.files))
    return exit_codes.DONE if permitted.files else exit_codes.NOTHING


def _complain(path: str, code: str, says: sentences.Table) -> int:
    """Say why a folder or a file cannot be seen; codes are those of `Reason`, or `not_text`."""
    known = code in {Refusal.OUTSIDE, Refusal.VANISHED}
    said = refusal(sentences.language_of(says), Refusal(code)) if known else ""
    said = said or says.get(f"files.{code}", "") or sentences.for_reason(says, code)
    output.complain(f"titan: {output.line(path)}: {output.line(said)}")
    return exit_codes.PATH_REFUSED
