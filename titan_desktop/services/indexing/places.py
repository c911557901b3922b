"""Places of parts and of neighbours: what `cutting` needs to know of them.

A place covers a stretch of a file. Lines and rows are counted within a block; pages and slides are not parted.
"""

import re

from titan_desktop.contracts.sources import Cells, Lines, Member, Pages, Place, Slides

_CELL = re.compile(r"([A-Z]+)(\d+)")


def narrowed(place: Place | None, begin: int, end: int) -> Place | None:
    """Return the place of the lines `begin` to `end` of a block at `place`, counted from 0, both included."""
    match place:
        case Member(path=path, place=within):
            return _member(path, narrowed(within, begin, end))
        case Lines(first=first):
            return Lines(first=first + begin, last=first + end)
        case Cells(sheet=sheet, first=first, last=last) if first:
            (left, top), (right, _) = _parsed(first), _parsed(last)
            return Cells(sheet=sheet, first=f"{left}{top + begin}", last=f"{right}{top + end}")
    return place


def joinable(one: Place | None, other: Place | None) -> bool:
    """Say whether a passage may reach from one place to the other: not out of a sheet or a member."""
    if isinstance(one, Member) or isinstance(other, Member):
        return (
            isinstance(one, Member)
            and isinstance(other, Member)
            and one.path == other.path
            and joinable(one.place, other.place)
        )
    return not (isinstance(one, Cells) and isinstance(other, Cells) and one.sheet != other.sheet)


def joined(one: Place | None, other: Place | None) -> Place | None:
    """Return the place from one to a later one of the same kind, None where one of them is not known."""
    if isinstance(one, Member) and isinstance(other, Member):
        return _member(one.path, other.place if one.place is None else joined(one.place, other.place))
    return _joined(one, other)


def _joined(one: Place | None, other: Place | None) -> Place | None:
    match one, other:
        case Cells(first=""), Cells():
            return other
        case Cells() as cells, Cells(last=last):
            return Cells(sheet=cells.sheet, first=cells.first, last=last or cells.last)
        case Pages(first=first), Pages(last=last):
            return Pages(first=first, last=last)
        case Slides(first=first), Slides(last=last):
            return Slides(first=first, last=last)
        case Lines(first=first), Lines(last=last):
            return Lines(first=first, last=last)
    return None


def _member(path: str, within: Place | None) -> Member:
    assert not isinstance(within, Member)  # noqa: S101 - a member's path has all names
    return Member(path=path, place=within)


def _parsed(cell: str) -> tuple[str, int]:
    found = _CELL.fullmatch(cell)
    assert found is not None, cell  # noqa: S101 - the extractor names cells
    return found[1], int(found[2])
