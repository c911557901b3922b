"""`FileActionsService`: changes files on command, keeps the ledger, and takes changes back.

One action at a time, in the order of the commands: a run is what it says, and undoing it goes the same way back.
"""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from titan_bus import Bus, BusError, Event, Handlers, RequestRefused
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.file_actions import (
    Action,
    ActionEnded,
    ActionKind,
    ActionPage,
    ActionState,
    CopyIn,
    CopyOut,
    DeletePath,
    FileForgotten,
    FilePermitted,
    ForgetFile,
    ListActions,
    MakeFolder,
    MovePath,
    OnExists,
    PermitFile,
    PreviewUndo,
    Refusal,
    RunUndone,
    UndoAction,
    UndoPreview,
    UndoRun,
    UndoStep,
    WriteFile,
)
from titan_desktop.contracts.indexing import FileIndexed
from titan_desktop.contracts.message import publish
from titan_desktop.ports.contents import Contents
from titan_desktop.ports.file_changes import ChangeRefusedError, FileChanges
from titan_desktop.ports.files_root import FilesRoot
from titan_desktop.ports.forgotten_texts import ForgottenTexts
from titan_desktop.ports.ledger import Entry, Ledger, LedgerUnavailableError
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.files import undoing
from titan_desktop.services.files.forgetting import forget
from titan_desktop.services.files.performing import Performer, in_thread
from titan_desktop.services.files.plans import Plan
from titan_desktop.system.file_names import written

GROUP = "file_actions"
ACTIONS_MAX = 500
STEPS_MAX = 200
PAGE_BYTES_MAX = 1_500_000
"""A reply has 2 MB; a page of very long paths is shortened."""


