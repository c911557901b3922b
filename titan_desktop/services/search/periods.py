"""Days that a question names: «в прошлом месяце», «за март», "last week", "3 days ago".

Pure: the caller says what day it is. Weeks begin on Monday.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto

_MONTHS = {
    "январ": 1, "феврал": 2, "март": 3, "апрел": 4, "ма": 5, "июн": 6,
    "июл": 7, "август": 8, "сентябр": 9, "октябр": 10, "ноябр": 11, "декабр": 12,
    "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6,
    "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip
_UNITS = {"д": "day", "н": "week", "м": "month", "г": "year", "л": "year"}
"""By the first letter of the Russian word; an English one names itself."""
_NUMBER_MAX = 1_000

_RU_MONTH = (
    "(?P<month>январ|феврал|март|апрел|ма|июн|июл|август|сентябр|октябр|ноябр|декабр)(?:ь|я|й|а|е|)"
    r"(?:\s+(?P<year>(?:19|20)\d\d)(?:\s+г(?:ода|од|\.)?)?)?(?!\w)"
)
_EN_MONTH = (
    "(?P<month>January|February|March|April|(?-i:May)|June|July|August|September|October|November|December)"
    r"(?:,?\s+(?P<year>(?:19|20)\d\d))?(?!\w)"
)
_RU_UNIT = r"(?P<unit>день|дня|дней|недел[яиюеь]|месяц(?:а|ев|е|)|год(?:а|у|)|лет)(?!\w)"
_EN_UNIT = r"(?P<unit>day|week|month|year)s?(?!\w)(?:['’]s)?"


class Claim(Enum):
    """How surely a question names the time of a file by such words."""

    PAST = auto()
    """"last month", «вчера»: what is asked for was written then, or later of it."""
    NAMED = auto()
    """«за март», "from March": likewise; the name may stand in the text, too."""
    LOOSE = auto()
    """"today", "in March", "this year": most often a question about the world, not about the time of a file."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days that are named in a text.

    Attributes:
        first: the first day.
        after: the day after the last one.
        start: where the words begin in the text.
        end: where they end.
    """

    first: date
    after: date
    claim: Claim
    start: int
    end: int


def named_in(text: str, today: date) -> Period | None:
    """Return the days that a text names; None when it names none, or more than one time."""
    found: list[Period] = []
    for pattern, claim, days in _PATTERNS:
        for match in pattern.finditer(text):
            try:
                span = days(match, today)
            except (OverflowError, ValueError):  # before the year 1, or after 9999
                continue
            if span is not None and not any(match.start() < p.end and p.start < match.end() for p in found):
                found.append(Period(*span, claim, *match.span()))
    return found[0] if len(found) == 1 else None


_Days = Callable[[re.Match[str], date], tuple[date, date] | None]


def _single(back: int) -> _Days:
    return lambda _, today: _around(today - timedelta(back), "day")


def _last(match: re.Match[str], today: date) -> tuple[date, date]:
    """The calendar's week, month or year before this one."""
    return _ago(today, _unit(match), 1)


def _this(match: re.Match[str], today: date) -> tuple[date, date]:
    return _around(today, _unit(match))


def _recent(match: re.Match[str], today: date) -> tuple[date, date]:
    """So many days up to today: "the past 3 weeks" are 21."""
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[_unit(match)] * _number(match)
    return today - timedelta(days), today + timedelta(1)


def _back(match: re.Match[str], today: date) -> tuple[date, date]:
    """The day, or the calendar's week, month or year, so many of them before this one."""
    return _ago(today, _unit(match), _number(match))


def _month(match: re.Match[str], today: date) -> tuple[date, date]:
    """The month of the year that is named, else the last one that has begun."""
    month = _MONTHS[match["month"].lower()]
    year = int(match["year"] or 0) or (today.year if month <= today.month else today.year - 1)
    return _around(date(year, month, 1), "month")


def _year(match: re.Match[str], _: date) -> tuple[date, date]:
    return _around(date(int(match["year"]), 1, 1), "year")


def _number(match: re.Match[str]) -> int:
    return min(int(match["number"] or 1), _NUMBER_MAX)


def _unit(match: re.Match[str]) -> str:
    word = match["unit"].lower()
    return _UNITS.get(word[0], word)


