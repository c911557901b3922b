"""Requests about the history: conversations, pages, single messages."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from titan_bus import Event, RequestRefused
from titan_desktop.contracts.chat import (
    AnswerExplained,
    ConversationPage,
    ExplainAnswer,
    GetHistory,
    GetMessage,
    GetThoughts,
    HistoryPage,
    ListConversations,
    Message,
    Thoughts,
)
from titan_desktop.ports.cache import PAGE_MESSAGES
from titan_desktop.ports.history import History, HistoryUnavailableError
from titan_desktop.services import waiting
from titan_desktop.services.chat.attempts import Attempts
from titan_desktop.services.chat.recent import Recent

T = TypeVar("T")
CONVERSATIONS_MAX = 1_000
MESSAGES_MAX = 200
PAGE_BYTES_MAX = 1_500_000
"""A reply has 2 MB; a page of long answers may have more, and is shortened."""
PATIENCE_S = 5.0
"""The patience of a request without a deadline."""
REFUSAL_S = 0.25
"""A refusal must be sent this long before the deadline, otherwise the client gets a time-out."""


class Requests:
    """Answers from the cache, the history, and the running attempts."""

    def __init__(self, history: History, recent: Recent, attempts: Attempts) -> None:
        self._history = history
        self._recent = recent
        self._attempts = attempts

    async def list_conversations(self, wanted: ListConversations, event: Event) -> ConversationPage:
        """Return one page of the list.

        Raises:
            RequestRefused: `not_found`, for an invalid cursor; `store_unavailable`.
        """
        return await _in_time(event, lambda: self._conversations(wanted))

    async def get_history(self, wanted: GetHistory, event: Event) -> HistoryPage:
        """Return one page of a conversation.

        Raises:
            RequestRefused: `not_found`, for an unknown id; `store_unavailable`.
        """
        return await _in_time(event, lambda: self._page(wanted))

    async def get_message(self, wanted: GetMessage, event: Event) -> Message:
        """Return one message; a running answer is ahead of its row.

        Raises:
            RequestRefused: `not_found`, for an unknown id; `store_unavailable`.
        """
        return await _in_time(event, lambda: self._message(wanted))

    async def get_thoughts(self, wanted: GetThoughts, event: Event) -> Thoughts:
        """Return the thoughts to an answer.

        Raises:
            RequestRefused: `not_found`, for an unknown id; `store_unavailable`.
        """
        return await _in_time(event, lambda: self._thoughts(wanted))

    async def explain_answer(self, wanted: ExplainAnswer, event: Event) -> AnswerExplained:
        """Return what an answer rests on, as it is stored.

        Raises:
            RequestRefused: `not_found`, when there is no such answer; `store_unavailable`.
        """
        return await _in_time(event, lambda: self._explained(wanted))

    async def _conversations(self, wanted: ListConversations) -> ConversationPage:
        limit = _within(wanted.limit, CONVERSATIONS_MAX)
        page = await self._history.conversations(limit, cursor=wanted.cursor)
        if page is None:
            raise RequestRefused("not_found", wanted.cursor)
        return page

    async def _page(self, wanted: GetHistory) -> HistoryPage:
        limit = _within(wanted.limit, MESSAGES_MAX)
        if not wanted.before and limit <= PAGE_MESSAGES:
            page = await self._recent.newest(wanted.conversation_id)
        else:
            page = await self._history.page(wanted.conversation_id, before=wanted.before, limit=limit)
        if page is None:
            raise RequestRefused("not_found", wanted.before or wanted.conversation_id)
        return _fitted(page, limit, self._attempts)

    async def _message(self, wanted: GetMessage) -> Message:
        message = await self._history.message(wanted.message_id)
        if message is None:
            raise RequestRefused("not_found", wanted.message_id)
        return self._attempts.live(message)

    async def _explained(self, wanted: ExplainAnswer) -> AnswerExplained:
        explained = await self._history.explain(wanted.answer_id)
        if explained is None:
            raise RequestRefused("not_found", wanted.answer_id)
        return explained

    async def _thoughts(self, wanted: GetThoughts) -> Thoughts:
        thoughts = self._attempts.thoughts_of(wanted.message_id)
        if thoughts is None:
            thoughts = await self._history.thoughts(wanted.message_id)
        if thoughts is None:
            raise RequestRefused("not_found", wanted.message_id)
        return Thoughts(text=thoughts)


async def _in_time(event: Event, answer: Callable[[], Awaitable[T]]) -> T:
    """Wait for a store that is away as long as the client waits."""
    try:
        async with asyncio.timeout(_patience_s(event)):
            return await waiting.until_there(answer, HistoryUnavailableError)
    except TimeoutError as error:
        raise RequestRefused("store_unavailable", "the history cannot be read now") from error


def _patience_s(event: Event) -> float:
    if event.meta.deadline is None:
        return PATIENCE_S
    left_s = event.meta.deadline / 1000 - time.time()
    return max(left_s - REFUSAL_S, left_s / 2)


def _within(limit: int, most: int) -> int:
    return max(1, min(limit, most))


def _fitted(page: HistoryPage, limit: int, attempts: Attempts) -> HistoryPage:
    """Return the newest messages of a page that fit into a reply, at least one."""
    messages: list[Message] = []
    room = PAGE_BYTES_MAX
    for stored in reversed(page.messages[-limit:]):
        message = attempts.live(stored)
        room -= len(msgspec.json.encode(message))
        if room < 0 and messages:
            break
        messages.append(message)
    return HistoryPage(
        conversation_id=page.conversation_id,
        messages=tuple(reversed(messages)),
        more=page.more or len(messages) < len(page.messages),
    )