class FileActionsService:
    """Answers the commands and requests of `contracts.file_actions`."""

    drain_s = 3.0

    def __init__(
        self,
        bus: Bus,
        files_root: FilesRoot,
        changes: FileChanges,
        contents: Contents,
        ledger: Ledger,
        texts: ForgottenTexts,
    ) -> None:
        self._bus = bus
        self._files_root = files_root
        self._changes = changes
        self._contents = contents
        self._ledger = ledger
        self._texts = texts
        self._performer = Performer(bus, changes, contents, ledger)
        self._acting = 0
        self.handlers = Handlers()
        take(
            self.handlers,
            GROUP,
            self.write_file,
            self.make_folder,
            self.move_path,
            self.delete_path,
            self.copy_in,
            self.copy_out,
            self.undo_action,
            self.undo_run,
            concurrency=1,
        )
        take(self.handlers, GROUP, self.list_actions, self.preview_undo, self.forget_file, self.permit_file)
        tell(self.handlers, ActionEnded, RunUndone, FileIndexed)

    def busy(self) -> bool:
        """Whether an action is being done: it may be interrupted, and is finished after the next start."""
        return self._acting > 0

    async def write_file(self, command: WriteFile, event: Event) -> None:
        """Write a content that was handed over."""

        def source() -> BinaryIO:
            try:
                return self._contents.handed(command.content_id)
            except OSError as error:
                raise ChangeRefusedError(command.path, Refusal.NOT_HANDED) from error

        plan = Plan(
            id=command.action_id,
            run_id=command.run_id,
            kind=ActionKind.WRITE,
            path=Path(command.path),
            on_exists=command.on_exists,
            keep=command.keep,
            source=source,
            discard_source=lambda: self._contents.discard_handed(command.content_id),
        )
        await self._do(event, plan)

    async def make_folder(self, command: MakeFolder, event: Event) -> None:
        """Make a folder."""
        plan = Plan(
            id=command.action_id, run_id=command.run_id, kind=ActionKind.MAKE_FOLDER, path=Path(command.path)
        )
        await self._do(event, plan)

    async def move_path(self, command: MovePath, event: Event) -> None:
        """Move a file or a folder, into `target` where that is a folder."""
        path, target = Path(command.path), Path(command.target)
        plan = Plan(
            id=command.action_id,
            run_id=command.run_id,
            kind=ActionKind.MOVE,
            path=path,
            target=await self._inside(target, path.name),
            on_exists=_without_replacing(command.on_exists),
        )
        await self._do(event, plan)

    async def delete_path(self, command: DeletePath, event: Event) -> None:
        """Move a file or a folder to the trash."""
        plan = Plan(
            id=command.action_id, run_id=command.run_id, kind=ActionKind.DELETE, path=Path(command.path)
        )
        await self._do(event, plan)

    async def copy_in(self, command: CopyIn, event: Event) -> None:
        """Copy a file from outside."""
        source = Path(command.source)
        plan = Plan(
            id=command.action_id,
            run_id=command.run_id,
            kind=ActionKind.COPY_IN,
            path=await self._inside(Path(command.path), source.name),
            target=source,
            on_exists=command.on_exists,
            keep=command.keep,
            source=lambda: self._changes.open_anywhere(source),
        )
        await self._do(event, plan)

    async def copy_out(self, command: CopyOut, event: Event) -> None:
        """Copy a file to the outside."""
        path, place = Path(command.path), Path(command.place)
        is_folder = await in_thread(lambda: _is_folder_anywhere(place))
        plan = Plan(
            id=command.action_id,
            run_id=command.run_id,
            kind=ActionKind.COPY_OUT,
            path=path,
            target=place / path.name if is_folder else place,
            on_exists=_without_replacing(command.on_exists),
        )
        await self._do(event, plan)

    async def undo_action(self, command: UndoAction, event: Event) -> None:
        """Take back one action."""
        entry = await self._performer.waiting(lambda: self._ledger.entry_of(command.undone_id))
        if entry is None:
            unknown = Plan(
                id=command.action_id,
                run_id=command.run_id,
                kind=ActionKind.RESTORE,
                path=Path(),
                undoes=command.undone_id,
            )
            await self._during(lambda: self._performer.refuse(event, unknown, Refusal.UNKNOWN))
            return
        await self._undo(event, entry, command.action_id, command.run_id, force=command.force)

    async def undo_run(self, command: UndoRun, event: Event) -> None:
        """Take back what is left of a run, the last action first."""
        refused = 0
        for entry in await self._performer.waiting(lambda: self._ledger.of_run(command.undone_run_id)):
            if entry.action.kind is ActionKind.COPY_OUT:
                continue
            part = _part_of(command.action_id, entry.action.id)
            action = await self._undo(event, entry, part, command.action_id, force=command.force)
            refused += action.state is not ActionState.DONE
        made = await self._performer.waiting(lambda: self._ledger.of_run(command.action_id))
        told = RunUndone(
            action_id=command.action_id,
            undone_run_id=command.undone_run_id,
            undone=len(made),
            refused=refused,
        )
        await publish(self._bus, told)

    async def list_actions(self, wanted: ListActions) -> ActionPage:
        """Return a page of the ledger.

        Raises:
            RequestRefused: `not_found`, for an invalid cursor; `store_unavailable`.
        """
        limit = max(1, min(wanted.limit, ACTIONS_MAX))
        while True:
            try:
                page = await self._ledger.page(
                    limit, cursor=wanted.cursor, run_id=wanted.run_id, path=wanted.path
                )
            except LedgerUnavailableError as error:
                raise RequestRefused("store_unavailable", "the ledger cannot be read now") from error
            if page is None:
                raise RequestRefused("not_found", "the cursor is none of ours")
            if limit == 1 or len(msgspec.json.encode(page)) <= PAGE_BYTES_MAX:
                return page
            limit //= 2

    async def preview_undo(self, wanted: PreviewUndo) -> UndoPreview:
        """Return what would be done.

        Raises:
            RequestRefused: `not_found`, for an unknown action or a run without one; `store_unavailable`.
        """
        try:
            if wanted.action_id:
                entry = await self._ledger.entry_of(wanted.action_id)
                entries = [] if entry is None else [entry]
            else:
                entries = list(await self._ledger.of_run(wanted.run_id))
        except LedgerUnavailableError as error:
            raise RequestRefused("store_unavailable", "the ledger cannot be read now") from error
        if not entries:
            raise RequestRefused("not_found", wanted.action_id or wanted.run_id)
        steps = await in_thread(
            lambda: undoing.preview(entries[:STEPS_MAX], self._files_root, self._changes, self._contents)
        )
        while len(steps) > 1 and len(msgspec.json.encode(steps)) > PAGE_BYTES_MAX:
            steps = steps[: len(steps) // 2]
        return UndoPreview(steps=steps, more=len(entries) > len(steps))

    async def forget_file(self, wanted: ForgetFile, event: Event) -> FileForgotten:
        """Erase what is known of a file.

        Raises:
            RequestRefused: `store_unavailable`; what is left is erased when it is asked for again.
        """
        try:
            return await forget(
                self._bus, self._texts, self._contents, self._ledger, wanted.path, event.event_id
            )
        except (IndexUnavailableError, LedgerUnavailableError, BusError, OSError) as error:
            raise RequestRefused("store_unavailable", "not all could be erased") from error

    async def permit_file(self, wanted: PermitFile) -> FilePermitted:
        """Let forgotten files be read again.

        Raises:
            RequestRefused: `store_unavailable`.
        """
        try:
            return FilePermitted(files=await self._texts.permit(wanted.path))
        except IndexUnavailableError as error:
            raise RequestRefused("store_unavailable", error.reason) from error

    async def _undo(self, event: Event, entry: Entry, action_id: str, run_id: str, *, force: bool) -> Action:
        step = await in_thread(lambda: self._step(entry))
        plan = undoing.plan(entry, step, action_id, run_id, self._contents, force=force)
        if step.obstacle and not (force and step.can_force):
            return await self._during(lambda: self._performer.refuse(event, plan, step.obstacle))
        return await self._during(lambda: self._performer.perform(event, plan))

    def _step(self, entry: Entry) -> UndoStep:
        return undoing.step(entry, self._files_root, self._changes, self._contents)

    async def _do(self, event: Event, plan: Plan) -> Action:
        return await self._during(lambda: self._performer.perform(event, plan))

    async def _during(self, work: Callable[[], Awaitable[Action]]) -> Action:
        self._acting += 1
        try:
            return await work()
        finally:
            self._acting -= 1

    async def _inside(self, path: Path, name: str) -> Path:
        """Return the place in a folder that is there, else the path itself."""
        is_folder = await in_thread(lambda: self._files_root.is_folder(path))
        return path / name if is_folder and name else path


def _without_replacing(on_exists: OnExists) -> OnExists:
    return OnExists.REFUSE if on_exists is OnExists.REPLACE else on_exists


def _is_folder_anywhere(place: Path) -> bool:
    try:
        return Path(written(str(place))).is_dir()
    except (OSError, ValueError):
        return False


def _part_of(command_id: str, undone_id: str) -> str:
    """Return the id of a part of an undone run: the same when the command is delivered again."""
    return hashlib.sha256(f"{command_id} {undone_id}".encode()).hexdigest()[:26]
