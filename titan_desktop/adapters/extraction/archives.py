"""ZIP, tar and what is compressed by gzip, bzip2 or xz: each member is read as a file of its own.

A tar is read as a stream, because a compressed one cannot be searched. Names of a ZIP are in the encoding of the
system that made it (APPNOTE 4.4.4, bit 11 says UTF-8; old Windows wrote cp866 or cp1251).
"""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Protocol, cast

from titan_desktop.adapters.extraction import charset, kinds
from titan_desktop.adapters.extraction.members import DEPTH_MAX, Bounds, Members, Read
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.extractor import Extracted, ExtractionError


class _Stream(Protocol):
    """What is read from its begin to its end, once."""

    def read(self, size: int = -1, /) -> bytes: ...


_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
_UNIX = 3
_OFFICE_PARTS = frozenset({"[content_types].xml", "mimetype", "content.xml", "word/document.xml"})
_LEFT_OUT = ("__MACOSX/", "._", ".DS_Store", "Thumbs.db", "desktop.ini")
_TAR_BLOCK_BYTES = 512
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, EOFError, OSError, ValueError, KeyError,
    IndexError, OverflowError, NotImplementedError,
)  # fmt: skip
_UNPACKERS: dict[bytes, Callable[[BinaryIO], _Stream]] = {
    b"\x1f\x8b\x08": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_LONGEST_MAGIC = max(map(len, _UNPACKERS))


def is_archive(file: BinaryIO) -> bool:
    """Say whether a ZIP is an archive and no document of an office. A damaged one may be either, and is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _OFFICE_PARTS.isdisjoint(name.lower() for name in archive.namelist())
    except _DAMAGE:
        return False
    finally:
        file.seek(0)


def read_zip(file: BinaryIO, read: Read, bounds: Bounds) -> Extracted:
    """Return the blocks of a ZIP's members. Raises ExtractionError."""
    members = Members(read, bounds)
    try:
        with zipfile.ZipFile(file) as archive:
            listed = [info for info in archive.infolist() if not info.is_dir() and not _is_link(info)]
            for info, name in zip(listed, _names(listed), strict=True):
                if _is_left_out(name):
                    continue
                if members.is_full:
                    break
                members.add(name, info.file_size, _zip_content(archive, info))
    except _DAMAGE as error:
        raise ExtractionError(Reason.BROKEN, str(error)[:200]) from error
    return _extracted(members, "application/zip")


def read_packed(file: BinaryIO, read: Read, bounds: Bounds) -> Extracted:
    """Return the blocks of a tar's members, or of the one file that is compressed. Raises ExtractionError."""
    head = file.read(_LONGEST_MAGIC)
    file.seek(0)
    opener = next((opener for magic, opener in _UNPACKERS.items() if head.startswith(magic)), None)
    stream: _Stream = _Bounded(file if opener is None else opener(file), bounds)
    members = Members(read, bounds)
    try:
        begin = stream.read(_TAR_BLOCK_BYTES)
        stream = _Rest(begin, stream)
        if not kinds.is_tar(begin):
            return _one(stream, read, bounds)
        _add_tar(stream, members)
    except _FullError:
        members.miss(Reason.CUT, "")
    except _DAMAGE as error:
        members.miss(Reason.MEMBERS_UNREAD, str(error))
    found = _extracted(members, "application/x-tar")
    if not found.blocks and found.gap is Reason.MEMBERS_UNREAD:
        raise ExtractionError(Reason.BROKEN, found.gap_detail)
    return found


def _one(stream: "_Stream", read: Read, bounds: Bounds) -> Extracted:
    """Return the blocks of a file that is compressed by itself: it has no name within, and no members."""
    most = min(bounds.member_octets, bounds.octets)
    data = _content(stream)(most + 1)
    if len(data) > most:
        raise ExtractionError(Reason.TOO_LARGE)
    bounds.octets -= len(data)
    if bounds.depth >= DEPTH_MAX:
        raise ExtractionError(Reason.TOO_LARGE)
    bounds.depth += 1
    try:
        return read(data, "", bounds)
    finally:
        bounds.depth -= 1


def _extracted(members: Members, mime_type: str) -> Extracted:
    blocks = tuple(members.blocks())
    return Extracted(blocks, mime_type, gap=members.gap, gap_detail=members.gap_detail)


# ZIP


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def content(most: int) -> bytes:
        if info.flag_bits & _ENCRYPTED:
            raise ExtractionError(Reason.ENCRYPTED)
        try:
            with archive.open(info) as opened:
                return opened.read(most)
        except (*_DAMAGE, RuntimeError) as error:
            raise ExtractionError(Reason.BROKEN) from error

    return content


def _is_link(info: zipfile.ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _names(listed: list[zipfile.ZipInfo]) -> list[str]:
    """Return the members' names, those that are not said to be UTF-8 in the encoding that fits them all."""
    raw = [b"" if info.flag_bits & _UTF8_NAME else info.filename.encode("cp437") for info in listed]
    high = b"\n".join(name for name in raw if not name.isascii())
    if not high:
        return [info.filename for info in listed]
    encoding = charset.encoding_of_names(high)
    return [
        name.decode(encoding, "replace") if name else info.filename
        for name, info in zip(raw, listed, strict=True)
    ]


# Tar


def _add_tar(stream: _Stream, members: Members) -> None:
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", errors="surrogateescape") as archive:
        for info in archive:
            name = charset.decode(info.name.encode("utf-8", "surrogateescape"))
            if not info.isreg() or _is_left_out(name):
                continue
            if members.is_full:
                break
            if (opened := archive.extractfile(info)) is not None:
                members.add(name, info.size, _content(opened))


def _content(opened: _Stream) -> Callable[[int], bytes]:
    def content(most: int) -> bytes:
        parts = []
        while most > 0 and (part := opened.read(min(most, 1024 * 1024))):
            parts.append(part)
            most -= len(part)
        return b"".join(parts)

    return content


def _is_left_out(name: str) -> bool:
    last = PurePosixPath(name).name
    return name.startswith(_LEFT_OUT[0]) or last.startswith(_LEFT_OUT[1]) or last in _LEFT_OUT


class _FullError(Exception):
    """More would be unpacked than may be."""


class _Bounded:
    """A stream that unpacks no more than its bounds allow, also of what is only passed over."""

    def __init__(self, stream: _Stream, bounds: Bounds) -> None:
        self._stream = stream
        self._left = bounds.octets
        self._bounds = bounds

    def read(self, size: int = -1) -> bytes:
        if self._left <= 0 or self._bounds.are_reached:
            raise _FullError
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        return data


class _Rest:
    """A stream whose first bytes have been looked at."""

    def __init__(self, begin: bytes, stream: _Stream) -> None:
        self._begin = begin
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not self._begin:
            return self._stream.read(size)
        given, self._begin = (self._begin, b"") if size < 0 else (self._begin[:size], self._begin[size:])
        return given
