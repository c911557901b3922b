"""Text in pictures and scanned pages, by the Tesseract that kreuzberg has built in, in this very process.

It needs only the models of an installed Tesseract, in the folder that `system.tesseract.VARIABLE` names. Nothing
is started and nothing is written, so it runs under the same confinement and limits as every reader.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import kreuzberg

from titan_desktop.adapters.extraction import tidy
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.extractor import OCR_MISSING, Block, Extracted, ExtractionError
from titan_desktop.system import tesseract

_PDF = "application/pdf"
_PAGE_S = 10.0
"""Time that must be left for a page to be begun."""


def read_picture(data: bytes, mime_type: str) -> Extracted:
    """Return the text in a picture. Raises ExtractionError: NO_TEXT, BROKEN."""
    text = tidy.tidied(_recognized(data, mime_type))
    return Extracted((Block(text),) if text else (), mime_type)


def read_scan(data: bytes, pages: int, deadline: float) -> Extracted:
    """Return the text of a PDF whose `pages` are pictures, page by page until `deadline` (`time.monotonic`)."""
    blocks: list[Block] = []
    for number in range(1, pages + 1):
        if time.monotonic() > deadline - _PAGE_S and number > 1:
            return Extracted(tuple(blocks), _PDF, gap=Reason.CUT)
        if text := tidy.tidied(_recognized(data, _PDF, number)):
            blocks.append(Block(text, Pages(first=number, last=number)))
    return Extracted(tuple(blocks), _PDF)


def _recognized(data: bytes, mime_type: str, page: int = 0) -> str:
    languages = "+".join(_languages())
    if not languages:
        raise ExtractionError(Reason.NO_TEXT, OCR_MISSING)
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        force_ocr_pages=[page] if page else None,
        pages=kreuzberg.PageConfig(extract_pages=True) if page else None,  # else it knows of no pages
        ocr=kreuzberg.OcrConfig(
            backend="tesseract",
            language=languages,
            tesseract_config=kreuzberg.TesseractConfig(
                language=languages, use_cache=False, enable_table_detection=False, output_format="text"
            ),
        ),
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
    )
    try:
        return kreuzberg.extract_bytes_sync(data, mime_type, config).content
    except (kreuzberg.KreuzbergError, RuntimeError, ValueError) as error:
        raise ExtractionError(Reason.BROKEN, type(error).__name__) from error


def _languages() -> Iterator[str]:
    if folder := os.environ.get(tesseract.VARIABLE):
        yield from filter(None, tesseract.languages(Path(folder)).split("+"))
