"""Which names are no documents of the person's: hidden, temporary, made by programs.

The walk does not go there and the watcher does not look there, so that a scan and a watch agree.
"""

from collections.abc import Collection

_FOLDERS = frozenset({"node_modules", "__pycache__"})
_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_BEGINNINGS = (".", "~$")
"""Hidden; and the owner file that Office lays beside an open document. LibreOffice's `.~lock` is hidden anyway."""
_ENDINGS = (".part", ".crdownload", ".tmp")
"""A download that is not finished, and what programs forget."""
_BUNDLE = ".app"
"""On macOS a folder that is a program."""
VENV_MARK = "pyvenv.cfg"
"""A folder that holds this file is a Python environment (PEP 405): thousands of files, none the person's."""


def ignores_file(name: str) -> bool:
    """Say whether a file of this name is left out."""
    lower = name.lower()
    return lower.startswith(_BEGINNINGS) or lower.endswith(_ENDINGS) or lower in _FILES


def ignores_folder(name: str) -> bool:
    """Say whether a folder of this name is left out with all that is in it."""
    return name.startswith(_BEGINNINGS) or name in _FOLDERS or name.lower().endswith(_BUNDLE)


def is_environment(names: Collection[str]) -> bool:
    """Say whether a folder with these names in it is a Python environment."""
    return VENV_MARK in names
