"""Answers what clients ask about folders and files, by the module that also guards every reading.

Needs no store, so it works as soon as the bus does.
"""

import asyncio
import codecs
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from titan_bus import Handlers, RequestRefused
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.files import (
    FileText,
    FolderEntry,
    FolderPage,
    ListFolder,
    Located,
    LocateSource,
    ReadFile,
    SortBy,
)
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRoot, FilesRootError, Listed

GROUP = "files"
ENTRIES_MAX = 1_000
PAGE_BYTES = 12_000
TEXT_BYTES_MAX = 22_000
"""A page of text in JSON; a reply that is one event has 24,000 bytes."""
SAMPLE_BYTES = 65_536


class BrowsingService:
    """Answers `locate_source`, `list_folder` and `read_file`.

    Args:
        files_root: guards every look.
        encoding_of: tells the encoding of a text by its beginning.
    """

    drain_s = 1.0

    def __init__(self, files_root: FilesRoot, encoding_of: Callable[[bytes], str]) -> None:
        self._files_root = files_root
        self._encoding_of = encoding_of
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.locate_source, self.list_folder, self.read_file)

    async def locate_source(self, wanted: LocateSource) -> Located:
        """Return whether a path is beneath a root and exists."""
        return await asyncio.to_thread(self._locate, wanted.path)

    async def list_folder(self, wanted: ListFolder) -> FolderPage:
        """Return one page of a folder.

        Raises:
            RequestRefused: a `Reason`, or `not_found` for an invalid cursor.
        """
        try:
            return await asyncio.to_thread(self._list if wanted.path else self._list_roots, wanted)
        except FilesRootError as error:
            raise RequestRefused(error.reason, error.detail) from error

    async def read_file(self, wanted: ReadFile) -> FileText:
        """Return one page of a text file.

        Raises:
            RequestRefused: a `Reason`, or `not_text`.
        """
        try:
            return await asyncio.to_thread(self._read, wanted)
        except FilesRootError as error:
            raise RequestRefused(error.reason, error.detail) from error
        except OSError as error:
            raise RequestRefused(Reason.UNREADABLE, error.strerror or "") from error

    def _locate(self, path: str) -> Located:
        try:
            self._files_root.root_of(Path(path))
        except FilesRootError:
            return Located(path=path, allowed=False, exists=False)
        try:
            self._files_root.stamp(Path(path))
        except FilesRootError:
            return Located(path=path, allowed=True, exists=False)
        return Located(path=path, allowed=True, exists=True)

    def _list_roots(self, _wanted: ListFolder) -> FolderPage:
        roots = [FolderEntry(name=str(root), is_folder=True) for root in self._files_root.standing()]
        return FolderPage(path="", entries=tuple(roots), total=len(roots))

    def _list(self, wanted: ListFolder) -> FolderPage:
        folder = self._files_root.canonical(Path(wanted.path))
        found = [one for one in self._files_root.listing(folder) if wanted.hidden or not one.is_ignored]
        found.sort(key=lambda one: _place_of(one, wanted.sort_by), reverse=wanted.descending)
        found.sort(key=lambda one: not one.is_folder)
        begin = _after(found, wanted) if wanted.cursor else 0
        limit = max(1, min(wanted.limit, ENTRIES_MAX))
        page = found[begin : begin + limit]
        more = begin + limit < len(found)
        return FolderPage(
            path=str(folder),
            entries=tuple(map(_shown, page)),
            total=len(found),
            next_cursor=_cursor(page[-1], wanted.sort_by) if more else "",
        )

    def _read(self, wanted: ReadFile) -> FileText:
        with self._files_root.open(Path(wanted.path)) as file:
            size = file.seek(0, 2)
            encoding = wanted.encoding
            if not encoding:
                file.seek(0)
                sample = file.read(SAMPLE_BYTES)
                encoding = self._encoding_of(sample)
                if b"\0" in sample and not encoding.startswith(("utf-16", "utf-32")):
                    raise RequestRefused("not_text")
                encoding, mark = _without_mark(encoding, sample)
            else:
                mark = 0
            decoder = _decoder(encoding)
            begin = wanted.offset or mark
            file.seek(begin)
            length = PAGE_BYTES
            while True:  # control characters take six bytes each in JSON
                file.seek(begin)
                decoder.reset()
                chunk = file.read(length)
                text = decoder.decode(chunk, final=begin + len(chunk) >= size)
                if len(msgspec.json.encode(text)) <= TEXT_BYTES_MAX:
                    break
                length //= 2
            end = begin + len(chunk) - len(decoder.getstate()[0])
        return FileText(
            path=wanted.path,
            text=text,
            encoding=encoding,
            size=size,
            next_offset=end if begin < end < size else 0,
        )


class _Place(NamedTuple):
    """Where an entry stands in a listing; names make it unique."""

    value: int
    folded: str
    name: str


def _place_of(one: Listed, sort_by: SortBy) -> _Place:
    value = {SortBy.NAME: 0, SortBy.SIZE: one.size, SortBy.MODIFIED: one.mtime_ns}[sort_by]
    return _Place(value, one.name.casefold(), one.name)


def _cursor(last: Listed, sort_by: SortBy) -> str:
    return msgspec.json.encode((last.is_folder, *_place_of(last, sort_by))).decode()


def _after(found: list[Listed], wanted: ListFolder) -> int:
    """Return how many entries stand before and at a cursor, though what it names may have gone."""
    try:
        is_folder, *rest = msgspec.json.decode(wanted.cursor, type=tuple[bool, int, str, str])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RequestRefused("not_found", "the cursor is none of ours") from error
    last = _Place(*cast("tuple[int, str, str]", tuple(rest)))

    def is_before(one: Listed) -> bool:
        if one.is_folder != is_folder:
            return one.is_folder
        here = _place_of(one, wanted.sort_by)
        return here >= last if wanted.descending else here <= last

    return sum(map(is_before, found))


def _shown(one: Listed) -> FolderEntry:
    return FolderEntry(
        name=one.name,
        is_folder=one.is_folder,
        kind="" if one.is_folder else Path(one.name).suffix[1:].lower(),
        size=one.size,
        modified_ns=one.mtime_ns,
    )


def _without_mark(encoding: str, sample: bytes) -> tuple[str, int]:
    """Return the encoding without a byte order mark, and the length of the mark: pages have none."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if sample.startswith(mark):
            return name, len(mark)
    return encoding, 0


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        decoder = codecs.getincrementaldecoder(encoding)("replace")
        decoder.decode(b"")
    except (LookupError, TypeError, UnicodeError, AssertionError) as error:
        raise RequestRefused("not_text", "no such encoding") from error
    if not isinstance(decoder.decode(b"", final=True), str):  # rot13, hex and their kind
        raise RequestRefused("not_text", "no such encoding")
    return decoder
