"""What runs in a worker process: opens one file through a files root of its own, and returns its blocks.

multiprocessing's spawn imports this module in a fresh interpreter; `start` imports kreuzberg.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from titan_desktop.adapters.extraction import charset, kinds, notation, tidy
from titan_desktop.adapters.extraction.limits import Limits, hold
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Lines
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError
from titan_desktop.ports.files_root import FilesRoot, FilesRootError

_log = logging.getLogger(__name__)

Reader = Callable[[FilesRoot, Path, Limits], Extracted]


class _Workplace:
    """What `start` lays out for every file of this worker."""

    files_root: FilesRoot
    limits: Limits


def start(roots: tuple[Path, ...], limits: Limits) -> None:
    """Make this process a worker: bound by limits, with a files root, kreuzberg loaded."""
    hold(limits)
    _Workplace.files_root = LocalFilesRoot(roots)
    _Workplace.limits = limits
    from titan_desktop.adapters.extraction import documents  # noqa: F401 - before the first file's clock runs


def run(reader: Reader, path: str) -> Extracted:
    """Read one file; the pool calls this."""
    try:
        return reader(_Workplace.files_root, Path(path), _Workplace.limits)
    except FilesRootError as error:
        raise ExtractionError(error.reason, error.detail) from error
    except MemoryError as error:
        raise ExtractionError(Reason.OUT_OF_MEMORY) from error
    except OSError as error:
        raise ExtractionError(Reason.UNREADABLE, error.strerror or "") from error


def read_file(files_root: FilesRoot, path: Path, limits: Limits) -> Extracted:
    """Return the blocks of one file: the `Reader` of the product."""
    with files_root.open(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.file_bytes:
            raise ExtractionError(Reason.TOO_LARGE, f"{size} bytes")
        head = _beginning(file, limits)
        if not head.strip():
            raise ExtractionError(Reason.EMPTY if len(head) >= size else Reason.NO_TEXT)
        raw = _read(file, head, kinds.extension(path), limits)
    if not raw.blocks:
        raise ExtractionError(Reason.NO_TEXT)
    blocks = tuple(_within(raw.blocks, limits.text_characters))
    if blocks[-1] != raw.blocks[-1]:
        _log.warning("%r: only the first %d characters are kept", path, limits.text_characters)
    return Extracted(blocks=blocks, mime_type=raw.mime_type, title=raw.title)


def _beginning(file: BinaryIO, limits: Limits) -> bytes:
    """Return the first bytes: `HEAD_BYTES`, or all that may be read where so many are blank."""
    head = file.read(kinds.HEAD_BYTES)
    return head + file.read(limits.text_bytes - len(head)) if head.isspace() else head


def _within(blocks: Iterable[Block], room: int) -> Iterator[Block]:
    """Yield the blocks that fit into `room` characters, the last of them cut."""
    for block in blocks:
        yield block if len(block.text) <= room else replace(block, text=block.text[:room])
        room -= len(block.text)
        if room <= 0:
            break


def _read(file: BinaryIO, head: bytes, extension: str, limits: Limits) -> Extracted:
    form = kinds.form_of(head)
    if form is kinds.Form.BINARY:
        raise ExtractionError(Reason.BROKEN if extension in kinds.DOCUMENTS else Reason.UNSUPPORTED)
    if form is kinds.Form.TEXT and not _is_markup(extension):
        if extension == "pdf":
            raise ExtractionError(Reason.BROKEN, "it is no PDF inside")
        data = head + file.read(max(0, limits.text_bytes - len(head)))
        return Extracted(blocks=tuple(_lines(charset.decode(data), extension)), mime_type="text/plain")
    from titan_desktop.adapters.extraction import documents

    return documents.read(head + file.read(), form, extension, limits.unpacked_bytes)


def _lines(text: str, extension: str) -> Iterator[Block]:
    """Yield a file of text in one block, by its lines, unless it is shown in other lines than it is written in."""
    shown = notation.readable(text, extension)
    if shown is not text:
        if tidied := tidy.tidied(shown):
            yield Block(tidied)
    elif (tidied := tidy.tidied_lines(text)).strip():
        yield Block(tidied, Lines(first=1, last=tidied.count("\n") + 1))


def _is_markup(extension: str) -> bool:
    """Say whether a file of text has a structure that kreuzberg should read. Markdown is kept as it is written."""
    return extension in {"html", "htm", "xhtml", "fb2", "eml"}
