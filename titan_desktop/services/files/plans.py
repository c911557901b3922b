"""What an action is to do, taken from its command; and what one that was cut off has done.

Blocking functions, for threads. They decide by the disk and the store of contents alone, and change nothing.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from titan_desktop.contracts.file_actions import ActionKind, OnExists, Refusal
from titan_desktop.ports.contents import ContentRefusedError, Contents
from titan_desktop.ports.file_changes import ChangeRefusedError, FileChanges, Prepared
from titan_desktop.ports.ledger import Entry

NUMBERS_MAX = 1_000
HASHED_BYTES_MAX = 64 * 1024 * 1024
"""A larger file is not read to be moved or deleted: its inode tells whether it is the same."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One action that is asked for.

    Attributes:
        source: opens the content, for WRITE and COPY_IN.
        discard_source: removes it when the action has ended.
        expected: the digest of what is replaced, moved or deleted; "" for any.
        inode: of what is moved, deleted, or restored from the trash; 0 for any. See `is_same`.
    """

    id: str
    run_id: str
    kind: ActionKind
    path: Path
    target: Path | None = None
    on_exists: OnExists = OnExists.REFUSE
    keep: bool = True
    source: Callable[[], BinaryIO] | None = field(default=None, compare=False)
    discard_source: Callable[[], None] | None = field(default=None, compare=False)
    expected: str = ""
    trashed: str = ""
    inode: int = 0
    undoes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A prepared change, and what the ledger is to know of it. `detail` of the entry's action is empty."""

    change: Prepared
    path: Path
    target: Path | None = None
    before: str = ""
    replaced: bool = False
    inode: int = 0
    digest: str = ""


def names(path: Path, on_exists: OnExists) -> Iterator[Path]:
    """Yield the path, and with NUMBER "lease (2).txt", "lease (3).txt" and so on."""
    yield path
    if on_exists is OnExists.NUMBER:
        for number in range(2, NUMBERS_MAX):
            yield path.with_name(f"{path.stem} ({number}){path.suffix}")


def prepare(plan: Plan, path: Path, changes: FileChanges, contents: Contents) -> Ready:
    """Prepare a plan; `path` is the name to be made, one of `names`: the target of a move, else the plan's path.

    Raises:
        ChangeRefusedError: nothing was changed.
    """
    match plan.kind:
        case ActionKind.WRITE | ActionKind.COPY_IN:
            return _content(plan, path, changes, contents)
        case ActionKind.MAKE_FOLDER:
            return Ready(change=changes.folder(path), path=path)
        case ActionKind.MOVE:
            inode, digest = _checked(plan, changes)
            change = changes.move(plan.path, path)
            return Ready(change=change, path=plan.path, target=path, inode=inode, digest=digest)
        case ActionKind.DELETE:
            inode, _ = _checked(plan, changes)
            return Ready(change=changes.trash(plan.path), path=plan.path, inode=inode)
        case ActionKind.RESTORE:
            change = changes.restore(plan.trashed, plan.inode, path)
            return Ready(change=change, path=path, inode=plan.inode, digest=_digest_in_trash(plan, changes))
        case ActionKind.COPY_OUT:
            return Ready(change=changes.copy_out(plan.path, path, plan.id), path=plan.path, target=path)
    raise AssertionError(plan.kind)


def is_same(kind: ActionKind, inode: int, digest: str, now: tuple[int, str]) -> bool:
    """Whether what is there `now` (its inode and digest) is what an action has made or moved.

    A file that is moved back may have been edited, or saved by rename, but not both. One that is deleted must have
    its content, for that would go; a folder, or a file too large to be hashed, is known by its inode alone.
    """
    if not inode and not digest:
        return True
    if kind is ActionKind.MOVE:
        return now[0] == inode or (digest != "" and now[1] == digest)
    return now[1] == digest if digest else now[0] == inode