def _ago(today: date, unit: str, number: int) -> tuple[date, date]:
    if unit in {"day", "week"}:
        return _around(today - timedelta({"day": 1, "week": 7}[unit] * number), unit)
    months = today.year * 12 + today.month - 1 - number * {"month": 1, "year": 12}[unit]
    return _around(date(months // 12, months % 12 + 1, 1), unit)


def _around(day: date, unit: str) -> tuple[date, date]:
    """The day, or the calendar's week, month or year that it lies in."""
    match unit:
        case "day":
            return day, day + timedelta(1)
        case "week":
            first = day - timedelta(day.weekday())
            return first, first + timedelta(7)
        case "month":
            first = day.replace(day=1)
            return first, (first + timedelta(31)).replace(day=1)
        case _:
            return date(day.year, 1, 1), date(day.year + 1, 1, 1)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){pattern}", re.IGNORECASE)


_RU_FROM = r"(?:(?:в|во|за|на|с|со|от|из)\s+)?"
_EN_FROM = r"(?:(?:from|in|of|during|over|within|since|for|on)\s+)?(?:the\s+)?"

_PATTERNS: tuple[tuple[re.Pattern[str], Claim, _Days], ...] = (
    (_compiled(rf"{_RU_FROM}позавчера(?:шн\w+)?(?!\w)"), Claim.PAST, _single(2)),
    (_compiled(rf"{_RU_FROM}вчера(?:шн\w+)?(?!\w)"), Claim.PAST, _single(1)),
    (_compiled(rf"{_RU_FROM}сегодня(?:шн\w+)?(?!\w)"), Claim.LOOSE, _single(0)),
    (_compiled(rf"{_RU_FROM}прошл(?:ой|ую|ом|ый|ого)\s+{_RU_UNIT}"), Claim.PAST, _last),
    (_compiled(rf"{_RU_FROM}(?:эт|текущ)(?:ой|у|ую|ом|ем|от|ий|ого|его)\s+{_RU_UNIT}"), Claim.LOOSE, _this),
    (_compiled(rf"за\s+последн(?:ие|юю|ий)\s+(?:(?P<number>\d+)\s+)?{_RU_UNIT}"), Claim.PAST, _recent),
    (_compiled(rf"(?:(?P<number>\d+)\s+)?{_RU_UNIT}\s+(?:тому\s+)?назад(?!\w)"), Claim.PAST, _back),
    (_compiled(rf"(?:за|с|от)\s+{_RU_MONTH}"), Claim.NAMED, _month),
    (_compiled(rf"в\s+{_RU_MONTH}"), Claim.LOOSE, _month),
    (_compiled(r"(?:за|в|от|с)\s+(?P<year>(?:19|20)\d\d)(?:-?\w{1,2})?\s+г(?:оду|ода|од)(?!\w)"),
     Claim.LOOSE, _year),
    (_compiled(rf"{_EN_FROM}day\s+before\s+yesterday(?!\w)(?:['’]s)?"), Claim.PAST, _single(2)),
    (_compiled(rf"{_EN_FROM}yesterday(?!\w)(?:['’]s)?"), Claim.PAST, _single(1)),
    (_compiled(rf"{_EN_FROM}today(?!\w)(?:['’]s)?"), Claim.LOOSE, _single(0)),
    (_compiled(rf"{_EN_FROM}(?:last|past)\s+(?P<number>\d+)\s+{_EN_UNIT}"), Claim.PAST, _recent),
    (_compiled(rf"{_EN_FROM}past\s+(?P<number>){_EN_UNIT}(?!\s+of\b)"), Claim.PAST, _recent),
    (_compiled(rf"{_EN_FROM}(?:last|previous)\s+{_EN_UNIT}(?!\s+of\b)"), Claim.PAST, _last),
    (_compiled(rf"{_EN_FROM}this\s+{_EN_UNIT}"), Claim.LOOSE, _this),
    (_compiled(rf"(?:(?P<number>\d+)|an?)\s+{_EN_UNIT}\s+ago(?!\w)"), Claim.PAST, _back),
    (_compiled(rf"(?:from|for|since)\s+{_EN_MONTH}"), Claim.NAMED, _month),
    (_compiled(rf"in\s+{_EN_MONTH}"), Claim.LOOSE, _month),
    (_compiled(r"(?:from|in|since)\s+(?P<year>(?:19|20)\d\d)(?!\w)"), Claim.LOOSE, _year),
)  # fmt: skip
