"""Documents to blocks through kreuzberg: the only module that imports it, and only in a worker.

Which document it is stands in its bytes; where they leave it open (a ZIP, an OLE container) its name decides.
No OCR, no cache on disk, no network.

Pages of a PDF, slides and sheets are told apart (kreuzberg 4.10). Pages of a DOCX are not: kreuzberg counts both a
page break and the mark that Word leaves behind it, and where Word's marks are missing nobody knows the pages.
"""

import contextlib
import html
import io
import zipfile
from collections.abc import Iterator

import kreuzberg

from titan_desktop.adapters.extraction import presentation, spreadsheet, tidy
from titan_desktop.adapters.extraction.charset import decode
from titan_desktop.adapters.extraction.kinds import DOCUMENTS, Form
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

_PDF = DOCUMENTS["pdf"]
_SLIDES = frozenset(DOCUMENTS[kind] for kind in ("pptx", "pptm", "ppsx"))
_SHEETS = frozenset(DOCUMENTS[kind] for kind in ("xlsx", "xlsm", "xlsb", "xls", "ods"))
_ZIP = "application/zip"
_OLE_STREAMS = (
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__substg1.0_", "msg"),
)
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""The stream that holds an Office document under a password ([MS-OFFCRYPTO] 2.3.4.4)."""
_ODF_MANIFEST = "META-INF/manifest.xml"
_ODF_MANIFEST_BYTES_MAX = 1024 * 1024
_ZIP_ENCRYPTED = 0x1
_NAMELESS = frozenset({"untitled", "(anonymous)", "без имени", "без названия"})
_TITLE_CHARACTERS_MAX = 300
_TITLE_SOURCE_MAX = 3_000
"""Before references such as &#1046; are resolved; Python reads no number of more than 4,300 digits."""


_SMALLEST_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


def unpack() -> None:
    """Let kreuzberg lay its PDF library into the temporary folder, as it does at the first PDF.

    For a process that is not confined and reads nothing foreign: a confined one may write nowhere.
    """
    kreuzberg.extract_bytes_sync(_SMALLEST_PDF, _PDF, _config("", presentation.Marks()))


def read(data: bytes, form: Form, extension: str, unpacked_bytes: int) -> Extracted:
    """Return a document's blocks, tidied; none where it has no text.

    Raises:
        ExtractionError: UNSUPPORTED, ENCRYPTED, BROKEN, TOO_LARGE (it unpacks to more than `unpacked_bytes`).
    """
    if form is Form.ZIP:
        _look_into_zip(data, unpacked_bytes)
    mime_type = _mime_type(data, form, extension)
    if form in {Form.HTML, Form.TEXT} and mime_type != DOCUMENTS["eml"]:
        data = decode(data).encode()  # kreuzberg takes UTF-8 whatever a page or a book says of itself
    try:
        marks = presentation.Marks()
        result = kreuzberg.extract_bytes_sync(data, mime_type, _config(mime_type, marks))
    except kreuzberg.ValidationError as error:
        raise ExtractionError(Reason.UNSUPPORTED, mime_type) from error
    except kreuzberg.OCRError as error:
        raise ExtractionError(Reason.NO_TEXT) from error
    except (kreuzberg.KreuzbergError, RuntimeError, ValueError) as error:
        reason = Reason.ENCRYPTED if _is_encrypted(data, form) else Reason.BROKEN
        raise ExtractionError(reason, "" if reason is Reason.ENCRYPTED else _first_line(error)) from error
    return Extracted(
        blocks=tuple(_blocks(data, mime_type, result, marks)),
        mime_type=mime_type,
        title=_title(result.metadata.get("title")),
    )


def _blocks(
    data: bytes, mime_type: str, result: kreuzberg.ExtractionResult, marks: presentation.Marks
) -> Iterator[Block]:
    if mime_type == _PDF and result.pages:
        # At the end of a PDF's content kreuzberg repeats whatever looks like a table to it; its pages do not.
        for page in result.pages:
            if text := tidy.tidied(page["content"]):
                yield Block(text, Pages(first=page["page_number"], last=page["page_number"]))
    elif mime_type in _SLIDES:
        yield from marks.blocks(result.content, data)
    elif mime_type in _SHEETS and result.tables:
        yield from spreadsheet.blocks(
            result.metadata["sheet_names"], result.tables, spreadsheet.Corners(data)
        )
    elif text := tidy.tidied(result.content):
        yield Block(text)


def _config(mime_type: str, marks: presentation.Marks) -> kreuzberg.ExtractionConfig:
    pages = None
    if mime_type == _PDF:
        pages = kreuzberg.PageConfig(extract_pages=True)
    elif mime_type in _SLIDES:
        pages = kreuzberg.PageConfig(insert_page_markers=True, marker_format=marks.format)
    return kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        pages=pages,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )


def _mime_type(data: bytes, form: Form, extension: str) -> str:
    if form is Form.ZIP:
        return _zip_type(data, extension)
    if form is Form.OLE:
        return _ole_type(data, extension)
    if form is Form.TEXT:
        return DOCUMENTS[extension]
    return DOCUMENTS[form.value]


def _zip_type(data: bytes, extension: str) -> str:
    with contextlib.suppress(kreuzberg.KreuzbergError, RuntimeError):
        detected = kreuzberg.detect_mime_type(data)
        if detected in DOCUMENTS.values():
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
    if _ENCRYPTED_PACKAGE in data:
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
        raise ExtractionError(Reason.BROKEN, _first_line(error)) from error


def _has_odf_key(archive: zipfile.ZipFile) -> bool:
    """Say whether an OpenDocument file lists keys (1.3, part 2, 4.3); its parts are encrypted singly."""
    if _ODF_MANIFEST not in archive.namelist():
        return False
    with archive.open(_ODF_MANIFEST) as manifest:
        return b"encryption-data" in manifest.read(_ODF_MANIFEST_BYTES_MAX)


def _is_encrypted(data: bytes, form: Form) -> bool:
    """Ask the bytes: kreuzberg's ParsingError stands for a password and for a ruin, told apart by prose alone."""
    if form is Form.PDF:
        return b"/Encrypt" in data  # in the trailer, which is never compressed (PDF 1.7, 7.5.5 and 7.5.8)
    return form is Form.OLE and _ENCRYPTED_PACKAGE in data


def _title(found: object) -> str:
    title = " ".join(html.unescape(found[:_TITLE_SOURCE_MAX]).split()) if isinstance(found, str) else ""
    return "" if title.lower() in _NAMELESS else title[:_TITLE_CHARACTERS_MAX]


def _first_line(error: Exception) -> str:
    message = error.message if isinstance(error, kreuzberg.KreuzbergError) else str(error)
    return message.splitlines()[0][:200] if message else ""
