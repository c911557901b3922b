"""File actions: what Titan changes in the person's folders, on whose behalf, and how a change is undone."""

from enum import StrEnum

import msgspec

from titan_desktop.contracts.numbers import Count


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
