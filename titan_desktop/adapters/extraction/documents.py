"""Documents to blocks: which document it is, who reads it, and whether anything was lost.

Which document it is stands in its bytes; where they leave it open (a ZIP, an OLE container) its name decides. A
kind that Titan reads by itself is read so; if the check finds a loss, kreuzberg reads it, too, and what has lost
less is kept and said to be a part.
"""

import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain

from titan_desktop.adapters.extraction import (
    beside_cells,
    fictionbook,
    general,
    losses,
    opendocument,
    presentation,
    richtext,
    sources,
    tidy,
    webpage,
    wordprocessing,
)
from titan_desktop.adapters.extraction.charset import decode
from titan_desktop.adapters.extraction.epub import Book
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.kinds import DOCUMENTS, ENCRYPTED_PACKAGE, Form
from titan_desktop.adapters.extraction.markup import MarkupError, shown
from titan_desktop.adapters.extraction.package import Package, PackageError
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

_ZIP = "application/zip"
_OLE_STREAMS = (
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__substg1.0_", "msg"),
)
_ODF_MANIFEST = "META-INF/manifest.xml"
_ODF_MANIFEST_BYTES_MAX = 1024 * 1024
_ZIP_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class _Own:
    """What a reader of ours has read, and the words that it should have. `title` is "" where it knows none."""

    blocks: Iterable[Block]
    words: frozenset[str] = frozenset()
    title: str = ""


def unpack() -> None:
    """See `general.unpack`."""
    general.unpack()


def read(data: bytes, form: Form, extension: str, unpacked_bytes: int) -> Extracted:
    """Return a document's blocks, tidied; none where it has no text.

    Raises:
        ExtractionError: UNSUPPORTED, ENCRYPTED, BROKEN, TOO_LARGE (it unpacks to more than `unpacked_bytes`).
    """
    if form is Form.ZIP:
        _look_into_zip(data, unpacked_bytes)
    mime_type = _mime_type(data, form, extension)
    text = ""
    if form in {Form.HTML, Form.TEXT}:
        text = decode(data)
        data = text.encode(
            "utf-8", "replace"
        )  # kreuzberg takes UTF-8 whatever a page or a book says of itself
    try:
        own = _READERS[mime_type](data, text) if mime_type in _READERS else None
        found = None if own is None else Extracted(tuple(own.blocks), mime_type, own.title)
    except (MarkupError, PackageError):
        own = found = None
    if own is None or found is None:
        return _checked(general.read(data, form, mime_type), frozenset())
    checked = _checked(found, own.words)
    if checked.blocks and not checked.gap:
        return checked
    return _better(checked, data, form, own.words)


def _better(ours: Extracted, data: bytes, form: Form, words: frozenset[str]) -> Extracted:
    """Return what has lost less, ours or kreuzberg's."""
    try:
        theirs = general.read(data, form, ours.mime_type)
    except ExtractionError:
        if ours.blocks:
            return ours
        raise
    sizes = [loss.size if (loss := losses.loss_of(one.text, words)) else 0.0 for one in (ours, theirs)]
    if ours.blocks and (not theirs.blocks or sizes[0] <= sizes[1]):
        return ours
    return _checked(theirs, words)


def _checked(found: Extracted, words: frozenset[str]) -> Extracted:
    loss = losses.loss_of(found.text, words)
    return found if loss is None else replace(found, gap=loss.reason, gap_detail=loss.detail)


def _page(_: bytes, text: str) -> _Own:
    flow = Flow(has_layout=True)
    title = webpage.read(text, flow)
    return _Own(flow.blocks(), losses.words(shown(text)), tidy.title(title))


def _word(data: bytes, _: str) -> _Own:
    package = Package(data)
    return _Own(wordprocessing.blocks(package), sources.of_word(package), tidy.title(package.title))


def _open_text(data: bytes, _: str) -> _Own:
    package = Package(data)
    return _Own(opendocument.blocks(package), sources.of_open_document(package), tidy.title(package.title))


