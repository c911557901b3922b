"""Documents to blocks through kreuzberg: the only module that imports it, and only in a worker.

No OCR, no cache on disk, no network.

Pages of a PDF and sheets are told apart (kreuzberg 4.10). Pages of a DOCX are not: kreuzberg counts both a
page break and the mark that Word leaves behind it, and where Word's marks are missing nobody knows the pages.
"""

import contextlib
from collections.abc import Iterator

import kreuzberg

from titan_desktop.adapters.extraction import pdf_remarks, spreadsheet, tidy
from titan_desktop.adapters.extraction.kinds import DOCUMENTS, ENCRYPTED_PACKAGE, Form
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

_PDF = DOCUMENTS["pdf"]
_SHEETS = frozenset(DOCUMENTS[kind] for kind in ("xlsx", "xlsm", "xlsb", "xls", "ods"))
_SMALLEST_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


def unpack() -> None:
    """Let kreuzberg lay its PDF library into the temporary folder, as it does at the first PDF.

    For a process that is not confined and reads nothing foreign: a confined one may write nowhere.
    """
    kreuzberg.extract_bytes_sync(_SMALLEST_PDF, _PDF, _config(""))


def detected(data: bytes) -> str:
    """Return the type that kreuzberg finds in a file's bytes, "" for none."""
    with contextlib.suppress(kreuzberg.KreuzbergError, RuntimeError):
        return kreuzberg.detect_mime_type(data)
    return ""


def read(data: bytes, form: Form, mime_type: str) -> Extracted:
    """Return a document's blocks, tidied; none where it has no text.

    Raises:
        ExtractionError: UNSUPPORTED, ENCRYPTED, BROKEN.
    """
    try:
        result = kreuzberg.extract_bytes_sync(data, mime_type, _config(mime_type))
    except kreuzberg.ValidationError as error:
        raise ExtractionError(Reason.UNSUPPORTED, mime_type) from error
    except kreuzberg.OCRError as error:
        raise ExtractionError(Reason.NO_TEXT) from error
    except (kreuzberg.KreuzbergError, RuntimeError, ValueError) as error:
        reason = Reason.ENCRYPTED if _is_encrypted(data, form) else Reason.BROKEN
        raise ExtractionError(reason, "" if reason is Reason.ENCRYPTED else _first_line(error)) from error
    return Extracted(
        blocks=tuple(_blocks(data, mime_type, result)),
        mime_type=mime_type,
        title=tidy.title(result.metadata.get("title")),
    )


def _blocks(data: bytes, mime_type: str, result: kreuzberg.ExtractionResult) -> Iterator[Block]:
    if mime_type == _PDF and result.pages:
        # At the end of a PDF's content kreuzberg repeats whatever looks like a table to it; its pages do not.
        said = pdf_remarks.remarks(data)
        for page in result.pages:
            whole = "\n\n".join((page["content"], *said.get(page["page_number"], ())))
            if text := tidy.tidied(whole):
                yield Block(text, Pages(first=page["page_number"], last=page["page_number"]))
    elif mime_type in _SHEETS and result.tables:
        yield from spreadsheet.blocks(
            result.metadata["sheet_names"], result.tables, spreadsheet.Corners(data)
        )
    elif text := tidy.tidied(result.content):
        yield Block(text)


def _config(mime_type: str) -> kreuzberg.ExtractionConfig:
    pages = kreuzberg.PageConfig(extract_pages=True) if mime_type == _PDF else None
    return kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        pages=pages,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )


def _is_encrypted(data: bytes, form: Form) -> bool:
    """Ask the bytes: kreuzberg's ParsingError stands for a password and for a ruin, told apart by prose alone."""
    if form is Form.PDF:
        return b"/Encrypt" in data  # in the trailer, which is never compressed (PDF 1.7, 7.5.5 and 7.5.8)
    return form is Form.OLE and ENCRYPTED_PACKAGE in data


def _first_line(error: Exception) -> str:
    message = error.message if isinstance(error, kreuzberg.KreuzbergError) else str(error)
    return message.splitlines()[0][:200] if message else ""
