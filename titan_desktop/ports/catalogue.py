"""The index's data on files: enough for the scanner to publish only what is new."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import Stamp


class Catalogue(Protocol):
    """Read by the files service, written by the indexer."""

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        """Return the stamps of all files beneath `folder`, or of the file itself, failed ones too."""
        ...

    async def held(self, paths: Sequence[str]) -> frozenset[str]:
        """Return those of these paths that are in the index, or have a file in it beneath them."""
        ...

    async def with_inodes(self, inodes: Sequence[int]) -> Mapping[str, Stamp]:
        """Return the stamps of all files with one of these inodes whose text is in the index."""
        ...

    async def failed(self, folder: Path) -> Mapping[str, Reason]:
        """Return why those among the `known` that failed could not be read."""
        ...

    async def outdated(self, folder: Path) -> frozenset[str]:
        """Return those among the `known` that an older version of the extractor has read or skipped.

        With them those that were skipped because Tesseract was not installed, once it is.
        """
        ...
