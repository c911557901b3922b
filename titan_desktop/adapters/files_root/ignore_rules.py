"""Which names are no documents of the person's: hidden, temporary, made by programs.

The walk does not go there and the watcher does not look there, so that a scan and a watch agree. What a person
leaves out beside them stands in `ignore_files`.
"""

from collections.abc import Collection

from titan_desktop.ports.files_root import IGNORE_FILE

_FOLDERS = frozenset({"node_modules", "__pycache__"})
_HIDDEN_FOLDERS = frozenset({".git", ".hg", ".svn", ".venv", ".cache", ".tox", ".idea", ".vscode"})
"""Programs' own, though a person may have hidden files read."""
_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r", ".ds_store", ".localized", IGNORE_FILE})
_BEGINNINGS = ("~$", ".~lock.", "._", ".trash")
"""The owner files that Office and LibreOffice lay beside an open document; what macOS lays beside each file on
other systems' disks; the trash of a disk."""
_HIDDEN = "."
_ENDINGS = (".part", ".crdownload", ".download", ".opdownload", ".tmp")
"""A download that is not finished, and what programs forget."""
_BUNDLES = (".app", ".download")
"""On macOS a folder that is a program, or a download that is not finished."""
VENV_MARK = "pyvenv.cfg"
"""A folder that holds this file is a Python environment (PEP 405): thousands of files, none the person's."""


def ignores_file(name: str, *, hidden: bool = False) -> bool:
    """Say whether a file of this name is left out. `hidden`: the person has hidden ones read."""
    lower = name.lower()
    if lower.startswith(_HIDDEN) and not hidden:
        return True
    return lower.startswith(_BEGINNINGS) or lower.endswith(_ENDINGS) or lower in _FILES


def ignores_folder(name: str, *, hidden: bool = False) -> bool:
    """Say whether a folder of this name is left out with all that is in it."""
    lower = name.lower()
    if lower.startswith(_HIDDEN) and (not hidden or lower in _HIDDEN_FOLDERS):
        return True
    return lower.startswith(_BEGINNINGS) or name in _FOLDERS or lower.endswith(_BUNDLES)


def is_environment(names: Collection[str]) -> bool:
    """Say whether a folder with these names in it is a Python environment."""
    return VENV_MARK in names
