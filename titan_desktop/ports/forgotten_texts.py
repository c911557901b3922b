"""What the person wanted forgotten of the texts of files. The files service forgets, the indexer obeys."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TakenOut:
    """How much was taken out of the index."""

    files: int = 0
    passages: int = 0
    vectors: int = 0


class ForgottenTexts(Protocol):
    """Every method raises IndexUnavailableError."""

    async def forget(self, path: str) -> TakenOut:
        """Take the text of a file, or of all beneath a folder, out of the index, where they stay as forgotten.

        `Passages.store` does not give such a file a text. Vectors go unless another file has the same text.
        """
        ...

    async def rewrite(self) -> str:
        """Take the bytes out of this store's own files, after the rows are gone; see `Erasures.rewrite`."""
        ...

    async def permit(self, path: str) -> int:
        """Let forgotten files at or beneath a path be read again. Returns how many."""
        ...
