"""Files within files, as members of archives and attachments of mails are: read in memory, in bounds.

Nothing of them is ever written, so their names cannot point anywhere: they are shown, no more.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from titan_desktop.adapters.extraction import kinds, tidy
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.messages import one_line
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import MEMBER_SIGN, Member
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

_MEMBERS_MAX = 10_000
DEPTH_MAX = 3
"""How many files one may stand in."""
_TIME_SHARE = 0.6
"""Of a file's time, after which no other member is begun: what was read by then is kept."""
_SKIPS = frozenset({Reason.UNSUPPORTED, Reason.EMPTY, Reason.NO_TEXT})
_GAPS = {Reason.ENCRYPTED: Reason.MEMBERS_LOCKED, Reason.CUT: Reason.CUT}
_BYTES_FOR_A_NAME = 1_000
"""What a member costs beside its content: a hundred thousand empty ones are a bomb, too."""


@dataclass(slots=True)
class Bounds:
    """How much the files in one file may still be, all together and however deep.

    Attributes:
        octets: what may still be unpacked.
        member_octets: the most of one of them.
        deadline: of `time.monotonic`.
        depth: how many files the one that is read stands in.
    """

    octets: int
    member_octets: int
    members: int
    characters: int
    deadline: float
    depth: int = 0

    @classmethod
    def of(cls, limits: Limits) -> "Bounds":
        """Return those of a file whose reading begins now."""
        return cls(
            octets=limits.unpacked_bytes,
            member_octets=limits.file_bytes,
            members=_MEMBERS_MAX,
            characters=limits.text_characters,
            deadline=time.monotonic() + limits.timeout_s * _TIME_SHARE,
        )

    @property
    def are_reached(self) -> bool:
        """Whether no other member may be read."""
        return min(self.octets, self.members, self.characters) <= 0 or time.monotonic() > self.deadline


Read = Callable[[bytes, str, Bounds], Extracted]
"""Takes a member's content and its extension. Raises ExtractionError, and what a parser may raise."""


class Members:
    """Collects what the members of one file say.

    Args:
        read: reads one of them.
        bounds: of the whole file.
    """

    def __init__(self, read: Read, bounds: Bounds) -> None:
        self._read = read
        self._bounds = bounds
        self._blocks: list[Block] = []
        self._silent: list[str] = []
        self.gap = Reason.NONE
        self.gap_detail = ""

    @property
    def is_full(self) -> bool:
        """Whether a bound is reached; then what follows is not read, and that is said."""
        if self._bounds.are_reached:
            self.miss(Reason.CUT, "")
            return True
        return False

    def add(self, name: str, size: int, content: Callable[[int], bytes]) -> None:
        """Read a member, or take only its name where it has no text.

        Args:
            name: as its container has it.
            size: in bytes, -1 when unknown.
            content: returns its bytes, at most so many. Raises ExtractionError.
        """
        bounds = self._bounds
        bounds.members -= 1
        bounds.octets -= _BYTES_FOR_A_NAME
        path = shown(name)
        if kinds.is_refused_by_name(PurePosixPath(path)) or _is_picture(path):
            self._silent.append(path)
            return
        try:
            found = self._found(path, size, content)
        except ExtractionError as error:
            self._silent.append(path)
            if error.reason not in _SKIPS:
                self.miss(_GAPS.get(error.reason, Reason.MEMBERS_UNREAD), path)
            return
        self._blocks.append(Block(tidy.tidied(PurePosixPath(path).name), Member(path=path)))
        self._blocks += (replace(block, place=_within(path, block)) for block in found.blocks)
        bounds.characters -= sum(len(block.text) for block in found.blocks)
        if found.gap:
            self.miss(found.gap, f"{path}: {found.gap_detail}" if found.gap_detail else path)

    def miss(self, reason: Reason, detail: str) -> None:
        """Tell that something is lost; the first to do so is heard."""
        if not self.gap:
            self.gap, self.gap_detail = reason, detail

    def blocks(self) -> Iterator[Block]:
        """Yield the members' blocks, and the names of those without text."""
        yield from self._blocks
        if names := tidy.tidied("\n".join(self._silent)):
            yield Block(names)

    def _found(self, path: str, size: int, content: Callable[[int], bytes]) -> Extracted:
        bounds = self._bounds
        if bounds.depth >= DEPTH_MAX:
            raise ExtractionError(Reason.TOO_LARGE)
        if size > bounds.member_octets:
            raise ExtractionError(Reason.TOO_LARGE)
        most = min(bounds.member_octets, bounds.octets)
        data = content(most + 1) if size <= most else b""
        bounds.octets -= max(size, len(data))
        if bounds.octets < 0:
            raise ExtractionError(Reason.CUT)
        if len(data) > most:
            raise ExtractionError(Reason.TOO_LARGE)
        bounds.depth += 1
        try:
            return self._read(data, kinds.extension(PurePosixPath(path)), bounds)
        except (ExtractionError, MemoryError):
            raise
        except Exception as error:  # a parser may raise what it likes: it costs its member
            raise ExtractionError(Reason.CRASHED, type(error).__name__) from error
        finally:
            bounds.depth -= 1


def shown(name: str) -> str:
    """Return a member's name as it is shown, its folders parted by "/"; "?" where nothing of it is left."""
    parts = (one_line(part) for part in name.replace("\\", "/").split("/"))
    return one_line("/".join(part for part in parts if part not in {"", ".", ".."})) or "?"


def _is_picture(path: str) -> bool:
    """Say whether a member is a picture: ten photographs would take the time of all that is written."""
    return kinds.extension(PurePosixPath(path)) in kinds.PICTURES


def _within(path: str, block: Block) -> Member:
    if isinstance(block.place, Member):
        return Member(path=one_line(f"{path}{MEMBER_SIGN}{block.place.path}"), place=block.place.place)
    return Member(path=path, place=block.place)
