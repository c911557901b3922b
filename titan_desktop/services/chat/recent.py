"""The newest page of a conversation: from the cache, else from the history, and never an old one."""

from titan_desktop.contracts.chat import HistoryPage, Message
from titan_desktop.ports.cache import PAGE_MESSAGES, RecentCache
from titan_desktop.ports.history import History
from titan_desktop.services.chat.events import UNFINISHED


class Recent:
    """Reads through the cache; told of every change."""

    def __init__(self, history: History, cache: RecentCache) -> None:
        self._history = history
        self._cache = cache

    async def newest(self, conversation_id: str) -> HistoryPage | None:
        """Return the last PAGE_MESSAGES messages, None if there is no such conversation.

        A page with an unfinished answer is not kept: its row is saved every second without a word to the cache,
        and would be shown as it was at the beginning after a crash.
        """
        cached = await self._cache.get(conversation_id)
        if cached.page is not None and cached.page.conversation_id == conversation_id:
            return cached.page
        page = await self._history.page(conversation_id, limit=PAGE_MESSAGES)
        if page is not None and not any(message.state in UNFINISHED for message in page.messages):
            await self._cache.put(page, cached.ticket)
        return page

    async def until(self, question: Message) -> tuple[Message, ...]:
        """Return the last messages that lead to a question, itself last or followed by others, oldest first.

        Nearly always it stands in the newest page. What was asked long ago, or left for another path, does not.
        """
        page = await self.newest(question.conversation_id)
        if page is not None and any(message.id == question.id for message in page.messages):
            return page.messages
        return await self._history.path(question.id, limit=PAGE_MESSAGES)

    async def changed(self, conversation_id: str) -> None:
        """Forget the page."""
        await self._cache.drop(conversation_id)
