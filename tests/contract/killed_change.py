"""A process that changes a file and kills itself at a chosen point: `python -m tests.contract.killed_change`.

Arguments: the root, what to do (replace, move, trash), and where the kill comes: before the call of this name
(fsync, replace, rename), "after" the change, or "never".
"""

import io
import os
import signal
import sys
from pathlib import Path

from titan_desktop.adapters.files_root import LocalFileChanges, LocalFilesRoot, folder_posix
from titan_desktop.ports.file_changes import Prepared

KEY = "01J25T91SA3G7G9F2W3ZVQ7E7N"


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def prepare(changes: LocalFileChanges, root: Path, act: str) -> Prepared:
    path = root / "inner" / "lease.txt"
    if act == "replace":
        return changes.content(path, io.BytesIO(b"r" * 200_000), KEY, changes.stamp(path))
    return changes.move(path, root / "moved.txt") if act == "move" else changes.trash(path)


def main(root: Path, act: str, at: str) -> None:
    if at in {"fsync", "replace"}:
        setattr(os, at, die)
    elif at == "rename":
        folder_posix._exclusive_rename = die
    with prepare(LocalFileChanges(LocalFilesRoot([root])), root, act) as prepared:
        prepared.take_place()
        if at == "after":
            die()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
