"""One suite for every core that a window speaks to: the real services, and the one that the window's tests bring.

What the window's tests show holds only as far as their core answers as the real one does. So whatever that one
serves is claimed here of both.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeVar

import pytest

from tests import openai_server
from tests.chat_service import Cores, Memory, Window
from tests.titan_desktop.ui.answering_core import AnsweringCore
from titan_bus import Bus, BusConfig, RequestFailedError
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.contracts import chat, topics
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.message import ask, event_type
from titan_desktop.contracts.streams import STREAMS

T = TypeVar("T")


class Answers(Protocol):
    """How a test makes a core answer."""

    window: Window

    async def end(self, question_id: str, attempt: int = 1) -> None:
        """Let the answer, of which something has been said, come to its end."""
        ...

    async def say_some(self, question_id: str) -> None:
        """Wait until something of the answer has been said, and hold it there."""
        ...


class RealCore:
    """The chat service over PostgreSQL, Redis, and a model's endpoint that holds its answers."""

    def __init__(self, window: Window, server: openai_server.OpenAIServer) -> None:
        self.window = window
        self._server = server
        server.text = "The deposit is 45 000 roubles. " * 3
        server.hold(after=4)

    async def say_some(self, question_id: str) -> None:
        await self.window.until(lambda: deltas_of(self.window, question_id))

    async def end(self, question_id: str, attempt: int = 1) -> None:
        self._server.release()
        await self.window.answer(question_id, attempt=attempt)
        self._server.hold(after=4)


class Steady(random.Random):
    """No chance: every answer goes on and ends well, and no delta is lost."""

    def random(self) -> float:
        return 0.5

    def randrange(self, start: int, *_: object) -> int:
        return start - 1

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # typeshed's protocol says the same
        return seq[0]


class FakeCore:
    """The core of the window's tests."""

    def __init__(self, window: Window, core: AnsweringCore) -> None:
        self.window = window
        self._core = core

    def _growing(self, question_id: str) -> chat.Message | None:
        return next((answer for answer in self._core.growing() if answer.question_id == question_id), None)

    async def say_some(self, question_id: str) -> None:
        await self.window.until(lambda: self._growing(question_id))
        answer = self._growing(question_id)
        assert answer is not None
        await self._core._say_more(answer)

    async def end(self, question_id: str, attempt: int = 1) -> None:
        answer = self._growing(question_id)
        assert answer is not None
        await self._core._end(answer)
        await self.window.answer(question_id, attempt=attempt)


@contextlib.asynccontextmanager
async def real_core(window: Window, redis_url: str, database: Database) -> AsyncIterator[Answers]:
    memory = Memory()
    await window.bus.subscribe(topics.SEARCH_REQUESTS, "search", memory.search)
    with openai_server.serve() as server:
        async with Cores(redis_url, database, server).run():
            yield RealCore(window, server)
            server.release()


@contextlib.asynccontextmanager
async def fake_core(window: Window, redis_url: str, _: Database) -> AsyncIterator[Answers]:
    async with Bus(BusConfig(url=redis_url, source="core@v0", streams=STREAMS)) as bus:
        core = AnsweringCore(bus, Steady())
        await core.serve()
        yield FakeCore(window, core)


CORES = {"real": real_core, "fake": fake_core}


@pytest.fixture
async def window(clean_redis_url: str) -> AsyncIterator[Window]:
    async with Bus(BusConfig(url=clean_redis_url, source="window@v0", streams=STREAMS)) as bus:
        window = Window(bus)
        watching = asyncio.create_task(window.watch())
        yield window
        watching.cancel()
        await asyncio.wait({watching})


@pytest.fixture(params=CORES)
async def core(
    window: Window, clean_redis_url: str, database: Database, request: pytest.FixtureRequest
) -> AsyncIterator[Answers]:
    async with CORES[request.param](window, clean_redis_url, database) as core:
        yield core


def deltas_of(window: Window, question_id: str) -> list[chat.AssistantDelta]:
    return list(window.said(chat.AssistantDelta, question_id=question_id))


async def begun(core: Answers, text: str = "What is the deposit?", conversation: str = "c") -> str:
    """Ask, and wait until something of the answer has been said."""
    question_id = await core.window.ask(text, conversation)
    await core.say_some(question_id)
    return question_id


async def answered(core: Answers, text: str = "What is the deposit?", conversation: str = "c") -> str:
    question_id = await begun(core, text, conversation)
    await core.end(question_id)
    return question_id


async def refusal(
    window: Window, request: "chat.GetHistory | chat.GetMessage | chat.ListConversations"
) -> str:
    """The code by which a request is refused."""
    with pytest.raises(RequestFailedError) as failed:
        await ask(window.bus, request)
    return failed.value.code


async def test_what_is_said_of_a_question_and_its_answer(core: Answers) -> None:
    """The question is stored, the answer begins, grows by deltas without a gap, and ends, under one id."""
    window = core.window
    question_id = await answered(core)
    [asked] = window.said(chat.UserMessage)
    assert asked.message == chat.Message(
        id=question_id, conversation_id="c", role=chat.Role.USER, text="What is the deposit?",
        state=State.COMPLETE, created_at=asked.message.created_at,
    )  # fmt: skip
    assert (asked.conversation.id, asked.conversation.title) == ("c", "What is the deposit?")
    [started] = window.said(chat.AnswerStarted)
    [ended] = window.said(chat.AssistantMessage)
    first, last = started.message, ended.message
    assert (first.text, first.state, first.attempt, first.parent_id) == ("", State.WAITING, 1, question_id)
    assert (last.state, last.attempt, last.kind) == (State.COMPLETE, 1, chat.AnswerKind.MODEL)
    assert (last.id, last.parent_id, last.question_id) == (first.id, question_id, question_id)
    assert first.sources
    grown = ""
    for delta in deltas_of(window, question_id):
        assert (delta.answer_id, delta.attempt, delta.offset) == (last.id, 1, len(grown))
        grown += delta.text
    assert grown
    assert last.text.startswith(grown)
    assert [event.event_type for event in window.events if event.topic == topics.CHAT] == [
        event_type(kind) for kind in (chat.UserMessage, chat.AnswerStarted, chat.AssistantMessage)
    ]


