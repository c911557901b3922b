"""A folder for unix sockets where the home's own path is too long for them. `paths` calls this.

It lies in the temporary folder, to which everybody may write. So its usual name may be taken by another user, or
be a link set as a trap. Then the sockets get a folder with a name that nobody can guess, which is noted in the
home. Standard library only: the window uses it before it has painted.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from titan_desktop.system import private_files


def in_temporary_folder(name: str, note: Path) -> Path:
    """Return the folder `name` of the temporary folder, not created; one made in its place where that is taken.

    Args:
        name: the usual name. It is also returned when no other folder can be made: who uses it hears why.
        note: the file that tells the other processes of this home which other folder was made.
    """
    usual = Path(tempfile.gettempdir()) / name
    if sys.platform == "win32":  # where there are no such sockets
        return usual
    with contextlib.suppress(OSError, ValueError):
        if private_files.is_own_folder(noted := Path(note.read_text("utf-8"))):
            return noted
    if private_files.is_own_folder(usual) or not os.path.lexists(usual):
        return usual
    try:
        made = Path(tempfile.mkdtemp(prefix="titan-"))
    except OSError:
        return usual
    try:
        private_files.replace(note, str(made))
        return Path(note.read_text("utf-8"))  # of two that start at once the later one says it for both
    except OSError:
        made.rmdir()
        return usual
