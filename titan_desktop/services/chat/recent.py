"""The newest page of a conversation, from the cache or the history; never a stale one."""

from titan_desktop.contracts.chat import HistoryPage, Message
from titan_desktop.ports.cache import PAGE_MESSAGES, RecentCache
from titan_desktop.ports.history import History
from titan_desktop.services.chat.events import UNFINISHED


class Recent:
    """Reads through the cache, and is notified of every change."""

    def __init__(self, history: History, cache: RecentCache) -> None:
        self._history = history
        self._cache = cache

    async def newest(self, conversation_id: str) -> HistoryPage | None:
        """Return the last PAGE_MESSAGES messages, None if there is no such conversation.

        A page with an unfinished answer is not cached: its row is updated every second without invalidating the
        cache, and after a crash the first version would be shown.
        """
        cached = await self._cache.get(conversation_id)
        if cached.page is not None and cached.page.conversation_id == conversation_id:
            return cached.page
        page = await self._history.page(conversation_id, limit=PAGE_MESSAGES)
        if page is not None and not any(message.state in UNFINISHED for message in page.messages):
            await self._cache.put(page, cached.ticket)
        return page

    async def until(self, question: Message) -> tuple[Message, ...]:
        """Return the messages that lead to a question, oldest first, the question last or followed by others.

        The newest page nearly always contains it; not when it is old or on another path.
        """
        page = await self.newest(question.conversation_id)
        if page is not None and any(message.id == question.id for message in page.messages):
            return page.messages
        return await self._history.path(question.id, limit=PAGE_MESSAGES)

    async def changed(self, conversation_id: str) -> None:
        """Invalidate the page."""
        await self._cache.drop(conversation_id)