async def test_history_is_what_was_said(core: Answers) -> None:
    """A page has the questions with their answers, each naming the one before it; the last pages come first."""
    window = core.window
    ids = [await answered(core, f"question {number}?") for number in range(3)]
    page = await window.history()
    assert not page.more
    assert [message.question_id or message.id for message in page.messages] == [ids[0]] * 2 + [ids[1]] * 2 + [
        ids[2]
    ] * 2
    assert [message.parent_id for message in page.messages] == ["", *(m.id for m in page.messages[:-1])]
    said = {event.message.id: event.message for event in window.said(chat.AssistantMessage)}
    assert [message.text for message in page.messages[1::2]] == [
        said[message.id].text for message in page.messages[1::2]
    ]
    newest = await window.history(limit=2)
    assert (newest.messages, newest.more) == (page.messages[-2:], True)
    older = await window.history(limit=4, before=newest.messages[0].id)
    assert (older.messages, older.more) == (page.messages[:4], False)
    assert await window.message(ids[1]) == page.messages[2]


async def test_a_growing_answer_is_told_as_far_as_it_is(core: Answers) -> None:
    """In the history and by itself, so that a window that comes late goes on where the deltas are."""
    window = core.window
    question_id = await begun(core)
    answer = (await window.history()).messages[1]
    assert answer.state is State.STREAMING
    assert answer.text
    assert (await window.message(answer.id)).text.startswith(answer.text)
    assert all(delta.answer_id == answer.id for delta in deltas_of(window, question_id))


@pytest.mark.parametrize(
    "request_",
    [
        chat.GetHistory(conversation_id="nowhere"),
        chat.GetHistory(conversation_id="c", before="nothing"),
        chat.GetMessage(message_id="nothing"),
        chat.ListConversations(cursor="yesterday"),
    ],
)
async def test_what_nobody_knows_is_not_found(core: Answers, request_: chat.GetMessage) -> None:
    await answered(core)
    assert await refusal(core.window, request_) == "not_found"


async def test_conversations_are_listed_by_their_last_use(core: Answers) -> None:
    """Page by page, each saying whether another follows; a question makes its conversation the first."""
    window = core.window
    for name in ("one", "two", "three", "one"):
        await answered(core, f"{name}?", name)
    listed = await window.conversations()
    assert [item.id for item in listed] == ["one", "three", "two"]
    assert [item.title for item in listed] == ["one?", "three?", "two?"]
    first = await ask(window.bus, chat.ListConversations(limit=2))
    assert (first.conversations, first.more) == (listed[:2], True)
    rest = await ask(window.bus, chat.ListConversations(limit=2, cursor=first.cursor))
    assert (rest.conversations, rest.more) == (listed[2:], False)


async def test_a_title_is_said_and_listed(core: Answers) -> None:
    window = core.window
    await answered(core)
    await window.publish(chat.RenameConversation(conversation_id="c", title=" Rent  2026 "))
    [said] = await window.until(lambda: window.said(chat.ConversationChanged))
    assert (said.conversation.title, said.deleted) == ("Rent 2026", False)
    assert await window.conversations() == (said.conversation,)


async def test_what_is_deleted_is_said_and_gone(core: Answers) -> None:
    """Also for a window that deletes what another one has deleted before."""
    window = core.window
    question_id = await begun(core)
    for count in (1, 2):
        await window.publish(chat.DeleteConversation(conversation_id="c"))
        said = await window.until(
            lambda count=count: len(found := window.said(chat.ConversationChanged)) == count and found
        )
        assert (said[-1].conversation.id, said[-1].deleted) == ("c", True)
    assert await window.conversations() == ()
    assert await refusal(window, chat.GetHistory(conversation_id="c")) == "not_found"
    assert await refusal(window, chat.GetMessage(message_id=question_id)) == "not_found"


async def test_a_stop_keeps_what_was_said(core: Answers) -> None:
    """The answer ends as STOPPED with its text so far; a retry takes its place as the next attempt."""
    window = core.window
    question_id = await begun(core)
    await window.publish(chat.StopAnswer(conversation_id="c", question_id=question_id))
    stopped = await window.answer(question_id, state=State.STOPPED)
    assert stopped.text
    stored = (await window.history()).messages[1]
    assert (stored.id, stored.state, stored.text) == (stopped.id, State.STOPPED, stopped.text)
    await window.publish(chat.RetryAnswer(conversation_id="c", question_id=question_id))
    [again] = await window.until(lambda: window.said(chat.AnswerStarted, attempt=2))
    assert (again.message.id, again.message.text) == (stopped.id, "")
    await core.say_some(question_id)
    await core.end(question_id, attempt=2)
    page = await window.history()
    assert [(message.id, message.state) for message in page.messages] == [
        (question_id, State.COMPLETE),
        (stopped.id, State.COMPLETE),
    ]


async def test_a_question_that_comes_twice_is_one(core: Answers) -> None:
    """It is said again, with its answer, and stored once."""
    window = core.window
    question_id = await answered(core)
    before = await window.history()
    prompt = chat.SendPrompt(conversation_id="c", message_id=question_id, text="What is the deposit?")
    await window.publish(prompt)
    await window.answer(question_id, count=2)
    assert len(window.said(chat.UserMessage)) == 2
    assert await window.history() == before
