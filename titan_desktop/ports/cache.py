"""The short-term memory of conversations: the newest page of each, ready to be sent or put into a prompt."""

from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.chat import HistoryPage

PAGE_MESSAGES = 50
"""How many messages the cached page holds at most."""


@dataclass(frozen=True, slots=True)
class Cached:
    """What the cache says: the page if it has one, and the ticket that allows to put one there."""

    page: HistoryPage | None
    ticket: str


class RecentCache(Protocol):
    """Costs speed only: every method answers, also when the cache is down, and never raises for that."""

    async def get(self, conversation_id: str) -> Cached:
        """Look for the newest page of a conversation."""
        ...

    async def put(self, page: HistoryPage, ticket: str) -> None:
        """Keep a page that was read after `get` gave `ticket`; void if `drop` came in between."""
        ...

    async def drop(self, conversation_id: str) -> None:
        """Forget the page: the conversation has changed."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...