def looked_at(changes: FileChanges, path: Path) -> tuple[int, str]:
    """Return what is at a path: its inode, and the digest of a file that is not too large.

    Raises:
        ChangeRefusedError: nothing is there.
    """
    inode = changes.inode(path)
    if inode == 0:
        raise ChangeRefusedError(str(path), Refusal.VANISHED)
    try:
        stamp = changes.stamp(path)
    except ChangeRefusedError as error:
        if error.refusal is Refusal.NOT_REGULAR:
            return inode, ""
        raise
    hashed = stamp is not None and stamp.size <= HASHED_BYTES_MAX
    return inode, digest_of(changes, path) if hashed else ""


def _checked(plan: Plan, changes: FileChanges) -> tuple[int, str]:
    """Return what is moved or deleted."""
    now = looked_at(changes, plan.path)
    if not is_same(plan.kind, plan.inode, plan.expected, now):
        raise ChangeRefusedError(str(plan.path), Refusal.CHANGED)
    return now


def _digest_in_trash(plan: Plan, changes: FileChanges) -> str:
    try:
        with changes.open_anywhere(Path(plan.trashed)) as file:
            return digest(file) if file.seek(0, 2) <= HASHED_BYTES_MAX and file.seek(0) == 0 else ""
    except ChangeRefusedError:  # a folder
        return ""


def _content(plan: Plan, path: Path, changes: FileChanges, contents: Contents) -> Ready:
    stamp = changes.stamp(path)
    if stamp is not None and plan.on_exists is not OnExists.REPLACE:
        raise ChangeRefusedError(str(path), Refusal.EXISTS)
    before = ""
    if stamp is not None and (plan.keep or plan.expected):
        before = _kept(plan, path, changes, contents)
    like_source = plan.kind is ActionKind.COPY_IN
    with _source_of(plan) as source:
        change = changes.content(path, source, plan.id, stamp, like_source=like_source)
    return Ready(change=change, path=path, before=before, replaced=stamp is not None)


def _source_of(plan: Plan) -> BinaryIO:
    if plan.source is None:
        raise AssertionError("a content has a source")
    try:
        return plan.source()
    except FileNotFoundError as error:  # dropped by the store since the preview
        raise ChangeRefusedError(str(plan.path), Refusal.NOT_KEPT) from error


def _kept(plan: Plan, path: Path, changes: FileChanges, contents: Contents) -> str:
    """Keep what is going to be replaced. What changes after this has another stamp, and is not replaced."""
    with changes.open(path) as file:
        try:
            before = contents.keep(file)
        except ContentRefusedError as error:
            refusal = Refusal.TOO_LARGE if error.limit else Refusal.DISK_FULL
            raise ChangeRefusedError(str(path), refusal, str(error.limit or error)) from error
    if plan.expected and before != plan.expected:
        raise ChangeRefusedError(str(path), Refusal.CHANGED)
    return before


def has_taken_place(entry: Entry, changes: FileChanges) -> bool:
    """Whether an action that was begun, and not ended, is done: the process was killed in between."""
    path, target = Path(entry.action.path), Path(entry.action.target)

    def is_there() -> bool:
        return changes.inode(path) == entry.inode

    def is_copied() -> bool:
        with changes.open_anywhere(target) as file:
            return digest(file) == entry.after

    looks: dict[ActionKind, Callable[[], bool]] = {
        ActionKind.WRITE: lambda: digest_of(changes, path) == entry.after,
        ActionKind.COPY_IN: lambda: digest_of(changes, path) == entry.after,
        ActionKind.MAKE_FOLDER: lambda: changes.inode(path) != 0,
        ActionKind.MOVE: lambda: not is_there() and changes.inode(target) == entry.inode,
        ActionKind.DELETE: lambda: (
            not is_there() and (not entry.trashed or changes.in_trash(entry.trashed, entry.inode))
        ),
        ActionKind.RESTORE: is_there,
        ActionKind.COPY_OUT: is_copied,
    }
    try:
        return looks[entry.action.kind]()
    except (ChangeRefusedError, OSError):
        return False


def digest_of(changes: FileChanges, path: Path) -> str:
    """Return the digest of a file's content; "" where none is."""
    if changes.stamp(path) is None:
        return ""
    with changes.open(path) as file:
        return digest(file)


def digest(file: BinaryIO) -> str:
    """Return the SHA-256 of what a file holds, in hexadecimal digits."""
    hashed = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        hashed.update(chunk)
    return hashed.hexdigest()
