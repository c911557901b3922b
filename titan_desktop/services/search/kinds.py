"""Kinds of files that a question names: «договор PDF», «из таблицы», "the budget spreadsheet".

Pure. A kind counts where the words ask for a file of it, not where they are about it: "how to merge PDF files".
"""

import re
from collections.abc import Sequence

_SHEETS = ("xlsx", "xls", "xlsm", "xlsb", "ods", "csv", "tsv")
_SLIDES = ("pptx", "ppt", "pptm", "ppsx", "odp")
_TEXTS = ("docx", "doc", "docm", "odt", "rtf")
_PICTURES = ("png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif", "heic")

Table = Sequence[tuple[str, tuple[str, ...]]]

_FORMATS: Table = (
    ("pdf|пдф", ("pdf",)),
    ("docx", ("docx",)),
    ("(?-i:Word)|ворд[ае]?|вордовск(?:ий|ом|ого)", _TEXTS),
    ("xlsx", ("xlsx",)),
    ("(?-i:Excel)|[эе]ксел[ьея]|[эе]кселевск(?:ий|ом|ого)|spreadsheets?", _SHEETS),
    ("pptx", ("pptx",)),
    ("(?-i:PowerPoint)", _SLIDES),
    ("csv", ("csv",)),
    ("txt", ("txt",)),
    ("rtf", ("rtf",)),
    ("odt", ("odt",)),
    ("ods", ("ods",)),
    ("epub", ("epub",)),
    ("fb2", ("fb2",)),
    ("html", ("html", "htm")),
    ("screenshots?|скриншот(?:ы|е|а|ах|ов)?", _PICTURES),
)
"""Words that are kinds of files in themselves."""

_THINGS: Table = (
    ("таблиц(?:а|у|ы|е|ах)", _SHEETS),
    ("презентаци(?:я|ю|и|ях)|слайд(?:ы|е|а|ах|ов)|presentations?|slides?", _SLIDES),
    ("фото|фотографи(?:я|ю|и|ях)|картинк(?:а|у|и|е|ах)|photos?|pictures?", _PICTURES),
    ("e-?mails?", ("eml", "msg", "mbox")),
)
"""Words that are one where something is taken from it, or it is to be shown: «из таблицы», «найди таблицу»."""

_FROM = r"(?:в|из|на|in|from|on|inside)\s+(?:формате\s+|файле\s+|the\s+|my\s+|an?\s+|that\s+)?"
_SHOW = (
    r"(?:покажи|найди|открой|дай|пришли|show|find|open|get|give)\s+(?:me\s+|мне\s+)?"
    r"(?:the\s+|my\s+|an?\s+|all\s+|все\s+|мо[йию]\s+|этот\s+)?"
)
_FILE = r"(?:files?|documents?|файл(?:ы|е|а|ах|ов)?|документ(?:ы|е|а|ах|ов)?)(?!\w)"

_ABOUT_FORMATS = re.compile(
    r"\b(?:how\s+(?:to|do|can)|как|convert|export|save\s+as|merge|split|конверт|экспорт|сохран|объедин|преобраз"
    r"|перевести|раздел)",
    re.IGNORECASE,
)
"""What is asked for may stand in a file of any kind."""


def _compiled(table: Table, *, alone: bool) -> list[tuple[re.Pattern[str], tuple[str, ...]]]:
    patterns = []
    for words, kinds in table:
        word = rf"(?:{words})(?![\w.])"
        ways = [rf"(?P<from>{_FROM})", rf"(?P<show>{_SHOW})"]
        named = rf"(?:{'|'.join(ways)})(?P<named>{word}(?:[\s-]+{_FILE})?)"
        if alone:
            named += rf"|(?P<file>{word}[\s-]+{_FILE})|(?P<last>{word})(?=[\s?!.]*$)"
        patterns.append((re.compile(rf"(?<![\w.])(?:{named})", re.IGNORECASE), kinds))
    return patterns


_PATTERNS = (*_compiled(_FORMATS, alone=True), *_compiled(_THINGS, alone=False))


def kinds_in(text: str) -> tuple[tuple[str, ...], int, int] | None:
    """Return the extensions that a text asks for, and where its words for them begin and end."""
    if _ABOUT_FORMATS.search(text):
        return None
    for pattern, kinds in _PATTERNS:
        if match := pattern.search(text):
            return kinds, match.start("named") if match["show"] else match.start(), match.end()
    return None
