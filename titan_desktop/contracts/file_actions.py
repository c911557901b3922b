"""File actions: what Titan changes in the person's folders, on whose behalf, and how a change is undone.

Topics: `topics.FILE_ACTION_COMMANDS`, `topics.FILE_ACTIONS`, `topics.FILE_ACTION_REQUESTS`.
Contents never travel on the bus: a client hands one over as a file (`client.handing`) and names it.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.numbers import Count

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
"""Of an action or a run: a ULID of the caller."""


class ActionKind(StrEnum):
    """What an action does."""

    WRITE = "write"
    MAKE_FOLDER = "make_folder"
    MOVE = "move"
    DELETE = "delete"
    COPY_IN = "copy_in"
    COPY_OUT = "copy_out"
    RESTORE = "restore"


class ActionState(StrEnum):
    """How far an action is. BEGUN: it was cut off, and is finished when its command is delivered again."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why nothing was changed. The window and the commands have the sentences with the cure.

    CHANGED: somebody has changed it since. NOT_KEPT: what was there before is not kept any more, or never was.
    TOO_LARGE: the former content is larger than what is kept, so the change could not be undone. ROOT: it is one
    of the folders that Titan reads. OTHER_DISK: a move would have to copy. SYSTEM: the detail has the system's
    words.
    """

    NONE = ""
    OUTSIDE = "outside"
    ROOT = "root"
    VANISHED = "vanished"
    NOT_REGULAR = "not_regular"
    NO_FOLDER = "no_folder"
    EXISTS = "exists"
    CHANGED = "changed"
    NAME = "name"
    WITHIN_ITSELF = "within_itself"
    OTHER_DISK = "other_disk"
    FORBIDDEN = "forbidden"
    DISK_FULL = "disk_full"
    NO_TRASH = "no_trash"
    TOO_LARGE = "too_large"
    NOT_KEPT = "not_kept"
    NOT_HANDED = "not_handed"
    SOURCE = "source"
    UNKNOWN = "unknown"
    UNDONE = "undone"
    NOT_UNDOABLE = "not_undoable"
    SYSTEM = "system"


class OnExists(StrEnum):
    """What to do where something has the name already.

    REPLACE is for contents of files alone; what was there is kept.
    """

    REFUSE = "refuse"
    NUMBER = "number"
    REPLACE = "replace"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger.

    Attributes:
        id: a ULID, chosen by whoever asked.
        run_id: what several actions of one run share.
        path: on what; for MOVE where it was, for RESTORE where it is again.
        target: for MOVE and COPY_OUT where to, for COPY_IN where from, else "".
        requested_by: the source of the command, `titan-command@v1`.
        asked_at: RFC 3339, UTC.
        detail: to the refusal; the system's words, or a path.
        size: of the new content, in bytes.
        undoes: the action that this one takes back, "" for none.
        undone_by: the action that has taken this one back, "" for none.
        undoable: whether it can be taken back as far as the ledger tells; `PreviewUndo` looks at the disk.
    """

    id: str
    run_id: str
    kind: ActionKind
    path: str
    target: str = ""
    requested_by: str = ""
    asked_at: str = ""
    state: ActionState = ActionState.BEGUN
    refusal: Refusal = Refusal.NONE
    detail: str = ""
    size: Count = 0
    undoes: str = ""
    undone_by: str = ""
    undoable: bool = False


# Commands


class _Command(BusMessage, frozen=True, kw_only=True):
    """Delivered twice, or sent twice with one `action_id`, it is done once. `run_id`: "" for a run of its own."""

    topic: ClassVar[str] = topics.FILE_ACTION_COMMANDS

    action_id: Id
    run_id: Annotated[str, msgspec.Meta(max_length=64)] = ""


class WriteFile(_Command, frozen=True, kw_only=True):
    """Give a file this content; a new file where there is none.

    Attributes:
        content_id: a content that was handed over (`client.handing`).
        keep: refuse where the former content is too large to be kept; False: replace it, not to be undone.
    """

    path: str
    content_id: str
    on_exists: OnExists = OnExists.REFUSE
    keep: bool = True


class MakeFolder(_Command, frozen=True, kw_only=True):
    """Make a folder in one that is there."""

    path: str


class MovePath(_Command, frozen=True, kw_only=True):
    """Give a file or a folder another path. Where `target` is a folder, it goes into that; nothing is replaced."""

    path: str
    target: str
    on_exists: OnExists = OnExists.REFUSE


