"""Text out of files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.memory import Reason


@dataclass(frozen=True, slots=True)
class Extracted:
    """A file's text. `title` is what the document calls itself, often ""; `mime_type` as detected."""

    text: str
    mime_type: str
    title: str = ""


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
        """Cross a process boundary whole."""
        return type(self), (self.reason, self.detail)


class ExtractorUnavailableError(Exception):
    """No file can be read now, whichever it is: the installation is at fault; try the file again later."""


class Extractor(Protocol):
    """Reads through the files root, in a worker process, under limits of time and memory."""

    async def extract(self, path: Path) -> Extracted:
        """Return the text of one file.

        Cancelling ends the worker that reads it.

        Raises:
            ExtractionError: no text, with the reason.
            ExtractorUnavailableError: the file was not tried.
        """
        ...
