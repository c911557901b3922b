"""The format of a segment: the archived entries of a stream's span, in one object that is written once.

It consists of zstd frames (RFC 8878) of about 1 MiB, one line an entry: its id, a tab, the event. An entry that is
no event of ours is a list of its names and values in base64, so that it is kept byte for byte. `zstd -dc` prints
the lines. A skippable frame at the end contains the index: JSON, its SHA-256, its length, a mark.

`archiver` writes segments; `replay` and `restore` read them. All of it is CPU work: call it in a thread.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence

import msgspec

from titan_bus import codec
from titan_bus.archive.segment_name import SegmentName
from titan_bus.entry_id import EntryId
from titan_bus.errors import SegmentDamagedError, SegmentForeignError

Entry = tuple[bytes, Sequence[bytes]]
"""An entry's id, and its names and values in turn, as the server sends them."""

VERSION = 1
BLOCK_BYTES = 1024 * 1024
BLOCK_BYTES_MAX = 1024 * 1024 * 1024
"""Upper limit of a block: one value is 512 MB at most (Redis, "Strings"), a third more in base64."""
_FRAME = b"\x28\xb5\x2f\xfd"
_REPEATED = 1
"""The type of a block that repeats one byte."""
_SKIPPABLE = struct.Struct("<II")
_SKIPPABLE_MAGIC = 0x184D2A5B
_FOOTER = struct.Struct("<32sI4s")
_MARK = b"TBUS"


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """The position of a frame, what it contains, and the SHA-256 of its bytes."""

    offset: int
    length: int
    first: str
    last: str
    count: int
    sha256: str


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a segment's last frame."""

    version: int
    stream: str
    blocks: list[Block]


class SegmentWriter:
    """Collects the entries of one stream, in order, and writes a segment.

    Attributes:
        count: entries collected so far.
        size: their bytes in complete blocks, before compression.
    """

    def __init__(self, stream: str) -> None:
        import zstandard

        self.count = 0
        self.size = 0
        self._stream = stream
        # The checksum is for `zstd -t`, and for reading a segment whose index is lost.
        self._compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._lines: list[bytes] = []
        self._waiting = 0
        self._blocks: list[Block] = []
        self._frames: list[bytes] = []

    def extend(self, entries: Sequence[Entry], bytes_max: int | None = None) -> int:
        """Add entries in order until `size` reaches `bytes_max`. Returns how many were added."""
        for taken, (entry_id, fields) in enumerate(entries):
            if bytes_max is not None and self.size >= bytes_max:
                return taken
            line = pack(entry_id, fields)
            self.count += 1
            self._lines.append(line)
            self._waiting += len(line) + 1
            if self._waiting >= BLOCK_BYTES:
                self._end_block()
        return len(entries)

    def finish(self) -> tuple[SegmentName, bytes]:
        """Return the name and bytes of the segment, which has at least one entry."""
        self._end_block()
        index = msgspec.json.encode(Index(version=VERSION, stream=self._stream, blocks=self._blocks))
        footer = _FOOTER.pack(hashlib.sha256(index).digest(), len(index), _MARK)
        frame = _SKIPPABLE.pack(_SKIPPABLE_MAGIC, len(index) + len(footer))
        return _name_of(self._stream, self._blocks), b"".join((*self._frames, frame, index, footer))

    def _end_block(self) -> None:
        if not self._lines:
            return
        self._lines.append(b"")
        frame = self._compressor.compress(b"\n".join(self._lines))
        offset = self._blocks[-1].offset + self._blocks[-1].length if self._blocks else 0
        self._blocks.append(_block(offset, frame, self._lines[:-1]))
        self._frames.append(frame)
        self.size += self._waiting
        self._lines, self._waiting = [], 0


class Segment:
    """A segment that was read.

    Attributes:
        name: its name.
        blocks: the readable blocks, in order.
        damage: why the index could not be used. `blocks` are then those found without it; none when the object is
            whole but belongs to another stream or version.
    """

    def __init__(self, name: SegmentName, data: bytes) -> None:
        self.name = name
        self.damage: SegmentDamagedError | None = None
        self._data = data
        try:
            self.blocks = _read_index(name, data)
        except SegmentForeignError as damage:
            self.damage, self.blocks = damage, []
        except SegmentDamagedError as damage:
            self.damage, self.blocks = damage, list(_salvage(data))

    def lines(self, block: Block) -> list[bytes]:
        """Return the lines of a block.

        Raises:
            SegmentDamagedError: the bytes have changed.
        """
        frame = self._data[block.offset : block.offset + block.length]
        if hashlib.sha256(frame).hexdigest() != block.sha256:
            raise SegmentDamagedError(
                str(self.name), f"the block at byte {block.offset} is not what was written"
            )
        try:
            lines = _lines(frame)
            if self.damage is not None:  # without an index only the bytes show whether we wrote it
                for line in lines:
                    EntryId.parse(unpack(line)[0])
        except ValueError as error:
            raise SegmentDamagedError(
                str(self.name), f"the block at byte {block.offset} is none of ours: {error}"
            ) from error
        return lines


