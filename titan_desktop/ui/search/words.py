"""What the search page says of an answer: how the question was understood, what was missing, and the cure."""

from PySide6.QtCore import QCoreApplication

from titan_bus import BusError, BusUnavailableError, RequestFailedError
from titan_desktop.client import foreign, sentences
from titan_desktop.contracts.search import Instead, SearchResult
from titan_desktop.ui.base.translator import language


def notes(result: SearchResult, reading: str) -> str:
    """Return what is worth knowing of an answer that found something, "" for nothing."""
    translate = QCoreApplication.translate
    said = []
    if result.instead is not None:
        said.append(_instead(result.instead))
    if result.nearest_only:
        said.append(translate("Search", "None of your files has these words. Closest in meaning:"))
    said += _dropped(result)
    if result.degraded:
        said.append(sentences.degraded(language(), result.degraded))
    return " ".join(filter(None, (*said, reading)))


def _instead(instead: Instead) -> str:
    written, shown = (foreign.isolated(word.strip('«»"')) for word in (instead.written, instead.shown))
    if written == shown:
        return QCoreApplication.translate("Search", "No file has the exact phrase. Found without the quotes:")
    return QCoreApplication.translate("Search", "Nothing has “{written}”. Found for “{shown}”:").format(
        written=written, shown=shown
    )


def _dropped(result: SearchResult) -> list[str]:
    if result.read is None or not result.read.dropped:
        return []
    words = ", ".join(foreign.isolated(word) for word in result.read.words)
    said = QCoreApplication.translate("Search", "Nothing fits “{words}”; all files were searched.")
    return [said.format(words=words)]


def filters(result: SearchResult) -> tuple[str, ...]:
    """Return the words of the question that limited the search."""
    return () if result.read is None or result.read.dropped else result.read.words


def invitation(reading: str) -> tuple[str, str]:
    """Return what an empty field means."""
    translate = QCoreApplication.translate
    return (
        translate("Search", "Search your files and conversations"),
        " ".join(
            filter(
                None,
                (
                    translate(
                        "Search",
                        "Write as you would say it: words in any form, part of a name, a number. "
                        "“PDF” or “last month” narrow the search.",
                    ),
                    reading,
                ),
            )
        ),
    )


def nothing(query: str, result: SearchResult, reading: str) -> tuple[str, str]:
    """Return that nothing was found, and what helps."""
    translate = QCoreApplication.translate
    said = [translate("Search", "Try other words: a name, a number, part of a file's name.")]
    said[:0] = _dropped(result)
    if result.degraded:
        said.append(sentences.degraded(language(), result.degraded))
    title = translate("Search", "Nothing was found for “{query}”").format(query=foreign.isolated(query))
    return title, " ".join(filter(None, (*said, reading)))


def failure(error: BusError) -> tuple[str, str]:
    """Return why there is no answer, and what happens next."""
    translate = QCoreApplication.translate
    if isinstance(error, BusUnavailableError):
        return (
            translate("Search", "Titan is starting"),
            translate("Search", "The search begins by itself as soon as the core is there."),
        )
    if isinstance(error, RequestFailedError) and error.code == "index_unavailable":
        return (
            translate("Search", "The index cannot be used now"),
            translate(
                "Search",
                "Its database is away or full; the line above the conversation says more. "
                "Titan searches again as soon as it is back.",
            ),
        )
    return (
        translate("Search", "The search did not answer"),
        translate("Search", "Titan's core is busy or restarting. Change a word, or wait: it searches again."),
    )
