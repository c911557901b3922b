"""What the archive's objects are called: `<folder>/<first id>_<last id>_<count>.jsonl.zst`.

A listing alone so tells which entries of which stream are where. A topic's name is data: the folder's is safe on
every file system and in every bucket.
"""

import re
from dataclasses import dataclass

from titan_bus import names
from titan_bus.entry_id import LAST, EntryId

_SEGMENT = re.compile(r"([^/]+)/(\d{1,20}-\d{1,20})_(\d{1,20}-\d{1,20})_(\d{1,20})\.jsonl\.zst")
# No capitals: some file systems do not tell them from small letters.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.-")
_NO_TOPIC = "=-"
"""Begins the folder of a stream that is no topic's; after its "=" an escape has a hexadecimal digit."""


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What a segment's name tells: `count` entries of `stream`, from `first` to `last`, both included."""

    stream: str
    first: EntryId
    last: EntryId
    count: int

    def __str__(self) -> str:
        return f"{folder_of(self.stream)}/{self.first}_{self.last}_{self.count}.jsonl.zst"

    @classmethod
    def parse(cls, key: str) -> "SegmentName | None":
        """Read a key; None when it is no segment's."""
        found = _SEGMENT.fullmatch(key)
        if found is None:
            return None
        folder, first, last, count = found.groups()
        name = cls(stream_of(folder), EntryId.parse(first), EntryId.parse(last), int(count))
        # Anything may lie in a folder: ids that the server could not have given, a name spelt otherwise.
        possible = name.first <= name.last and max(name.first.ms, name.first.number) <= LAST.ms
        possible = possible and max(name.last.ms, name.last.number) <= LAST.ms
        return name if possible and str(name) == key else None


def folder_of(stream: str) -> str:
    """Return the folder of a stream: its topic, with `=XX` for what is not safe in a name everywhere."""
    topic = names.topic_of(stream)
    return _escaped(topic) if topic is not None else _NO_TOPIC + _escaped(stream)


def stream_of(folder: str) -> str:
    """Return the stream whose folder this is."""
    if folder.startswith(_NO_TOPIC):
        return _unescaped(folder.removeprefix(_NO_TOPIC))
    return names.stream_of(_unescaped(folder))


def _escaped(name: str) -> str:
    escaped = "".join(
        chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in name.encode(errors="surrogateescape")
    )
    return f"=2E{escaped[1:]}" if escaped.startswith(".") else escaped  # "..", and hidden files


def _unescaped(folder: str) -> str:
    raw = re.sub(
        rb"=([0-9A-F]{2})",
        lambda found: bytes.fromhex(found[1].decode()),
        folder.encode(errors="surrogateescape"),
    )
    return raw.decode(errors="surrogateescape")
