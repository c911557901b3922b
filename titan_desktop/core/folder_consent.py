"""The folders that are read because the person consented, and those that are refused without consent."""

from collections.abc import Mapping
from pathlib import Path

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.ports.files_root import FilesRoot, RootFault
from titan_desktop.settings import Settings

_CODES: Mapping[RootFault, Code] = {
    RootFault.HOLDS_HOME: Code.FOLDER_HOLDS_HOME,
    RootFault.HIDDEN: Code.FOLDER_HIDDEN,
    RootFault.SYSTEM: Code.FOLDER_OF_SYSTEM,
    RootFault.LINK: Code.FOLDER_IS_LINK,
}


def consented(chosen: Settings) -> tuple[Path, ...]:
    """Return the folders with consent, each exactly as the person named it."""
    return tuple(Path(folder).expanduser() for folder in chosen.folders.allowed)


def folder_problems(files_root: FilesRoot, settings_file: Path) -> tuple[Problem, ...]:
    """Return a problem for each refused root, with the settings file in which a person may allow it."""
    return tuple(
        Problem(
            _CODES[refused.fault],
            {"path": str(refused.path), "real": refused.real, "settings": str(settings_file)},
        )
        for refused in files_root.refused()
    )
