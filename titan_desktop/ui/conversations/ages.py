"""The groups of the list of conversations, by the days since one was used.

Times are compared as the text that they are (RFC 3339, UTC): the list has thousands, and is grouped at every
change.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum


class Age(IntEnum):
    """The groups, newest first."""

    TODAY = 0
    YESTERDAY = 1
    THIS_WEEK = 2
    THIS_MONTH = 3
    EARLIER = 4


_DAYS = {Age.TODAY: 0, Age.YESTERDAY: 1, Age.THIS_WEEK: 7, Age.THIS_MONTH: 30}
_NEVER = "~"
"""Sorts after every time."""


class Calendar:
    """Where the groups begin, seen from one day.

    Args:
        today: by the person's clock.
    """

    def __init__(self, today: date) -> None:
        self.today = today
        self._begins = {age: _midnight(today - timedelta(days=days)) for age, days in _DAYS.items()}

    @classmethod
    def now(cls) -> "Calendar":
        """As of today."""
        return cls(datetime.now(UTC).astimezone().date())

    def age_of(self, used: str) -> Age:
        """Return the group of a conversation that was last used then."""
        return next((age for age, begin in self._begins.items() if used >= begin), Age.EARLIER)

    def end_of(self, age: Age) -> str:
        """Return the time before which everything of this group was used."""
        return self._begins[Age(age - 1)] if age else _NEVER


def _midnight(day: date) -> str:
    local = datetime.combine(day, time.min).astimezone()
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
