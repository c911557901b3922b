"""The id of a stream's entry: the server's milliseconds and a number within one. Knows nothing of events."""

import re
from typing import NamedTuple

_NUMBER_MAX = 2**64 - 1
_WRITTEN = re.compile(r"([0-9]+)(?:-([0-9]+))?")


class EntryId(NamedTuple):
    """`1700000000000-0` in a form that compares as the server compares."""

    ms: int
    number: int = 0

    @classmethod
    def parse(cls, written: bytes | str) -> "EntryId":
        """Read an id; without its number it is the first of that millisecond.

        Raises:
            ValueError: it is none.
        """
        text = written.decode("ascii", "replace") if isinstance(written, bytes) else written
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no id of a stream's entry, such as 1700000000000-0")
        return cls(int(found[1]), int(found[2] or "0"))

    def previous(self) -> "EntryId":
        """Return the id just before this one; that of the first is itself."""
        if self.number:
            return EntryId(self.ms, self.number - 1)
        return EntryId(self.ms - 1, _NUMBER_MAX) if self.ms else self

    def next(self) -> "EntryId":
        """Return the id just behind this one; that of the last is itself."""
        if self.number < _NUMBER_MAX:
            return EntryId(self.ms, self.number + 1)
        return EntryId(self.ms + 1) if self.ms < _NUMBER_MAX else self

    def __str__(self) -> str:
        return f"{self.ms}-{self.number}"


FIRST = EntryId(0, 0)
"""Before every entry: the server gives no entry this id."""
LAST = EntryId(_NUMBER_MAX, _NUMBER_MAX)