def pack(entry_id: bytes, fields: Sequence[bytes]) -> bytes:
    """Return the line of an entry."""
    if len(fields) == 2 and fields[0] == codec.FIELD and fields[1][:1] == b"{" and b"\n" not in fields[1]:  # noqa: PLR2004 -- a name and its value
        return entry_id + b"\t" + fields[1]
    return entry_id + b"\t" + msgspec.json.encode(fields)  # bytes become base64


def unpack(line: bytes) -> tuple[bytes, list[bytes]]:
    """Return the entry of a line."""
    entry_id, _, packed = line.partition(b"\t")
    if packed.startswith(b"{"):
        return entry_id, [codec.FIELD, packed]
    return entry_id, msgspec.json.decode(packed, type=list[bytes])


def id_of(line: bytes) -> EntryId:
    """Return the entry id of a line."""
    return EntryId.parse(line[: line.index(b"\t")])


def _block(offset: int, frame: bytes, lines: Sequence[bytes]) -> Block:
    return Block(
        offset=offset,
        length=len(frame),
        first=str(id_of(lines[0])),
        last=str(id_of(lines[-1])),
        count=len(lines),
        sha256=hashlib.sha256(frame).hexdigest(),
    )


def _name_of(stream: str, blocks: Sequence[Block]) -> SegmentName:
    count = sum(block.count for block in blocks)
    return SegmentName(stream, EntryId.parse(blocks[0].first), EntryId.parse(blocks[-1].last), count)


def _lines(frame: bytes) -> list[bytes]:
    import zstandard

    size = zstandard.frame_content_size(frame)
    if not 0 <= size <= BLOCK_BYTES_MAX:
        raise ValueError(f"a block of {size} bytes")
    try:
        return zstandard.ZstdDecompressor().decompress(frame).split(b"\n")[:-1]
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _read_index(name: SegmentName, data: bytes) -> list[Block]:
    """Return the blocks of the index, which must cover everything before it."""
    try:
        digest, length, mark = _FOOTER.unpack(data[-_FOOTER.size :])
        start = len(data) - _FOOTER.size - length
        magic, size = _SKIPPABLE.unpack(data[max(0, start - _SKIPPABLE.size) : max(0, start)])
        encoded = data[start : start + length]
        if (magic, size, mark) != (_SKIPPABLE_MAGIC, length + _FOOTER.size, _MARK):
            raise SegmentDamagedError(str(name), "it does not end with an index: it is torn, or no segment")
        if hashlib.sha256(encoded).digest() != digest:
            raise SegmentDamagedError(str(name), "its index is not what was written")
        index = msgspec.json.decode(encoded, type=Index)
    except struct.error:
        raise SegmentDamagedError(str(name), "it does not end with an index: it is torn") from None
    except msgspec.MsgspecError as error:
        raise SegmentForeignError(str(name), f"its index is of another version: {error}") from error
    if index.version != VERSION:
        raise SegmentForeignError(
            str(name), f"it is of version {index.version}, this program reads {VERSION}"
        )
    if index.stream != name.stream:
        raise SegmentForeignError(str(name), f"it is a segment of {index.stream}: it was copied or renamed")
    if not index.blocks or index.blocks[-1].offset + index.blocks[-1].length != start - _SKIPPABLE.size:
        raise SegmentDamagedError(str(name), "something was cut out of it or put into it")
    if _name_of(index.stream, index.blocks) != name:
        raise SegmentDamagedError(str(name), "its name is not its own: it was renamed")
    return index.blocks


def _salvage(data: bytes) -> Iterator[Block]:
    """Find the frames that are whole, by their own checksums (RFC 8878, 3.1.1)."""
    import zstandard

    offset = 0
    while (offset := data.find(_FRAME, offset)) >= 0:
        try:
            frame = data[offset : offset + _length(data, offset)]
            block = _block(offset, frame, _lines(frame))
        except (zstandard.ZstdError, ValueError, IndexError):
            offset += len(_FRAME)
            continue
        yield block
        offset += len(frame)


def _length(data: bytes, offset: int) -> int:
    """Return a frame's length from its block headers (RFC 8878, 3.1.1.2), without decompressing.

    Raises:
        ValueError: the frame is truncated.
    """
    import zstandard

    head = data[offset : offset + 18]
    at, last = offset + zstandard.frame_header_size(head), 0
    while not last:
        header = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        at += 3 + (1 if kind == _REPEATED else size)
        if at > len(data):
            raise ValueError("it is torn")
    return at - offset + (4 if zstandard.get_frame_parameters(head).has_checksum else 0)
