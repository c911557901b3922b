"""What the memory page says: where a fact is from and since when, what can be done, and why a list is empty."""

from enum import Enum
from pathlib import PurePath

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from titan_bus import BusError, BusUnavailableError
from titan_desktop.client import foreign, sentences
from titan_desktop.contracts.memory import ByPerson, Fact, FromFile, FromMessage, Origin
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base import dates
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.memory.deeds import Deed

_NAME_SHOWN = 44


class Kind(Enum):
    """The lists of the page."""

    HOLDS = "holds"
    ENDED = "ended"
    PROPOSED = "proposed"


def details(fact: Fact, conversation: str) -> str:
    """Return where a fact is from, and its dates.

    Args:
        fact: the fact.
        conversation: the title of the one that it is from, "" when it is from none, or that is not known.
    """
    translate = QCoreApplication.translate
    since, until = dates.day_of(fact.valid_from), dates.day_of(fact.valid_to)
    learned = dates.day_of(fact.learned_at)
    said = [origin(fact.origin, conversation)]
    if until:
        said.append(translate("Memory", "{since} – {until}").format(since=since, until=until))
    elif since and since != learned:
        said.append(translate("Memory", "since {since}").format(since=since))
    if learned:
        said.append(translate("Memory", "learned {day}").format(day=learned))
    if fact.pinned:
        said.append(translate("Memory", "pinned"))
    return "  ·  ".join(said)


def origin(source: Origin, conversation: str) -> str:
    """Return where something was said or written."""
    translate = QCoreApplication.translate
    match source:
        case ByPerson():
            return translate("Memory", "You wrote it here")
        case FromMessage():
            if conversation:
                said = translate("Memory", "Said in “{conversation}”")
                return said.format(conversation=foreign.isolated(conversation))
            return translate("Memory", "Said in a conversation")
        case FromFile(path=path):
            name = PurePath(path).name
            if len(name) > _NAME_SHOWN:  # its end has the kind
                name = f"{name[: _NAME_SHOWN - 15]}…{name[-14:]}"
            return sentences.titled(language(), _passage(source, foreign.isolated(name)))


def place(source: FromFile) -> str:
    """Return where in its file something stands, "" when that is not known."""
    return sentences.place(language(), _passage(source))


def _passage(source: FromFile, title: str = "") -> FilePassage:
    return FilePassage(path=source.path, title=title, score=0, passage="", kind="", place=source.place)


def look_there(source: FromFile) -> str:
    """Return where to look in a file whose program opens it at its beginning; "" when the place is not known."""
    where = place(source)
    said = QCoreApplication.translate("Memory", "{name} opens at its beginning. Look there for: {place}.")
    return said.format(name=foreign.isolated(PurePath(source.path).name), place=where) if where else ""


_DEEDS = {
    Deed.OPEN: QT_TRANSLATE_NOOP("Memory", "Show the message"),
    Deed.CORRECT: QT_TRANSLATE_NOOP("Memory", "Correct…"),
    Deed.CLOSE: QT_TRANSLATE_NOOP("Memory", "No longer so"),
    Deed.PIN: QT_TRANSLATE_NOOP("Memory", "Pin"),
    Deed.UNPIN: QT_TRANSLATE_NOOP("Memory", "Unpin"),
    Deed.FORGET: QT_TRANSLATE_NOOP("Memory", "Forget…"),
    Deed.FORGET_SUBJECT: QT_TRANSLATE_NOOP("Memory", "Forget everything about {name}…"),
    Deed.ACCEPT: QT_TRANSLATE_NOOP("Memory", "Accept"),
    Deed.REFUSE: QT_TRANSLATE_NOOP("Memory", "Refuse"),
    Deed.ACCEPT_ALL: QT_TRANSLATE_NOOP("Memory", "Accept all of this conversation…"),
    Deed.REFUSE_ALL: QT_TRANSLATE_NOOP("Memory", "Refuse all of this conversation…"),
}
_OF_FILE = {
    Deed.OPEN: QT_TRANSLATE_NOOP("Memory", "Show the file"),
    Deed.ACCEPT_ALL: QT_TRANSLATE_NOOP("Memory", "Accept all of this file…"),
    Deed.REFUSE_ALL: QT_TRANSLATE_NOOP("Memory", "Refuse all of this file…"),
}


def deed(which: Deed, fact: Fact | None) -> str:
    """Return what a button or a menu says for this; `fact` is the one that it is done with."""
    of_file = fact is not None and isinstance(fact.origin, FromFile)
    said = _OF_FILE.get(which, _DEEDS[which]) if of_file else _DEEDS[which]
    name = foreign.isolated(fact.subject) if fact is not None else ""
    return QCoreApplication.translate("Memory", str(said)).format(name=name)


def empty(kind: Kind, query: str) -> tuple[str, str]:
    """Return why there is nothing in a list, and how something comes to be there."""
    translate = QCoreApplication.translate
    if query:
        return (
            translate("Memory", "Nothing here has “{query}”").format(query=foreign.isolated(query)),
            translate("Memory", "Try other words, or look in the other lists."),
        )
    match kind:
        case Kind.HOLDS:
            return (
                translate("Memory", "Nothing is remembered yet"),
                translate(
                    "Memory",
                    "Write “remember that …” in a conversation, or write a fact here: it holds at once. What a "
                    "model reads out of conversations and files waits as a proposal until you accept it.",
                ),
            )
        case Kind.ENDED:
            return (
                translate("Memory", "Nothing has ended"),
                translate(
                    "Memory",
                    "When a newer fact takes the place of an older one, or you say that something is no longer "
                    "so, the older one is kept here with its dates.",
                ),
            )
        case Kind.PROPOSED:
            return (
                translate("Memory", "No proposals wait"),
                translate(
                    "Memory",
                    "What a model reads out of your conversations and files comes here first. Nothing of it is "
                    "remembered until you accept it, and what you refuse is not proposed again.",
                ),
            )


def starting() -> tuple[str, str]:
    """Return what is said before the core is there."""
    translate = QCoreApplication.translate
    return (
        translate("Memory", "Titan is starting"),
        translate("Memory", "The memory is shown as soon as the core is there."),
    )


def failure(error: BusError) -> tuple[str, str]:
    """Return why there is no list, and what happens next."""
    translate = QCoreApplication.translate
    if isinstance(error, BusUnavailableError):
        return starting()
    return (
        translate("Memory", "The memory cannot be read now"),
        translate(
            "Memory",
            "Its database is away or full, or the core is busy; the line above says more. Titan tries again as "
            "soon as it is back.",
        ),
    )