def _open_slides(data: bytes, _: str) -> _Own:
    package = Package(data)
    return _Own(opendocument.slides(package), sources.of_open_document(package), tidy.title(package.title))


def _slides(data: bytes, _: str) -> _Own:
    package = Package(data)
    return _Own(presentation.blocks(package), sources.of_slides(package), tidy.title(package.title))


def _open_sheets(data: bytes, _: str) -> _Own:
    package = Package(data)
    return _Own(opendocument.sheets(package), sources.of_open_document(package), tidy.title(package.title))


def _sheets(data: bytes, _: str) -> _Own:
    package = Package(data)
    cells = general.read(data, Form.ZIP, DOCUMENTS["xlsx"])
    return _Own(chain(cells.blocks, beside_cells.blocks(package)), sources.of_sheets(package), cells.title)


def _fiction(_: bytes, text: str) -> _Own:
    found, title = fictionbook.read(text)
    return _Own(found, sources.of_book(text), tidy.title(title))


def _epub(data: bytes, _: str) -> _Own:
    book = Book(Package(data))
    words = losses.words("\n".join(shown(page) for page in book.pages()))
    return _Own(book.blocks(), words, tidy.title(book.title))


def _rich(data: bytes, _: str) -> _Own:
    return _Own(richtext.blocks(data))


_READERS: dict[str, Callable[[bytes, str], _Own]] = {
    DOCUMENTS["html"]: _page,
    DOCUMENTS["docx"]: _word,
    DOCUMENTS["odt"]: _open_text,
    DOCUMENTS["odp"]: _open_slides,
    DOCUMENTS["ods"]: _open_sheets,
    DOCUMENTS["pptx"]: _slides,
    DOCUMENTS["xlsx"]: _sheets,
    DOCUMENTS["fb2"]: _fiction,
    DOCUMENTS["epub"]: _epub,
    DOCUMENTS["rtf"]: _rich,
}
"""Each takes a document's bytes and, of a file of text, its characters. Raises MarkupError, PackageError."""


def _mime_type(data: bytes, form: Form, extension: str) -> str:
    if form is Form.ZIP:
        return _zip_type(data, extension)
    if form is Form.OLE:
        return _ole_type(data, extension)
    if form is Form.TEXT:
        return DOCUMENTS[extension]
    return DOCUMENTS[form.value]


def _zip_type(data: bytes, extension: str) -> str:
    if (detected := general.detected(data)) in DOCUMENTS.values():
        return detected
    if extension not in DOCUMENTS:
        raise ExtractionError(Reason.UNSUPPORTED, _ZIP)
    return DOCUMENTS[extension]


def _ole_type(data: bytes, extension: str) -> str:
    if extension in {"doc", "xls", "ppt", "msg"}:
        return DOCUMENTS[extension]
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return DOCUMENTS[kind]
    if ENCRYPTED_PACKAGE in data:
        raise ExtractionError(Reason.ENCRYPTED)
    raise ExtractionError(Reason.UNSUPPORTED)


def _look_into_zip(data: bytes, unpacked_bytes: int) -> None:
    """Refuse what unpacks to too much, before anything is unpacked, and what is under a password."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > unpacked_bytes:
                raise ExtractionError(Reason.TOO_LARGE, "it unpacks to more than may be read")
            if any(member.flag_bits & _ZIP_ENCRYPTED for member in members) or _has_odf_key(archive):
                raise ExtractionError(Reason.ENCRYPTED)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise ExtractionError(Reason.BROKEN, str(error)[:200]) from error


def _has_odf_key(archive: zipfile.ZipFile) -> bool:
    """Say whether an OpenDocument file lists keys (1.3, part 2, 4.3); its parts are encrypted singly."""
    if _ODF_MANIFEST not in archive.namelist():
        return False
    with archive.open(_ODF_MANIFEST) as manifest:
        return b"encryption-data" in manifest.read(_ODF_MANIFEST_BYTES_MAX)
