"""`titan undo`: shows what taking back an action or a run would do, asks, and does it; or lists the ledger."""

import argparse
import sys
from datetime import datetime

from titan_bus import Bus, RequestFailedError, new_ulid
from titan_desktop.client import sizes
from titan_desktop.client.refusals import refusal
from titan_desktop.commands import exit_codes, files, output, sentences
from titan_desktop.contracts import message
from titan_desktop.contracts.file_actions import (
    Action,
    ActionEnded,
    ActionState,
    ListActions,
    PreviewUndo,
    Refusal,
    RunUndone,
    UndoAction,
    UndoPreview,
    UndoRun,
    UndoStep,
)

_PAGE = 200
_YES = frozenset({"y", "yes", "д", "да"})


async def run(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    """List, or preview and undo; return the exit status."""
    if options.list:
        return await _list(bus, options, says)
    action_id = options.action or ("" if options.run else await _newest(bus))
    if not action_id and not options.run:
        output.complain(says["undo.nothing"])
        return exit_codes.NOTHING
    try:
        preview = await message.ask(
            bus, PreviewUndo(action_id=action_id, run_id=options.run), files.ASK_TIMEOUT_S
        )
    except RequestFailedError as error:
        if error.code != "not_found":
            raise
        output.complain(f"titan: {refusal(sentences.language_of(says), Refusal.UNKNOWN)}")
        return exit_codes.NOTHING
    if not options.json:
        _print(preview, says, force=options.force)
    if not any(_is_possible(step, force=options.force) for step in preview.steps):
        if options.json:
            output.say_json({"steps": preview.steps, "ended": []})
        return exit_codes.PATH_REFUSED
    if not options.yes and not _confirmed(says):
        return exit_codes.USAGE
    ended = await _undo(bus, options, action_id, says)
    if options.json:
        output.say_json({"steps": preview.steps, "ended": ended})
    refused = any(action.state is not ActionState.DONE for action in ended)
    return exit_codes.PATH_REFUSED if refused else exit_codes.DONE


async def _newest(bus: Bus) -> str:
    """Return the newest action that can be undone and is none of an undoing; "" for none."""
    page = await message.ask(bus, ListActions(limit=_PAGE), files.ASK_TIMEOUT_S)
    while True:
        for action in page.actions:
            if action.undoable and not action.undone_by and not action.undoes:
                return action.id
        if not page.next_cursor:
            return ""
        page = await message.ask(bus, ListActions(limit=_PAGE, cursor=page.next_cursor), files.ASK_TIMEOUT_S)


async def _undo(bus: Bus, options: argparse.Namespace, action_id: str, says: sentences.Table) -> list[Action]:
    """Undo, telling each end as it comes; return the actions that were made."""
    command = (
        UndoAction(action_id=new_ulid(), undone_id=action_id, force=options.force)
        if action_id
        else UndoRun(action_id=new_ulid(), undone_run_id=options.run, force=options.force)
    )
    made: list[Action] = []
    async with files.listening(bus) as tail:
        await message.publish(bus, command, priority="high")
        async for ended in files.ends(tail):
            match ended:
                case ActionEnded(action=action) if command.action_id in {action.id, action.run_id}:
                    made.append(action)
                    files.report(says, action)
                    if action.state is ActionState.DONE and not options.json:
                        output.say(files.done(says, action))
                    if isinstance(command, UndoAction):
                        break
                case RunUndone(action_id=command.action_id):
                    break
    return made


def _confirmed(says: sentences.Table) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        output.complain(says["undo.needs_yes"])
        return False
    if input(says["undo.ask"]).strip().lower() in _YES:
        return True
    output.complain(says["undo.left"])
    return False


def _is_possible(step: UndoStep, *, force: bool) -> bool:
    return not step.obstacle or (force and step.can_force)


def _print(preview: UndoPreview, says: sentences.Table, *, force: bool) -> None:
    language = sentences.language_of(says)
    for step in preview.steps:
        size = sizes.size(language, step.size)
        said = says[f"undo.{step.kind}"].format(
            path=output.line(step.path), target=output.line(step.target), size=size
        )
        output.say(f"- {said}")
        if not _is_possible(step, force=force):
            output.say(f"  {output.line(refusal(language, step.obstacle))}")
    if preview.more:
        output.say(f"- {says['undo.more']}")


async def _list(bus: Bus, options: argparse.Namespace, says: sentences.Table) -> int:
    shown: list[Action] = []
    cursor = ""
    while True:
        wanted = ListActions(limit=_PAGE, run_id=options.run, cursor=cursor)
        page = await message.ask(bus, wanted, files.ASK_TIMEOUT_S)
        shown += page.actions
        for action in () if options.json else page.actions:
            output.say(_line(action, says))
        if not (cursor := page.next_cursor):
            break
    if options.json:
        output.say_json(shown)
    elif not shown:
        output.complain(says["undo.none"])
    return exit_codes.DONE if shown else exit_codes.NOTHING


def _line(action: Action, says: sentences.Table) -> str:
    time = datetime.fromisoformat(action.asked_at).astimezone()
    what = says[f"undo.list.{action.kind}"]
    way = f"{action.path} → {action.target}" if action.target else action.path
    if action.state is not ActionState.DONE:
        mark = says["undo.list.refused"]
    else:
        mark = says["undo.list.undone"] if action.undone_by else ""
    return f"{time:%Y-%m-%d %H:%M}  {action.id}  {what} {output.line(way)}{f'  ({mark})' if mark else ''}"
