"""The index: what is known of every file, its passages, and the two ways to find one of them.

`Passages` holds files and the keyword leg, `Vectors` the vector leg over the same passages. Both are written
by the memory service alone; the files service reads the stamps (`ports.catalogue`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.indexing import FailurePage, Outcome, Reason
from titan_desktop.contracts.sources import Place
from titan_desktop.ports.files_root import Stamp


class IndexUnavailableError(Exception):
    """The store cannot be used now; what was asked may be asked again later.

    Attributes:
        reason: the driver's sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the index cannot be used: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """What the index says of one file.

    Attributes:
        path: absolute.
        stamp: how the file looked when it was dealt with.
        outcome: INDEXED, SKIPPED or FAILED.
        event_id: the event that this entry was made from.
    """

    path: str
    stamp: Stamp
    outcome: Outcome = Outcome.INDEXED
    reason: Reason = Reason.NONE
    detail: str = ""
    event_id: str = ""

    @property
    def title(self) -> str:
        """The name that a person calls the file by."""
        return Path(self.path).name

    @property
    def kind(self) -> str:
        """The extension in lower case, without its dot."""
        return Path(self.path).suffix[1:].lower()


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage on its way into the index. `place`: from where in the file to where, None if it is not known."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A passage that one leg found. `score`: greater is better, comparable within one leg's answer only."""

    passage_id: int
    path: str
    title: str
    kind: str
    position: int
    text: str
    score: float
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much the index holds. `files` have passages; `failed` and `skipped` have none and are not among them."""

    files: int
    passages: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Some passages one behind the other, as they were stored.

    Attributes:
        texts: of those that have no vector yet, each once.
        passed: how many passages were looked at, 0 at the end of the index.
        end: the place behind which the next stretch begins.
        total: how many passages the index holds.
    """

    texts: Sequence[str]
    passed: int
    end: int
    total: int


class Passages(Protocol):
    """Files, passages and the keyword leg. Every method raises IndexUnavailableError."""

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        """Return the stamps of all files beneath `folder` (or of the file itself) that were dealt with."""
        ...

    async def with_inodes(self, inodes: Sequence[int]) -> Mapping[str, Stamp]:
        """Return the stamps of all files with one of these inodes whose text is in the index."""
        ...

    async def failed(self, folder: Path) -> Mapping[str, Reason]:
        """Return why those among the `known` that failed could not be read."""
        ...

    async def outdated(self, folder: Path) -> frozenset[str]:
        """Return those among the `known` whose text an older version of the extractor has read."""
        ...

    async def entry_of(self, path: str) -> FileEntry | None:
        """Return what is known of a file, None for one that was never dealt with."""
        ...

    async def store(self, entry: FileEntry, passages: Sequence[Passage]) -> None:
        """Replace all that is known of a file, in one step: old passages are found or new ones, never both."""
        ...

    async def remove(self, path: str, *, folder: bool = False) -> int:
        """Forget a file, or with `folder` everything beneath a folder; return how many files that were."""
        ...

    async def move(self, old: str, new: str, stamp: Stamp) -> bool:
        """Give a file another path, without a look at the file; what was known of `new` is forgotten.

        Returns:
            Whether the text of a file that looks like `stamp` is at `new` now. Else nothing has changed: `old` is
            not in the index, has changed since, gave no text, or is of another kind, which is read in another way.
        """
        ...

    async def move_folder(self, old: str, new: str) -> int:
        """Give all files beneath a folder their paths beneath another; return how many those are."""
        ...

    async def find_words(self, query: str, limit: int) -> Sequence[Found]:
        """Return the best passages for the words of `query`, best first: BM25 over stems, names of files included.

        Any text is a good query; one without an indexed word finds nothing.
        """
        ...

    async def counts(self) -> Counts:
        """Count files and passages."""
        ...

    async def failures(self, limit: int, *, cursor: str = "") -> FailurePage | None:
        """Return files that gave no text: those that failed before those that were skipped, the newest first.

        They are those after `cursor` ("" = from the first). None if the cursor is none of ours.
        """
        ...


class Vectors(Protocol):
    """The vector leg. A vector belongs to a model and to a text, so equal passages share one.

    Vectors are given and taken as sequences of float; a model's size is fixed by the first that is stored.
    Every method raises IndexUnavailableError.
    """

    async def stretch(self, model: str, after: int, limit: int) -> Stretch:
        """Look at the next `limit` passages behind a place, 0 at first, for those without a vector of `model`.

        Whoever goes on at the stretch's end until one is empty has seen every passage once, also those that were
        stored meanwhile.
        """
        ...

    async def before(self, place: int) -> int:
        """Return how many passages there are up to a place."""
        ...

    async def store(self, model: str, vectors: Mapping[str, Sequence[float] | None]) -> None:
        """Keep the vector of each text that is still in a file.

        None marks a text that the model refuses, so that it is not asked again.

        Raises:
            VectorSizeError: a vector's size is not the model's.
        """
        ...

    async def find_near(self, model: str, vector: Sequence[float], limit: int) -> Sequence[Found]:
        """Return the passages nearest to `vector` by cosine, best first.

        Raises:
            VectorSizeError: the vector's size is not the model's.
        """
        ...

    async def keep_only(self, model: str) -> None:
        """Drop the vectors of every other model."""
        ...

    async def forget(self, model: str) -> None:
        """Drop the vectors of this model, and its size."""
        ...

    async def prune(self, kept_s: float) -> int:
        """Drop vectors whose text has been in no file for `kept_s` seconds; return how many."""
        ...


class VectorSizeError(Exception):
    """An endpoint changed what it answers under the same model name.

    Attributes:
        model: its name.
        expected: the size of the vectors that are stored.
        actual: the size of the one at hand.
    """

    def __init__(self, model: str, expected: int, actual: int) -> None:
        super().__init__(f"{model} gives vectors of {actual} numbers, the index holds {expected}")
        self.model = model
        self.expected = expected
        self.actual = actual
