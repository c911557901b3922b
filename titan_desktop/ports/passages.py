"""The index: what is known of every file, its passages, and the two ways to find one of them.

`Passages` holds files and the keyword leg, `Vectors` the vector leg over the same passages. Both are written
by the indexing service alone; the files service reads the stamps (`ports.catalogue`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from titan_desktop.contracts.indexing import FailurePage, Outcome, Reason
from titan_desktop.contracts.search import EVERYTHING, Filters, Instead
from titan_desktop.contracts.sources import Place
from titan_desktop.ports.files_root import Stamp


class IndexUnavailableError(Exception):
    """The store cannot be used now; the call may be repeated later.

    Attributes:
        reason: the driver's message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the index cannot be used: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """The index's entry of one file.

    Attributes:
        path: absolute.
        stamp: the file's stamp when it was processed.
        outcome: INDEXED, SKIPPED or FAILED.
        reason: with INDEXED: why the file was read only in part.
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
        """The file's name."""
        return Path(self.path).name

    @property
    def kind(self) -> str:
        """The extension in lower case, without its dot."""
        return Path(self.path).suffix[1:].lower()


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage for the index. `place`: its range in the file, None if unknown."""

    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A passage found by one of the searches.

    Attributes:
        score: greater is better, comparable within one result only.
        changed_ns: when the file was last changed, in nanoseconds since 1970.
    """

    passage_id: int
    path: str
    title: str
    kind: str
    position: int
    text: str
    score: float
    place: Place | None = None
    changed_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How the words of a query are read.

    Attributes:
        whole: about the score of a passage that has all of them: of mean length, each word once. Against it the
            best score tells how much of the query is in the files at all. 0.0 without a word.
        instead: what is looked for in place of words that nothing has.
    """

    whole: float = 0.0
    instead: Instead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers of the index.

    Attributes:
        files: those that have passages.
        failed: those that have none, as the `skipped`; neither are among the files.
        partial: how many of the files were read only in part.
    """

    files: int
    passages: int
    failed: int
    skipped: int
    partial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive passages, in the order in which they were stored.

    Attributes:
        texts: those without a vector, each once.
        passed: how many passages were read, 0 at the end of the index.
        end: the position behind which the next stretch begins.
        total: how many passages the index has.
    """

    texts: Sequence[str]
    passed: int
    end: int
    total: int


class Passages(Protocol):
    """Files, passages and the keyword search. Every method raises IndexUnavailableError."""

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        """Return the stamps of all processed files beneath `folder`, or of the file itself."""
        ...

    async def readable(self, folder: Path) -> Mapping[str, Stamp]:
        """Return the stamps of the files beneath `folder` whose text is in the index."""
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
        """Return those among the `known` that an older version of the extractor or of this index has read."""
        ...

    async def entry_of(self, path: str) -> FileEntry | None:
        """Return the entry of a file, None for an unknown file."""
        ...

    async def store(self, entry: FileEntry, passages: Sequence[Passage]) -> bool:
        """Replace everything about a file atomically: a search finds old passages or new ones, never both.

        Returns whether it was stored; a file that was forgotten, meanwhile perhaps, stays so.
        """
        ...

    async def remove(self, path: str, *, folder: bool = False) -> int:
        """Remove a file, or with `folder` everything beneath a folder. Returns how many files."""
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

    async def find_words(self, query: str, limit: int, filters: Filters = EVERYTHING) -> Sequence[Found]:
        """Return the best passages for the words of `query`, best first: BM25 over stems, names of files included.

        Any text is a good query; one without an indexed word finds nothing. What stands in quotes is found as it
        is written, unless nothing has it. A word that nothing has is read as typed in the other keyboard layout,
        or as mistyped by one letter, if that is found: `read_words`.
        """
        ...

    async def read_words(self, query: str) -> Wording:
        """Return how `find_words` and `score_words` read a query."""
        ...

    async def score_words(self, query: str, passages: Sequence[int]) -> Mapping[int, float]:
        """Return the scores that `find_words` would give to these passages; what has no word is left out."""
        ...

    async def folders_named(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the paths of folders with files in the index, by those of these names that they have.

        Upper and lower case, ё and е, and composed and decomposed letters are alike.
        """
        ...

    async def digests(self, after: str, limit: int) -> Mapping[str, str]:
        """Return a digest over its passages for the next `limit` files that have some, in the order of paths.

        `after`: only paths behind this one, "" at first.
        """
        ...

    async def counts(self) -> Counts:
        """Count files and passages."""
        ...

    async def failures(self, limit: int, *, cursor: str = "") -> FailurePage | None:
        """Return files that lack text: the failed, then those read in part, then the skipped; the newest first.

        They are those after `cursor` ("" = from the first). None if the cursor is none of ours.
        """
        ...


class Vectors(Protocol):
    """The vector search. A vector belongs to a model and a text, so equal passages share one.

    Vectors are sequences of float; the first stored one determines a model's size. Every method raises
    IndexUnavailableError.
    """

    async def stretch(self, model: str, after: int, limit: int) -> Stretch:
        """Return those of the next `limit` passages behind a position, 0 at first, that have no vector of `model`.

        Continuing at each stretch's end until one is empty reads every passage once, including those stored
        meanwhile.
        """
        ...

    async def heads(self, model: str, after: int, limit: int) -> Stretch:
        """Return files' first passages behind a position that have no vector of `model`, newest files first.

        At most `limit`; when fewer have passed, there is none but these up to the stretch's end.
        """
        ...

    async def lacking(self, model: str, after: int) -> tuple[int, int]:
        """Return how many passages behind a position have no vector of `model`, and how many the index has."""
        ...

    async def store(self, model: str, vectors: Mapping[str, Sequence[float] | None]) -> None:
        """Store the vector of each text that is still in a file.

        None marks a text that the model refuses, so that it is not sent again.

        Raises:
            VectorSizeError: a vector's size is not the model's.
        """
        ...

    async def find_near(
        self, model: str, vector: Sequence[float], limit: int, filters: Filters = EVERYTHING
    ) -> Sequence[Found]:
        """Return the passages nearest to `vector` by cosine, best first.

        Raises:
            VectorSizeError: the vector's size is not the model's.
        """
        ...

    async def cosines(
        self, model: str, vector: Sequence[float], passages: Sequence[int]
    ) -> Mapping[int, float]:
        """Return the cosine of each of these passages to `vector`; what has no vector is left out.

        Raises:
            VectorSizeError: the vector's size is not the model's.
        """
        ...

    async def keep_only(self, model: str) -> None:
        """Delete the vectors of every other model."""
        ...

    async def forget(self, model: str) -> None:
        """Delete the vectors of this model, and its size."""
        ...

    async def prune(self, kept_s: float) -> int:
        """Delete vectors whose text has been in no file for `kept_s` seconds. Returns how many."""
        ...


class VectorSizeError(Exception):
    """An endpoint returns vectors of another size under the same model name.

    Attributes:
        model: its name.
        expected: the size of the stored vectors.
        actual: the size of the new one.
    """

    def __init__(self, model: str, expected: int, actual: int) -> None:
        super().__init__(f"{model} gives vectors of {actual} numbers, the index holds {expected}")
        self.model = model
        self.expected = expected
        self.actual = actual
