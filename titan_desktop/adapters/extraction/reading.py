"""One file, or one member of a file, to blocks: which reader it needs. Runs in a worker."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from titan_desktop.adapters.extraction import (
    archives,
    charset,
    kinds,
    losses,
    notation,
    tidy,
    transfer,
)
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.members import DEPTH_MAX, Bounds
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Lines
from titan_desktop.ports.extractor import Block, BlockKind, Extracted, ExtractionError

if TYPE_CHECKING:
    from titan_desktop.adapters.extraction import disguises


class Reading:
    """Reads a file and what is in it, under these limits; for one file."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def read(self, file: BinaryIO, size: int, extension: str, bounds: Bounds) -> Extracted:
        """Return the blocks of an open file of this size.

        Raises:
            ExtractionError: it has none, with the reason.
        """
        head = file.read(kinds.HEAD_BYTES)
        form = kinds.form_of(head)
        if form is kinds.Form.PACKED or (form is kinds.Form.ZIP and archives.is_archive(file)):
            file.seek(0)
            found = self._archive(file, form, bounds)
        elif size > self._limits.file_bytes:
            raise ExtractionError(Reason.TOO_LARGE, f"{size} bytes")
        else:
            file.seek(len(head))
            found = self._file(file, head, size, extension, bounds)
        if not found.blocks:
            raise ExtractionError(Reason.NO_TEXT)
        return found

    def _member(self, data: bytes, extension: str, bounds: Bounds) -> Extracted:
        return self.read(io.BytesIO(data), len(data), extension, bounds)

    def _archive(self, file: BinaryIO, form: kinds.Form, bounds: Bounds) -> Extracted:
        if form is kinds.Form.ZIP:
            return archives.read_zip(file, self._member, bounds)
        return archives.read_packed(file, self._member, bounds)

    def _file(self, file: BinaryIO, head: bytes, size: int, extension: str, bounds: Bounds) -> Extracted:
        if head.isspace():
            head += file.read(self._limits.text_bytes - len(head))
        if not head.strip():
            raise ExtractionError(Reason.EMPTY if len(head) >= size else Reason.NO_TEXT)
        form = kinds.form_of(head)
        if extension in kinds.PICTURES and form is kinds.Form.TEXT:
            raise ExtractionError(Reason.NO_TEXT, "it is no picture inside")
        if form is kinds.Form.TEXT:
            return self._written(file, head, extension, bounds)
        if form is kinds.Form.BINARY or (form is kinds.Form.PICTURE and extension not in kinds.PICTURES):
            raise ExtractionError(Reason.BROKEN if extension in kinds.DOCUMENTS else Reason.UNSUPPORTED)
        return self._document(head + file.read(), form, extension, bounds)

    def _document(self, data: bytes, form: kinds.Form, extension: str, bounds: Bounds) -> Extracted:
        from titan_desktop.adapters.extraction import documents, pdf_remarks, pictures

        if form is kinds.Form.PICTURE:
            return pictures.read_picture(data, kinds.PICTURES[extension])
        found = documents.read(data, form, extension, self._limits.unpacked_bytes)
        if form is kinds.Form.PDF and not found.blocks:
            return pictures.read_scan(data, pdf_remarks.pages(data), bounds.deadline)
        return found

    def _written(self, file: BinaryIO, head: bytes, extension: str, bounds: Bounds) -> Extracted:
        """Return the blocks of a file of text, which may be something else than its name says."""
        from titan_desktop.adapters.extraction import disguises

        disguise = disguises.told(charset.decode(head), extension)
        if disguise is disguises.Disguise.PAGE:
            return self._document(head + file.read(), kinds.Form.HTML, extension, bounds)
        if disguise is not None:
            return self._disguised(head + file.read(), disguise, bounds)
        if _is_markup(extension):
            return self._document(head + file.read(), kinds.Form.TEXT, extension, bounds)
        if extension == "pdf":
            raise ExtractionError(Reason.BROKEN, "it is no PDF inside")
        return self._text(file, head, extension, bounds)

    def _disguised(self, data: bytes, disguise: "disguises.Disguise", bounds: Bounds) -> Extracted:
        from titan_desktop.adapters.extraction import disguises, mail

        match disguise:
            case disguises.Disguise.MAIL:
                return mail.read(data, self._member, bounds)
            case disguises.Disguise.MAILBOX:
                return mail.read_mailbox(data, self._member, bounds)
            case disguises.Disguise.WORD:
                return disguises.word(charset.decode(data))
        return disguises.sheets(charset.decode(data))

    def _text(self, file: BinaryIO, head: bytes, extension: str, bounds: Bounds) -> Extracted:
        data = head + file.read(max(0, self._limits.text_bytes - len(head)))
        blocks = tuple(_lines(charset.decode(data), extension))
        loss = losses.loss_of("\n".join(block.text for block in blocks), is_written=True)
        if loss is not None and bounds.depth < DEPTH_MAX and (plain := transfer.decoded(data)):
            return self._plain(plain, bounds)
        found = Extracted(blocks, "text/plain")
        if file.read(1):
            return replace(found, gap=Reason.CUT)
        return found if loss is None else replace(found, gap=loss.reason, gap_detail=loss.detail)

    def _plain(self, data: bytes, bounds: Bounds) -> Extracted:
        """Return what stands in a text of quoted-printable or base64."""
        bounds.depth += 1
        try:
            return self._member(data, "", bounds)
        finally:
            bounds.depth -= 1


def _lines(text: str, extension: str) -> Iterator[Block]:
    """Yield a file of text in one block, by its lines, unless it is shown in other lines than it is written in."""
    shown = notation.readable(text, extension)
    if shown is not text:
        if tidied := tidy.tidied(shown):
            yield Block(tidied)
    elif (tidied := tidy.tidied_lines(text)).strip():
        kind = BlockKind.TABLE if extension in {"csv", "tsv", "xls"} else BlockKind.TEXT
        yield Block(tidied, Lines(first=1, last=tidied.count("\n") + 1), kind)


def _is_markup(extension: str) -> bool:
    """Say whether a file of text has a structure that kreuzberg should read. Markdown is kept as it is written."""
    return extension in {"html", "htm", "xhtml", "fb2"}
