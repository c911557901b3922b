"""Extracts text from files: a document is a sequence of blocks, each with its place."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.security import Security
from titan_desktop.contracts.sources import Place

VERSION = 5
"""Incremented when files should be read again for better results. 2: blocks have places; 3: cells are
parted by tabs; 4: what is lost is looked for; 5: files in files are read, too."""


OCR_MISSING = "tesseract"
"""The detail of NO_TEXT where Tesseract might find text, and is not installed."""


class BlockKind(StrEnum):
    """The kind of a block; TEXT if unknown."""

    TEXT = "text"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document: a page, a slide, a sheet, or the whole of it where it has no such parts.

    Attributes:
        text: tidied, never blank. Where `place` is Lines or Cells, each line of it is one line of the file or one
            row of the sheet, so that the place of a part can be counted.
        place: None: the document has no places, or they are not known.
    """

    text: str
    place: Place | None = None
    kind: BlockKind = BlockKind.TEXT


@dataclass(frozen=True, slots=True)
class Extracted:
    """The content of a file.

    Attributes:
        mime_type: as detected.
        title: the document's own, often "".
        gap: why this is only a part of its text; NONE if nothing is known to be lost. `gap_detail`: one line.
    """

    blocks: tuple[Block, ...]
    mime_type: str
    title: str = ""
    gap: Reason = Reason.NONE
    gap_detail: str = ""

    @property
    def text(self) -> str:
        """All blocks, separated by an empty line."""
        return "\n\n".join(block.text for block in self.blocks)


class ExtractionError(Exception):
    """A file gave no text.

    Attributes:
        reason: why; UNSUPPORTED, EMPTY and NO_TEXT are skips, the rest failures.
        detail: one line for a person.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["ExtractionError"], tuple[Reason, str]]:
        """Keep the fields across a process boundary."""
        return type(self), (self.reason, self.detail)


class ExtractorUnavailableError(Exception):
    """No file can be read now, because the installation is broken; try the file again later."""


class Extractor(Protocol):
    """Reads what the files root opens, in a confined worker process, under limits of time and memory."""

    async def extract(self, path: Path) -> Extracted:
        """Return the content of one file.

        Cancelling ends the worker that reads it.

        Raises:
            ExtractionError: no text, with the reason.
            ExtractorUnavailableError: the file was not tried.
        """
        ...

    async def security(self) -> Security:
        """Return how workers are confined, as one of them finds it.

        Raises:
            ExtractorUnavailableError: none can be started.
        """
        ...
