"""What the person wrote about folders: consent to read some, and patterns of files that cannot be used."""

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
    """Return a problem for each refused root, with the settings file in which a person may allow it.

    Also one for each file with patterns that say nothing, about the first of them.
    """
    refusals = tuple(
        Problem(
            _CODES[refused.fault],
            {"path": str(refused.path), "real": refused.real, "settings": str(settings_file)},
        )
        for refused in files_root.refused()
    )
    bad: dict[str, int] = {}
    for one in files_root.bad_patterns():
        bad.setdefault(one.path, one.line)
    return (
        *refusals,
        *(Problem(Code.IGNORE_PATTERN, {"path": path, "line": str(line)}) for path, line in bad.items()),
    )
