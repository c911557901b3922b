"""Sizes of texts and files as people read them: "486 KB", «1,5 МБ». For the window and the commands."""

from titan_desktop.client.sentences import Language

_UNITS = {"en": ("B", "KB", "MB", "GB"), "ru": ("Б", "КБ", "МБ", "ГБ")}
_STEP = 1000
"""As file managers and disks count (SI prefixes)."""
_DIGITS, _ALL_DIGITS = 3, 9


def size(language: Language, count: int) -> str:
    """Return a number of bytes with three digits and a unit."""
    return _say(language, count, _DIGITS)


def beside(language: Language, count: int, limit: int) -> tuple[str, str]:
    """Return a size and its limit; a size that is another never reads the same."""
    said, most = size(language, count), size(language, limit)
    return (said if said != most or count == limit else _say(language, count, _ALL_DIGITS)), most


def _say(language: Language, count: float, digits: int) -> str:
    units = _UNITS[language]
    power = 0
    while count >= _STEP and power < len(units) - 1:
        count /= _STEP
        power += 1
    number = f"{count:.{digits}g}"
    if "e" in number:  # 999,9 of a unit is rounded to 1e+03, and beyond the last unit there is no other
        number = f"{count:.0f}"
    return f"{number.replace('.', ',') if language == 'ru' else number} {units[power]}"