class DeletePath(_Command, frozen=True, kw_only=True):
    """Move a file or a folder with all that is in it to the system's trash."""

    path: str


class CopyIn(_Command, frozen=True, kw_only=True):
    """Copy a file from anywhere to `path`, or into it where that is a folder. Only a person names `source`."""

    source: str
    path: str
    on_exists: OnExists = OnExists.REFUSE
    keep: bool = True


class CopyOut(_Command, frozen=True, kw_only=True):
    """Copy a file from `path` to anywhere, or into it where that is a folder.

    Only a person names `place`; nothing is replaced there, and it is not undone.
    """

    path: str
    place: str
    on_exists: OnExists = OnExists.REFUSE


class UndoAction(_Command, frozen=True, kw_only=True):
    """Take back one action.

    Attributes:
        undone_id: names it.
        force: also where somebody has changed the file since; what they wrote is kept, as before any change.
    """

    undone_id: Id
    force: bool = False


class UndoRun(_Command, frozen=True, kw_only=True):
    """Take back all actions of a run, the last one first; its parts are actions of the run `action_id`."""

    undone_run_id: Id
    force: bool = False


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.FILE_ACTIONS


class ActionEnded(_Event, frozen=True, kw_only=True):
    """An action was done or refused."""

    action: Action


class RunUndone(_Event, frozen=True, kw_only=True):
    """The end of UndoRun; an `ActionEnded` of each part came before.

    Attributes:
        action_id: of the command.
        undone: how many actions were taken back.
        refused: how many were not, for a reason that their events have.
    """

    action_id: str
    undone_run_id: str
    undone: Count
    refused: Count


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.FILE_ACTION_REQUESTS


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Actions, the newest first. `next_cursor`: where the next page begins, "" at the end."""

    actions: tuple[Action, ...]
    next_cursor: str = ""


class ListActions(_Request[ActionPage], frozen=True, kw_only=True):
    """A page of the ledger; refused with `not_found` for a cursor that is none.

    Attributes:
        run_id: of this run alone.
        path: of this path alone.
    """

    limit: int = 100
    cursor: str = ""
    run_id: str = ""
    path: str = ""


class UndoStep(msgspec.Struct, frozen=True, kw_only=True):
    """What taking back one action would do.

    Attributes:
        action: which.
        kind: what would be done: WRITE the former content, MOVE back, DELETE what was made, RESTORE from the
            trash.
        path: on what.
        target: for MOVE where to.
        size: of the content that would come back, in bytes.
        obstacle: why it would be refused, NONE if it would not.
        can_force: whether `force` does it all the same.
    """

    action: Action
    kind: ActionKind
    path: str
    target: str = ""
    size: Count = 0
    obstacle: Refusal = Refusal.NONE
    can_force: bool = False


class UndoPreview(msgspec.Struct, frozen=True, kw_only=True):
    """The steps, in the order in which they would be done. `more`: a run has more than are shown."""

    steps: tuple[UndoStep, ...]
    more: bool = False


class FileForgotten(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ForgetFile: the receipt.

    Attributes:
        files: how many files' texts were taken out of the index, where they stay as forgotten.
        passages: how many passages of these are gone.
        vectors: how many vectors are; one that another file's passage has, too, stays.
        actions: how many entries of the ledger are gone.
        contents: how many former contents are.
        events: how many events of the bus that named the file are.
        complete: whether the bytes are gone from the files of PostgreSQL and of the bus; core.log says which may
            still have some.
    """

    actions: Count
    contents: Count
    events: Count
    complete: bool
    files: Count = 0
    passages: Count = 0
    vectors: Count = 0


class ForgetFile(_Request[FileForgotten], frozen=True, kw_only=True):
    """Erase the text of a file, or of all beneath a folder, and its changes, under former names, too.

    The file itself and the trash stay as they are. The file is not read again, and is listed among those that lack
    text. Refused with `store_unavailable`; asked for again it finishes what was cut off.
    """

    path: str


class FilePermitted(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to PermitFile: how many files may be read again; `IndexPaths` does it."""

    files: Count


class PermitFile(_Request[FilePermitted], frozen=True, kw_only=True):
    """Let a forgotten file, or all beneath a folder, be read again. Refused with `store_unavailable`."""

    path: str


class PreviewUndo(_Request[UndoPreview], frozen=True, kw_only=True):
    """What would `UndoAction` or `UndoRun` do? One of both ids is given; refused with `not_found`."""

    action_id: str = ""
    run_id: str = ""
