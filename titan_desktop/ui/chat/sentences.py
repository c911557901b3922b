"""What the conversation says about itself: why an answer failed and what to do, in the person's language.

Qt looks the translation up at each call, so a sentence is asked for when it is shown and never kept.
"""

from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import Cells, FilePassage, Lines, Pages, Slides, Source

SETTINGS_URL = "titan:settings"
"""What `link_activated` carries when the person asks for the settings."""


_FAULTS: dict[Fault, Any] = {
    Fault.WRONG_KEY: QT_TRANSLATE_NOOP("Fault", "The key was not accepted. Check the key in the settings."),
    Fault.UNREACHABLE: QT_TRANSLATE_NOOP(
        "Fault", "The model's server cannot be reached. Check the connection and the address in the settings."
    ),
    Fault.MODEL_NOT_FOUND: QT_TRANSLATE_NOOP(
        "Fault", "The server does not have this model. Choose another model in the settings."
    ),
    Fault.RATE_LIMITED: QT_TRANSLATE_NOOP(
        "Fault", "Too many requests in a short time. Wait a minute, then try again."
    ),
    Fault.QUOTA_EXCEEDED: QT_TRANSLATE_NOOP(
        "Fault", "The account's credit is used up. Top it up, or choose another model in the settings."
    ),
    Fault.CONTEXT_TOO_LONG: QT_TRANSLATE_NOOP(
        "Fault", "This conversation is too long for the model. Start a new one, or choose a larger model."
    ),
    Fault.TIMED_OUT: QT_TRANSLATE_NOOP(
        "Fault", "The model did not answer in time. Try again, or choose a faster model."
    ),
    Fault.REFUSED: QT_TRANSLATE_NOOP(
        "Fault", "The model refused this request. Put the question differently."
    ),
    Fault.SERVER_ERROR: QT_TRANSLATE_NOOP(
        "Fault", "The model's server has a fault of its own. Try again in a while."
    ),
    Fault.MALFORMED: QT_TRANSLATE_NOOP(
        "Fault",
        "The server gave an answer that cannot be read. Check the address and the model in the settings.",
    ),
    Fault.INTERNAL: QT_TRANSLATE_NOOP(
        "Fault", "Titan made a mistake. Try again; the command `titan doctor` shows what is wrong."
    ),
}


_CURED_IN_SETTINGS = frozenset(
    {
        Fault.WRONG_KEY,
        Fault.UNREACHABLE,
        Fault.MODEL_NOT_FOUND,
        Fault.QUOTA_EXCEEDED,
        Fault.MALFORMED,
    }
)


def fault_sentence(fault: Fault | None) -> str:
    """Which fault it is, and what the person can do."""
    return QCoreApplication.translate("Fault", _FAULTS[fault or Fault.INTERNAL])


_DELAYS: dict[Delay, Any] = {
    Delay.DISK_FULL: QT_TRANSLATE_NOOP(
        "Delay", "The disk is full. Nothing is lost: it is stored as soon as you have made some room."
    ),
}


def delay_sentence(delay: Delay) -> str:
    """What has to wait, and what the person can do."""
    return QCoreApplication.translate("Delay", _DELAYS[delay])


def cured_in_settings(fault: Fault | None) -> bool:
    """Whether the settings are the place to mend it."""
    return fault in _CURED_IN_SETTINGS


def connect_hint() -> str:
    """How to get written answers. True also of an old answer, when a model is connected by now."""
    return QCoreApplication.translate(
        "Hint",
        "Answered without a model. For written answers, enter an OpenAI key in the settings, "
        "or run a local Ollama: then nothing leaves this computer.",
    )


def nothing_found(folders: str) -> str:
    """Nothing was found, and where Titan looked. `folders` is a readable list, "" when it is not known."""
    translate = QCoreApplication.translate
    if not folders:
        return translate("Hint", "Nothing was found in your files. Try other words.")
    return translate("Hint", "Nothing was found in {folders}. Try other words.").format(folders=folders)


_PLACES: dict[type, tuple[Any, Any]] = {
    Pages: (QT_TRANSLATE_NOOP("Place", "p. {first}"), QT_TRANSLATE_NOOP("Place", "pp. {first}–{last}")),
    Slides: (
        QT_TRANSLATE_NOOP("Place", "slide {first}"),
        QT_TRANSLATE_NOOP("Place", "slides {first}–{last}"),
    ),
    Lines: (QT_TRANSLATE_NOOP("Place", "line {first}"), QT_TRANSLATE_NOOP("Place", "lines {first}–{last}")),
}
"""One of them, and several."""


def place(source: Source) -> str:
    """Say where in its file a source stands, "" where that is not known."""
    match source:
        case FilePassage(place=Cells(sheet=sheet, first=first, last=last)):
            if not first:
                return QCoreApplication.translate("Place", "sheet {sheet}").format(sheet=sheet)
            cells = first if first == last else f"{first}:{last}"
            return QCoreApplication.translate("Place", "sheet {sheet}, {cells}").format(
                sheet=sheet, cells=cells
            )
        case FilePassage(place=Pages() | Slides() | Lines() as span):
            sentence = _PLACES[type(span)][span.first != span.last]
            return QCoreApplication.translate("Place", sentence).format(first=span.first, last=span.last)
    return ""
