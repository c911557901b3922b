"""What a PDF says beside the text of its pages: values of form fields, contents of annotations.

See PDF 1.7, 12.5 and 12.7. Read by pdfium, through its bindings alone. Most files are not opened at
all, because neither their bytes nor their object streams speak of such a thing.
"""

import ctypes
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pypdfium2_raw as pdfium

_ASKED = re.compile(
    rb"/Subtype\s*/(?:Widget|FreeText|Text|Highlight|Underline|Squiggly|StrikeOut|Stamp|Caret|Square|Circle|Line|Ink)\b"
)
_OBJECT_STREAM = re.compile(rb"/ObjStm\b")
_STREAM = re.compile(rb"stream\r?\n")
_DICTIONARY_BYTES_MAX = 2_048
_STREAM_BYTES_MAX = 1024 * 1024
_UNPACKED_BYTES_MAX = 64 * 1024 * 1024
_ANNOTATIONS_MAX = 5_000
_TEXT_BYTES_MAX = 1024 * 1024
_SILENT = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP})
_TICKED = frozenset({pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON})
_EMPTY = frozenset({"", "Off"})
_BUTTON = pdfium.FPDF_FORMFIELD_PUSHBUTTON
_FORM_VERSION = 2

_Read = Callable[..., int]


def remarks(data: bytes) -> Mapping[int, list[str]]:
    """Return what is said on each page, by its number from 1; nothing where the file cannot be opened."""
    if not _may_have_some(data):
        return {}
    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        return {}
    callbacks = pdfium.FPDF_FORMFILLINFO(version=_FORM_VERSION)
    form = pdfium.FPDFDOC_InitFormFillEnvironment(document, callbacks)
    try:
        pages = range(pdfium.FPDF_GetPageCount(document))
        found = {number + 1: list(dict.fromkeys(_of_page(document, form, number))) for number in pages}
    finally:
        pdfium.FPDFDOC_ExitFormFillEnvironment(form)
        pdfium.FPDF_CloseDocument(document)
    return {number: said for number, said in found.items() if said}


def pages(data: bytes) -> int:
    """Return how many pages a PDF has; 0 where it cannot be opened."""
    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        return 0
    try:
        return int(pdfium.FPDF_GetPageCount(document))
    finally:
        pdfium.FPDF_CloseDocument(document)


def _may_have_some(data: bytes) -> bool:
    """Look for annotations that say something, in the file's bytes and in its object streams."""
    if _ASKED.search(data):
        return True
    left = _UNPACKED_BYTES_MAX
    for found in _OBJECT_STREAM.finditer(data):
        begin = _STREAM.search(data, found.end(), found.end() + _DICTIONARY_BYTES_MAX)
        if begin is None:
            continue
        try:
            packed = data[begin.end() : begin.end() + _STREAM_BYTES_MAX]
            objects = zlib.decompressobj().decompress(packed, _STREAM_BYTES_MAX)
        except zlib.error:
            return True  # encrypted, or packed otherwise
        left -= len(objects)
        if left < 0 or _ASKED.search(objects):
            return True
    return False


def _of_page(document: Any, form: Any, number: int) -> Iterator[str]:
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        return
    try:
        for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _ANNOTATIONS_MAX)):
            annotation = pdfium.FPDFPage_GetAnnot(page, index)
            if annotation:
                if said := " ".join(_said(form, annotation).split()):
                    yield said
                pdfium.FPDFPage_CloseAnnot(annotation)
    finally:
        pdfium.FPDF_ClosePage(page)


def _said(form: Any, annotation: Any) -> str:
    kind = pdfium.FPDFAnnot_GetSubtype(annotation)
    if kind in _SILENT:
        return ""
    if kind != pdfium.FPDF_ANNOT_WIDGET:
        return _text(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
    field = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    state = _text(pdfium.FPDFAnnot_GetStringValue, annotation, b"AS") if field in _TICKED else ""
    if field == _BUTTON or (field in _TICKED and state in _EMPTY):
        return ""
    value = _text(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    label = _text(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    return f"{label}: {value}" if label and value else value


def _text(read: _Read, *arguments: Any) -> str:
    """Return a text of pdfium's, which says first how many bytes it needs."""
    size = min(read(*arguments, None, 0), _TEXT_BYTES_MAX)
    if size <= 0:
        return ""
    buffer = ctypes.create_string_buffer(_TEXT_BYTES_MAX if size == _TEXT_BYTES_MAX else size)
    read(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), len(buffer))
    return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0")
