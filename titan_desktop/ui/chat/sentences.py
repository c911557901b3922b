"""The conversation's sentences about itself: why an answer failed and what to do, in the person's language.

The language may change, so a sentence is looked up when it is shown and never stored.
"""

from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from titan_desktop.client import foreign
from titan_desktop.client import sentences as codes
from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import Source
from titan_desktop.system.folder_names import folder_name
from titan_desktop.ui.base.translator import language

SETTINGS_URL = "titan:settings"
"""What `link_activated` carries when the person asks for the settings."""


_CURED_IN_SETTINGS = frozenset(
    {
        Fault.WRONG_KEY,
        Fault.KEY_MISSING,
        Fault.UNREACHABLE,
        Fault.BAD_ADDRESS,
        Fault.REDIRECTED,
        Fault.WRONG_ADDRESS,
        Fault.MODEL_NOT_FOUND,
        Fault.QUOTA_EXCEEDED,
        Fault.MALFORMED,
        Fault.EMPTY,
    }
)


def fault_sentence(fault: Fault | None) -> str:
    """Return the fault, and what the person can do."""
    return codes.fault(language(), fault)


def delay_sentence(delay: Delay) -> str:
    """Return what has to wait, and what the person can do."""
    return codes.delay(language(), delay)


def cured_in_settings(fault: Fault | None) -> bool:
    """Whether the fault is fixed in the settings."""
    return fault in _CURED_IN_SETTINGS


def connect_hint() -> str:
    """Return how to get written answers. Also valid below an old answer, when a model is connected by now."""
    return QCoreApplication.translate(
        "Hint",
        "Answered without a model. For written answers, enter an OpenAI key in the settings, "
        "or run a local Ollama: then nothing leaves this computer.",
    )


def nearest_only() -> str:
    """Return that the passages share no word with the question."""
    return QCoreApplication.translate("Hint", "None of your files has these words. Closest in meaning:")


def folder_list(folders: Iterable[str | PurePath]) -> str:
    """Return a readable list of folders, given by their paths."""
    return ", ".join(foreign.isolated(folder_name(folder)) for folder in folders)


class Searched(NamedTuple):
    """Where Titan searches.

    Attributes:
        folders: a readable list, "" when unknown.
        is_empty: none of the files there can be searched, nor could be.
    """

    folders: str = ""
    is_empty: bool = False


def nothing_found(searched: Searched) -> str:
    """Return that nothing was found, where Titan searched, and the cure."""
    translate = QCoreApplication.translate
    folders = searched.folders
    if folders and searched.is_empty:
        return translate(
            "Hint", "There are no documents in {folders} yet. Put some there, then ask again."
        ).format(folders=folders)
    if not folders:
        return translate(
            "Hint",
            "Nothing was found in your files. Try other words: a name, a number, part of a file's name.",
        )
    return translate(
        "Hint", "Nothing was found in {folders}. Try other words: a name, a number, part of a file's name."
    ).format(folders=folders)


def title(source: Source) -> str:
    """Return what a person calls a source."""
    return codes.title(language(), source)


def place(source: Source) -> str:
    """Return the place of a source in its file, "" when unknown."""
    return codes.place(language(), source)
