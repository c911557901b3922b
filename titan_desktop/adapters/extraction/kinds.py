"""What a file is: first by its name, which costs nothing, then by its first bytes, which do not lie.

A name may refuse (a film, a program) but never decide alone: a `.doc` is often RTF or HTML, a `.txt` may be a PDF.
"""

import codecs
from enum import Enum
from pathlib import PurePath

from titan_desktop.adapters.extraction.charset import unmarked_utf16

HEAD_BYTES = 8192

_OFFICE = "application/vnd.openxmlformats-officedocument"
_MS = "application/vnd.ms"
_OPEN = "application/vnd.oasis.opendocument"
DOCUMENTS = {
    "pdf": "application/pdf",
    "docx": f"{_OFFICE}.wordprocessingml.document", "docm": f"{_OFFICE}.wordprocessingml.document",
    "dotx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet", "xlsm": f"{_OFFICE}.spreadsheetml.sheet",
    "xlsb": f"{_MS}-excel.sheet.binary.macroEnabled.12",
    "pptx": f"{_OFFICE}.presentationml.presentation", "pptm": f"{_OFFICE}.presentationml.presentation",
    "ppsx": f"{_OFFICE}.presentationml.presentation",
    "doc": "application/msword", "xls": f"{_MS}-excel", "ppt": f"{_MS}-powerpoint", "msg": f"{_MS}-outlook",
    "odt": f"{_OPEN}.text", "ods": f"{_OPEN}.spreadsheet", "odp": f"{_OPEN}.presentation",
    "rtf": "application/rtf", "html": "text/html", "htm": "text/html", "xhtml": "text/html",
    "epub": "application/epub+zip", "fb2": "application/x-fictionbook+xml", "eml": "message/rfc822",
}  # fmt: skip
"""Extension to the type under which kreuzberg knows it."""

ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""The stream that holds an Office document under a password ([MS-OFFCRYPTO] 2.3.4.4)."""

_REFUSED = frozenset(
    (  # noqa: SIM905 - a hundred quoted words are no better to read
        # pictures that are no `PICTURES`; sound and film; archives of kinds that nothing here unpacks
        "gif heic heif avif ico icns svg psd ai eps raw cr2 nef arw dng xcf "
        "djvu mp3 wav flac ogg oga opus m4a aac wma aiff mid midi mp4 m4v mkv avi mov wmv flv webm mpg mpeg 3gp "
        "vob 7z rar zst lz lzma cab arj iso img dmg vhd vhdx vmdk qcow2 ova "
        # programs and their parts; data of programs; keys
        "exe msi dll so dylib bin com sys deb rpm apk ipa appimage pkg snap flatpak jar war class pyc pyo o a obj "
        "lib wasm elf run db sqlite sqlite3 mdb accdb pst ost dbf dat pak blend fbx stl 3ds dwg dxf ttf otf ttc "
        "woff woff2 eot torrent parquet feather npy npz h5 hdf5 pt pth onnx safetensors gguf pickle pkl "
        "kdbx p12 pfx jks keystore"
    ).split()
)

_BEGINNINGS = (
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"{\\rtf", "rtf"),
    (b"\x1f\x8b\x08", "packed"),
    (b"BZh", "packed"),
    (b"\xfd7zXZ\0", "packed"),
    (b"\x89PNG\r\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"BM", "picture"),
    (b"RIFF", "picture"),
    (b"\xff\xfe", "text"),  # the byte order marks of UTF-16, whose text is full of NULs
    (b"\xfe\xff", "text"),
)
_TAR_AT, _TAR = 257, b"ustar"
"""POSIX.1-2017, pax, "ustar Header Block"."""
_PDF_WITHIN = 1024
"""Readers accept a PDF's header anywhere in the first kilobyte (PDF 1.7, appendix H, note 13)."""
_HTML_BEGINNINGS = (b"<!doctype html", b"<html")


PICTURES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg", "bmp": "image/bmp",
    "tif": "image/tiff", "tiff": "image/tiff", "webp": "image/webp",
}  # fmt: skip
"""Extension to type of the pictures in which people have text: scans, screenshots, photographs of papers."""


class Form(Enum):
    """How a file is built, by its first bytes. PACKED: a tar, or compressed by gzip, bzip2 or xz."""

    PDF = "pdf"
    ZIP = "zip"
    OLE = "ole"
    RTF = "rtf"
    HTML = "html"
    TEXT = "text"
    PACKED = "packed"
    PICTURE = "picture"
    BINARY = "binary"


def extension(path: PurePath) -> str:
    """Return "pdf" for `Report.PDF`, "" where there is none."""
    return path.suffix.lower().removeprefix(".")


def is_refused_by_name(path: PurePath) -> bool:
    """Say whether the name alone tells that there is no text to be had."""
    return extension(path) in _REFUSED


def is_tar(head: bytes) -> bool:
    """Say whether these are the first bytes of a tar."""
    return head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR


def form_of(head: bytes) -> Form:
    """Tell a file's form by its first `HEAD_BYTES`."""
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return Form.PDF
    if is_tar(head):
        return Form.PACKED
    for beginning, form in _BEGINNINGS:
        if head.startswith(beginning):
            return Form(form)
    if b"\0" in head:
        return Form.TEXT if unmarked_utf16(head) else Form.BINARY
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    return Form.HTML if text.startswith(_HTML_BEGINNINGS) else Form.TEXT
