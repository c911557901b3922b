"""Reads filters out of a question: «покажи договор PDF», «из таблицы», "notes from last week", «в папке Налоги».

Pure. A word is read as a filter only where it can hardly mean anything else; the rest of the question is what is
searched for. `searcher` takes a filter back where it keeps away what the question is about.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from titan_desktop.contracts.search import EVERYTHING, Filters
from titan_desktop.services.search.folders import mentions
from titan_desktop.services.search.kinds import kinds_in
from titan_desktop.services.search.periods import Claim, named_in

LONGEST = 400
"""Characters; in a pasted page every word stands somewhere, and none of them is a filter."""

_FILE_ACT = re.compile(
    r"\b(?:скача|загрузил|сохран|отредактир|редактир|измен[её]н|файл|download(?:ed)?\b|saved|edited|modified|files?\b)",
    re.IGNORECASE,
)
"""What happens to files alone: beside it, days are the time of a file by both ends."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it was read.

    Attributes:
        rest: what is searched for: the question without the words that only say in which files.
        filters: what the words say.
        words: those words, as they were written, in their order.
        preferred: files of these days come before others that fit as well.
    """

    rest: str
    filters: Filters = EVERYTHING
    words: tuple[str, ...] = ()
    preferred: Filters = EVERYTHING


def folder_names(question: str) -> tuple[str, ...]:
    """Return what may be the names of folders in a question; `read` has to be told which of them there are."""
    if len(question) > LONGEST:
        return ()
    return tuple(dict.fromkeys(name for mention in mentions(question) for name in mention.names))


def read(
    question: str, today: date, folders: Mapping[str, Sequence[str]], given: Filters = EVERYTHING
) -> Reading:
    """Read the filters of a question.

    Args:
        question: as the person wrote it.
        today: the person's day.
        folders: the paths of those of `folder_names` that there are.
        given: what was said otherwise; the words say nothing more about the same.
    """
    if len(question) > LONGEST:
        return Reading(question)
    paths: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    days = since = until = None
    cuts, kept = list[tuple[int, int]](), list[tuple[int, int]]()
    if not given.folders:
        for mention in mentions(question):
            if paths := tuple(path for name in mention.names for path in folders.get(name, ())):
                cuts.append((mention.start, mention.end))
                break
    if not given.kinds and (named := kinds_in(question)) is not None and _is_free(named[1:], cuts):
        kinds = named[0]
        cuts.append(named[1:])
    if given.since is None and given.until is None:
        days = named_in(question, today)
    is_act = _FILE_ACT.search(question) is not None
    if (
        days is not None
        and (is_act or days.claim is not Claim.LOOSE)
        and _is_free((days.start, days.end), cuts)
    ):
        since, until = _midnight(days.first), _midnight(days.after)
        (cuts if is_act or days.claim is Claim.PAST else kept).append((days.start, days.end))
    rest = _without(question, cuts)
    if not re.search(r"\w", rest):
        return Reading(question)  # the words are all that there is to search for
    return Reading(
        rest,
        # What is written of last month may have been written later, so that alone is no end.
        Filters(folders=paths, kinds=kinds, since=since, until=until if is_act else None),
        tuple(question[start:end].strip() for start, end in sorted((*cuts, *kept))),
        EVERYTHING if is_act else Filters(since=since, until=until),
    )


def _is_free(span: tuple[int, int], cuts: Sequence[tuple[int, int]]) -> bool:
    return not any(span[0] < end and start < span[1] for start, end in cuts)


def _midnight(day: date) -> datetime:
    """Return when a day begins where the person is."""
    local = datetime.combine(day, time.min)
    try:
        return local.astimezone()
    except (OverflowError, OSError):  # Windows knows no zone of the time before 1970
        return local.replace(tzinfo=UTC)


def _without(question: str, cuts: Sequence[tuple[int, int]]) -> str:
    rest, at = "", 0
    for start, end in sorted(cuts):
        rest += question[at:start] + " "
        at = end
    return " ".join((rest + question[at:]).split())
