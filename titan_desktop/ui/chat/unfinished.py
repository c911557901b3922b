"""Makes unfinished Markdown fit to be shown: no half-written markup appears for a moment and vanishes again.

Markup without its end is closed (`**bol` is shown bold already). What cannot be decided yet waits: a lone `#`,
the first row of a table, `[1` without its bracket. The module `growth` calls this; pure text, no Qt.
"""

import re
from typing import NamedTuple

_FENCE = re.compile(r"((?:[ \t>]|[-*+] |\d{1,9}[.)] )*+)(`{3,}(?=[^`]*$)|~{3,})")
"""Where code begins or ends, in a quotation or an item, too."""
_MARKER = re.compile(
    r"[ \t>]*+(#{1,6}|[-*+_=]+|[-*+] \[[ xX]?\]?|\d{1,9}[.)]?|~{1,2}|\|.*+"
    r"|(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?(?:`{1,2}|[`~]{3,}[^`]*+))?[ \t]*+"
)
"""A whole last line that may become anything: a heading, an item, a rule, a fence, a table's row.

Its blanks are taken once (`*+`): given back one by one they would cost the square of their number.
"""
_DELIMITERS = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+")
_MARK = re.compile(r"\\.|`+|\*+|~~|!?\[|\](?:\([^)\s]*\)?)?", re.DOTALL)
MARKS = re.compile(r"[\n*_`~\[\]!<\\]")
"""Behind one of these a text that goes on has to be parsed."""
_TAIL_CHARS = 4_000
"""A paragraph longer than this is left as it is."""
_LINK_CHARS = 200
"""A bracket that is open for longer is a bracket."""


class Settled(NamedTuple):
    """What may be shown.

    Attributes:
        text: Markdown to be parsed.
        chars: how much of the original it stands for.
        is_whole: nothing waits and nothing was closed, so that plain words may be appended as they are.
    """

    text: str
    chars: int
    is_whole: bool


def settled(text: str) -> Settled:
    """Return the part of a growing text that can be shown now, with its open marks closed."""
    begin, fence = _last_part(text)
    if fence:
        line = text.rfind("\n") + 1
        chars = line if line > begin and _may_be_end(text[line:].lstrip(" \t>"), fence) else len(text)
        return Settled(text[:chars], chars, chars == len(text))
    end = _without_open_lines(text, begin)
    if end - begin > _TAIL_CHARS:
        return Settled(text[:end], end, end == len(text))
    end, closing = _closed(text, begin, end)
    return Settled(text[:end] + closing, end, end == len(text) and not closing)


def _last_part(text: str) -> tuple[int, str]:
    """Return where the last paragraph or the code that is open begins, and the open code's fence."""
    begin = position = 0
    fence = ""
    is_quoted = False
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence and is_quoted and not line.lstrip().startswith(">"):
            fence, begin = "", position  # the quotation is over, and its code with it
        if fence:
            if found and found[2].startswith(fence) and not line[found.end() :].strip():
                fence, begin = "", position + len(line)
        elif found and line.endswith("\n"):
            fence, begin, is_quoted = found[2], position, ">" in found[1]
        elif not line.strip():
            begin = position + len(line)
        position += len(line)
    return begin, fence


def _may_be_end(line: str, fence: str) -> bool:
    return bool(line.strip()) and fence.startswith(line.strip()[: len(fence)])


def _without_open_lines(text: str, begin: int) -> int:
    """Return the end of what is left without a last line, or rows, whose kind is not known yet."""
    start = text.rfind("\n") + 1
    end = start if start >= begin and _MARKER.fullmatch(text, start) else len(text)
    rows = text[begin:end].split("\n")
    table = len(rows)
    while table and (rows[table - 1].lstrip().startswith("|") or (table == len(rows) and not rows[-1])):
        table -= 1
    written = [row for row in rows[table:] if row]
    if written and not (len(written) > 1 and _DELIMITERS.fullmatch(written[1])):
        return begin + sum(len(row) + 1 for row in rows[:table])
    return end


def _closed(text: str, begin: int, end: int) -> tuple[int, str]:
    """Return where to cut, and the marks to append, so that every inline mark before the cut has its end."""
    opened: list[tuple[str, int, int]] = []  # mark, its place, the place behind it
    for found in _MARK.finditer(text, begin, end):
        mark = found[0]
        inside = opened[-1][0] if opened else ""
        if inside.startswith("`"):
            if mark == inside:
                opened.pop()
        elif mark.startswith("]"):
            _close_link(opened, found, end)
        elif mark[0] in "`*~![" and not mark.startswith("\\"):
            _open_or_close(opened, found, text, end)
    cut, closing = end, ""
    for mark, place, behind in opened:
        if "[" in mark and ("\n" in text[place:end] or end - place > _LINK_CHARS):
            continue
        if "[" in mark or not text[behind:end].strip():
            cut = place
            break
        closing = mark + closing
    if closing:  # half of the end mark may be there, and none may follow a blank
        cut = begin + len(text[begin:cut].rstrip(" \t" if closing.startswith("`") else " \t*~"))
    return cut, closing


def _close_link(opened: list[tuple[str, int, int]], found: re.Match[str], end: int) -> None:
    """A bracket ends a link's words; the address behind it may not have come to its end."""
    for number in range(len(opened) - 1, -1, -1):
        if "[" in opened[number][0]:
            is_open = found.end() == end and not found[0].endswith(")")
            if not is_open:
                del opened[number:]
            return


def _open_or_close(opened: list[tuple[str, int, int]], found: re.Match[str], text: str, end: int) -> None:
    mark = found[0]
    for number in range(len(opened) - 1, -1, -1):
        if opened[number][0] == mark:
            del opened[number:]
            return
    follows = text[found.end() : found.end() + 1]
    if found.end() < end and follows.isspace():
        return  # a star between blanks is a star
    if mark == "*" and found.start() and text[found.start() - 1].isalnum() and follows.isalnum():
        return  # as in 2*3
    opened.append((mark, found.start(), found.end()))
