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


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to Search.

    Attributes:
        hits: the best passage of each file.
        legs: what took part: "keyword", "vector".
        degraded: why a leg is missing that should be there, `code` or `code: detail`; the codes are those of
            `contracts.faults.Fault`, and `vectors_differ` when the model answers with another size.
        nearest_only: no passage shares a word with the query (stop words aside): the hits are near it in meaning,
            as far as the vectors tell, and may be far from it.
    """

    hits: tuple[FilePassage, ...]
    legs: tuple[str, ...] = ("keyword",)
    degraded: str = ""
    nearest_only: bool = False


class Search(Request[SearchResult], frozen=True, kw_only=True):
    """The best files for a query, best first. `limit` counts files."""

    topic: ClassVar[str] = topics.SEARCH_REQUESTS

    query: str
    limit: int = 10
    filters: Filters = EVERYTHING
