"""Days as a person reads them, in the window's language."""

from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, QLocale


def day_of(timestamp: str) -> str:
    """Return the local day of an RFC 3339 time, or of a date: "3 March 2026"; "" for none that can be read."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return ""
    if moment.tzinfo is None:  # a date alone is that day everywhere
        return _shown(QDate(moment.year, moment.month, moment.day))
    return _shown(QDateTime.fromSecsSinceEpoch(int(moment.timestamp())).date())


def day_of_ns(since_epoch_ns: int) -> str:
    """Return the local day of nanoseconds since the epoch, "" for 0."""
    if not since_epoch_ns:
        return ""
    return _shown(QDateTime.fromSecsSinceEpoch(since_epoch_ns // 1_000_000_000).date())


def _shown(day: QDate) -> str:
    return QLocale().toString(day, "d MMMM yyyy")
