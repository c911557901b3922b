"""What takes an action back, and what stands in its way: whatever others have changed since is not overwritten.

Blocking functions, for threads. They look at the disk, and change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from titan_desktop.contracts.file_actions import Action, ActionKind, ActionState, OnExists, Refusal, UndoStep
from titan_desktop.ports.contents import Contents
from titan_desktop.ports.file_changes import ChangeRefusedError, FileChanges
from titan_desktop.ports.files_root import FilesRoot, FilesRootError
from titan_desktop.ports.ledger import Entry
from titan_desktop.services.files.plans import Plan, digest_of, is_same, looked_at

_MAY_GO = frozenset({Refusal.CHANGED, Refusal.VANISHED, Refusal.EXISTS})
_CAN_FORCE = frozenset({Refusal.CHANGED})


@dataclass(frozen=True, slots=True)
class _Way:
    """How an action would be taken back, if nothing stands in the way."""

    kind: ActionKind
    path: str
    target: str = ""
    size: int = 0
    obstacle: Refusal = Refusal.NONE


def step(entry: Entry, files_root: FilesRoot, changes: FileChanges, contents: Contents) -> UndoStep:
    """Return what taking back an action would do now."""
    action = entry.action
    way = _way(entry, files_root, changes, contents)
    obstacle = way.obstacle
    if action.undone_by:
        obstacle = Refusal.UNDONE
    elif action.state is not ActionState.DONE or action.kind is ActionKind.COPY_OUT:
        obstacle = Refusal.NOT_UNDOABLE
    return UndoStep(
        action=action,
        kind=way.kind,
        path=way.path,
        target=way.target,
        size=way.size,
        obstacle=obstacle,
        can_force=obstacle in _CAN_FORCE,
    )


def preview(
    entries: Sequence[Entry], files_root: FilesRoot, changes: FileChanges, contents: Contents
) -> tuple[UndoStep, ...]:
    """Return the steps of a run in their order.

    What is in the way of a step whose paths an earlier one changes will have changed by then: it is not told.
    """
    steps: list[UndoStep] = []
    changed: set[Path] = set()
    for entry in entries:
        one = step(entry, files_root, changes, contents)
        paths = {Path(path) for path in (one.path, one.target) if path}
        if one.obstacle in _MAY_GO and any(_touch(path, other) for path in paths for other in changed):
            one = msgspec.structs.replace(one, obstacle=Refusal.NONE, can_force=False)
        changed |= paths
        steps.append(one)
    return tuple(steps)


def _touch(path: Path, other: Path) -> bool:
    return path.is_relative_to(other) or other.is_relative_to(path)


def plan(
    entry: Entry, step: UndoStep, action_id: str, run_id: str, contents: Contents, *, force: bool
) -> Plan:
    """Return the plan of a step. What the step has seen is looked at once more when it is done."""
    content = entry.before
    return Plan(
        id=action_id,
        run_id=run_id,
        kind=step.kind,
        path=Path(step.path),
        target=Path(step.target) if step.target else None,
        on_exists=OnExists.REPLACE if step.kind is ActionKind.WRITE else OnExists.REFUSE,
        source=(lambda: contents.open(content)) if step.kind is ActionKind.WRITE else None,
        expected="" if force else entry.after,
        trashed=entry.trashed,
        inode=entry.inode if step.kind is ActionKind.RESTORE or not force else 0,
        undoes=entry.action.id,
    )


def _way(entry: Entry, files_root: FilesRoot, changes: FileChanges, contents: Contents) -> _Way:
    action = entry.action
    match action.kind:
        case ActionKind.WRITE | ActionKind.COPY_IN:
            return _way_of_content(entry, changes, contents)
        case ActionKind.MAKE_FOLDER:
            return _Way(ActionKind.DELETE, action.path, obstacle=_emptiness(action, files_root, changes))
        case ActionKind.MOVE:
            obstacle = _at(entry, ActionKind.MOVE, changes, action.target) or _free(changes, action.path)
            return _Way(ActionKind.MOVE, action.target, target=action.path, obstacle=obstacle)
        case ActionKind.DELETE:
            kept = changes.in_trash(entry.trashed, entry.inode)
            obstacle = _free(changes, action.path) if kept else Refusal.NOT_KEPT
            return _Way(ActionKind.RESTORE, action.path, obstacle=obstacle)
        case ActionKind.RESTORE:
            return _Way(
                ActionKind.DELETE, action.path, obstacle=_at(entry, ActionKind.DELETE, changes, action.path)
            )
    return _Way(action.kind, action.path, target=action.target)


def _way_of_content(entry: Entry, changes: FileChanges, contents: Contents) -> _Way:
    path = entry.action.path
    if not entry.replaced:
        return _Way(ActionKind.DELETE, path, obstacle=_seen(entry, changes))
    obstacle = _but_gone(_seen(entry, changes)) if contents.has(entry.before) else Refusal.NOT_KEPT
    return _Way(ActionKind.WRITE, path, size=contents.size(entry.before), obstacle=obstacle)


def _seen(entry: Entry, changes: FileChanges) -> Refusal:
    """Compare what is there now with what the action made."""
    try:
        now = digest_of(changes, Path(entry.action.path))
    except ChangeRefusedError as error:
        return error.refusal
    if not now:
        return Refusal.VANISHED
    return Refusal.NONE if now == entry.after else Refusal.CHANGED


def _but_gone(seen: Refusal) -> Refusal:
    """A file that somebody has deleted since is written again only when that is insisted on."""
    return Refusal.CHANGED if seen is Refusal.VANISHED else seen


def _emptiness(action: Action, files_root: FilesRoot, changes: FileChanges) -> Refusal:
    try:
        if changes.inode(Path(action.path)) == 0:
            return Refusal.VANISHED
        return Refusal.CHANGED if files_root.listing(Path(action.path)) else Refusal.NONE
    except ChangeRefusedError as error:
        return error.refusal
    except FilesRootError:
        return Refusal.VANISHED


def _at(entry: Entry, kind: ActionKind, changes: FileChanges, path: str) -> Refusal:
    """Compare what would be moved back or deleted with what the action moved or restored."""
    try:
        now = looked_at(changes, Path(path))
    except ChangeRefusedError as error:
        return error.refusal
    return Refusal.NONE if is_same(kind, entry.inode, entry.after, now) else Refusal.CHANGED


def _free(changes: FileChanges, path: str) -> Refusal:
    try:
        return Refusal.EXISTS if changes.inode(Path(path)) else Refusal.NONE
    except ChangeRefusedError as error:
        return error.refusal
