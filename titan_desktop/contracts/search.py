"""Search: a question and the passages that it finds. Topic: `topics.SEARCH_REQUESTS`."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import Request
from titan_desktop.contracts.sources import FilePassage

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with its zone on the bus."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which files a search may find. A field that is empty allows every file.

    Attributes:
        folders: absolute; a file lies in one of them, at any depth.
        kinds: the extension is one of these, in lower case without the dot.
        since: last changed at this moment or later.
        until: last changed before this moment.
    """

    folders: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: Moment | None = None
    until: Moment | None = None

    def __bool__(self) -> bool:
        """Whether any file is left out."""
        return self != EVERYTHING


EVERYTHING = Filters()


class ReadFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Filters that were read out of the words of a query.

    Attributes:
        filters: what they say.
        words: the words that say it, as they were written, in their order.
        dropped: they were not applied, because what the query is about lies elsewhere.
    """

    filters: Filters
    words: tuple[str, ...]
    dropped: bool = False


class Instead(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a query that are in no file, and what was searched in their place.

    Attributes:
        written: as the person wrote them: "ljujdjh".
        shown: what was taken for meant: «договор». The same without the quotes when no file has the exact phrase.
    """

    written: str
    shown: str


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to Search.

    Attributes:
        hits: the best passage of each file.
        legs: what took part: "keyword", "vector".
        degraded: why a leg is missing that should be there, `code` or `code: detail`; the codes are those of
            `contracts.faults.Fault`, and `vectors_differ` when the model answers with another size.
        nearest_only: no passage shares a word with the query (stop words aside): the hits are near it in meaning,
            as far as the vectors tell, and may be far from it.
        read: the filters that the words of the query were, None when there are none among them.
        instead: what was searched in place of words that nothing has, None when all was searched as written.
    """

    hits: tuple[FilePassage, ...]
    legs: tuple[str, ...] = ("keyword",)
    degraded: str = ""
    nearest_only: bool = False
    read: ReadFilters | None = None
    instead: Instead | None = None


class Search(Request[SearchResult], frozen=True, kw_only=True):
    """The best files for a query, best first.

    Attributes:
        limit: the most passages, which are as many files unless `per_file` is more than 1.
        per_file: the most passages of one file; after its first only those that fit nearly as well as the best.
        filters: hold in any case; what the words of the query say comes on top.
    """

    topic: ClassVar[str] = topics.SEARCH_REQUESTS

    query: str
    limit: int = 10
    per_file: int = 1
    filters: Filters = EVERYTHING
