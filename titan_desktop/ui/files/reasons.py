"""Why a file was not read, as a sentence in the person's language with what they can do about it."""

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from titan_desktop.contracts.memory import Reason

_SENTENCES = {
    Reason.UNSUPPORTED: QT_TRANSLATE_NOOP("Reason", "Titan cannot read this kind of file."),
    Reason.EMPTY: QT_TRANSLATE_NOOP("Reason", "The file is empty."),
    Reason.NO_TEXT: QT_TRANSLATE_NOOP("Reason", "There is no text in it; it may be a scan or a picture."),
    Reason.TOO_LARGE: QT_TRANSLATE_NOOP("Reason", "The file is too large."),
    Reason.ENCRYPTED: QT_TRANSLATE_NOOP("Reason", "It is protected by a password. Save a copy without one."),
    Reason.BROKEN: QT_TRANSLATE_NOOP(
        "Reason", "The file is damaged. Check whether it opens in its own program."
    ),
    Reason.TIMED_OUT: QT_TRANSLATE_NOOP("Reason", "Reading it took too long and was given up."),
    Reason.OUT_OF_MEMORY: QT_TRANSLATE_NOOP("Reason", "Reading it would have taken too much memory."),
    Reason.CRASHED: QT_TRANSLATE_NOOP("Reason", "The reader crashed on it. Titan itself is not affected."),
    Reason.OUTSIDE: QT_TRANSLATE_NOOP("Reason", "It lies outside the folders that Titan may read."),
    Reason.UNREADABLE: QT_TRANSLATE_NOOP("Reason", "You have no permission to read it."),
    Reason.VANISHED: QT_TRANSLATE_NOOP("Reason", "It was gone before it could be read."),
    Reason.NOT_REGULAR: QT_TRANSLATE_NOOP("Reason", "It is not an ordinary file."),
}
_UNKNOWN = QT_TRANSLATE_NOOP("Reason", "The reason is not known.")


def reason_sentence(reason: Reason) -> str:
    """Return the sentence. Asked for when it is shown and never kept: the language may change."""
    return QCoreApplication.translate("Reason", str(_SENTENCES.get(reason, _UNKNOWN)))
