"""The names of the archive's objects: `<folder>/<first id>_<last id>_<count>.jsonl.zst`.

A listing is enough to know which object has which entries of which stream. A topic's name may contain anything;
the folder's name is safe on every file system and in every bucket.
"""

import hashlib
import re
from dataclasses import dataclass

from titan_bus import names
from titan_bus.entry_id import LAST, EntryId

_SEGMENT = re.compile(r"([^/]+)/(\d{1,20}-\d{1,20})_(\d{1,20}-\d{1,20})_(\d{1,20})\.jsonl\.zst")
# No capitals: some file systems do not distinguish them from small letters.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.-")
_NO_TOPIC = "=-"
"""The prefix of folders of streams that belong to no topic; in an escape "=" is followed by a hexadecimal
digit."""
_NO_NAME = "="
"""The folder of the topic with an empty name."""
FOLDER_MAX = 200
"""File systems allow names of 255 bytes. The folder of a longer name is its beginning and its SHA-256."""
_HASHED = re.compile(r".+=-[0-9a-f]{64}")
_HEAD = FOLDER_MAX - len("=-") - 64
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
"""Windows reserves these names, with any extension (Microsoft, "Naming Files, Paths")."""


@dataclass(frozen=True, slots=True)
class SegmentName:
    """A parsed name: `count` entries of `stream`, from `first` to `last`, both included."""

    stream: str
    first: EntryId
    last: EntryId
    count: int

    def __str__(self) -> str:
        return f"{folder_of(self.stream)}/{self.first}_{self.last}_{self.count}.jsonl.zst"

    @classmethod
    def parse(cls, key: str, stream: str | None = None) -> "SegmentName | None":
        """Parse a key; None when it is no segment's. Pass `stream` if known, because not every folder tells it."""
        found = _SEGMENT.fullmatch(key)
        if found is None:
            return None
        folder, first, last, count = found.groups()
        stream = stream_of(folder) if stream is None else stream
        if stream is None:
            return None
        name = cls(stream, EntryId.parse(first), EntryId.parse(last), int(count))
        # A folder may contain any file: ids that no server gives, other spellings.
        possible = name.first <= name.last and max(name.first.ms, name.first.number) <= LAST.ms
        possible = possible and max(name.last.ms, name.last.number) <= LAST.ms
        return name if possible and str(name) == key else None


def folder_of(stream: str) -> str:
    """Return the folder of a stream: its topic, with `=XX` for unsafe bytes."""
    topic = names.topic_of(stream)
    folder = _escaped(topic) if topic is not None else _NO_TOPIC + _escaped(stream)
    if len(folder) <= FOLDER_MAX:
        return folder
    digest = hashlib.sha256(stream.encode(errors="surrogateescape")).hexdigest()
    return f"{folder[:_HEAD]}=-{digest}"


def stream_of(folder: str) -> str | None:
    """Return the stream of a folder; None when its name was too long to be stored in the folder's."""
    if _HASHED.fullmatch(folder):
        return None
    if folder.startswith(_NO_TOPIC):
        return _unescaped(folder.removeprefix(_NO_TOPIC))
    return names.stream_of(_unescaped(folder))


def _escaped(name: str) -> str:
    escaped = "".join(
        chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in name.encode(errors="surrogateescape")
    )
    if escaped.startswith(".") or _DEVICES.match(escaped):  # "..", hidden files, Windows' devices
        escaped = f"={ord(escaped[0]):02X}{escaped[1:]}"
    if escaped.endswith("."):  # Windows drops it
        escaped = f"{escaped[:-1]}=2E"
    return escaped or _NO_NAME


def _unescaped(folder: str) -> str:
    if folder == _NO_NAME:
        return ""
    raw = re.sub(
        rb"=([0-9A-F]{2})",
        lambda found: bytes.fromhex(found[1].decode()),
        folder.encode(errors="surrogateescape"),
    )
    return raw.decode(errors="surrogateescape")
