"""Search: a question and the passages that it finds. Topic: `topics.SEARCH_REQUESTS`."""

from typing import ClassVar

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import Request
from titan_desktop.contracts.sources import FilePassage


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
