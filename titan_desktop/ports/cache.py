"""The cache of conversations: the newest page of each, ready to be sent or put into a prompt."""

from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.chat import HistoryPage

PAGE_MESSAGES = 50
"""The most messages of a cached page."""


@dataclass(frozen=True, slots=True)
class Cached:
    """The cached page, if there is one, and the ticket that permits to store one."""

    page: HistoryPage | None
    ticket: str


class RecentCache(Protocol):
    """The cache. Every method returns, also when the cache is down, and never raises for that."""

    async def get(self, conversation_id: str) -> Cached:
        """Look for the newest page of a conversation."""
        ...

    async def put(self, page: HistoryPage, ticket: str) -> None:
        """Store a page that was read after `get` returned `ticket`; no effect if `drop` was called in between."""
        ...

    async def drop(self, conversation_id: str) -> None:
        """Remove the page, because the conversation has changed."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
