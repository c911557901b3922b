"""What the chat service keeps: shutdowns, outages of the store, and the past that a window asks for."""

import asyncio

import pytest

from tests.chat_service import DEPOSIT, Cores, Memory, Window
from tests.openai_server import OpenAIServer
from titan_bus import RequestFailedError
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.contracts import chat
from titan_desktop.contracts.message import ask
from titan_desktop.ports.history import Asked, HistoryUnavailableError
from titan_desktop.services import waiting
from titan_desktop.services.chat import ChatService


async def test_a_shutdown_in_mid_answer_is_no_stop_and_the_next_core_answers_once(
    cores: Cores, window: Window, found: Memory, server: OpenAIServer
) -> None:
    server.text = "one two three"
    server.hold(after=1)
    async with cores.run() as service:
        question_id = await window.ask()
        await window.until(lambda: window.said(chat.AssistantDelta))
        assert service.busy()
    assert window.said(chat.AssistantMessage) == []
    server.release()
    async with cores.run():
        answer = await window.answer(question_id)
        await window.handled()
        page = await window.history()
    assert (answer.state, answer.text, answer.attempt) == ("complete", "one two three", 2)
    assert len(window.said(chat.AssistantMessage)) == 1
    assert [message.text for message in page.messages] == ["What is the deposit?", "one two three"]


async def test_a_stop_between_two_cores_holds(
    cores: Cores, window: Window, found: Memory, server: OpenAIServer
) -> None:
    server.text = "one two three"
    server.hold(after=2)
    async with cores.run():
        question_id = await window.ask()
        await window.until(lambda: window.said(chat.AssistantDelta))
    await window.publish(chat.StopAnswer(conversation_id="c", question_id=question_id))
    async with cores.run():
        answer = await window.answer(question_id)
        await window.handled()
    assert answer.state == "stopped"


async def test_the_half_answer_is_saved_and_shown_live(
    core: ChatService, window: Window, server: OpenAIServer, cores: Cores
) -> None:
    server.text = "one two three"
    server.hold(after=2)
    question_id = await window.ask()
    await window.until(
        lambda: "".join(delta.text for delta in window.said(chat.AssistantDelta)) == "one two "
    )
    [started] = window.said(chat.AnswerStarted)
    live = (await window.history()).messages[-1]
    assert (live.text, live.state, live.sources) == ("one two ", "streaming", (DEPOSIT,))
    assert (await window.message(started.message.id)).text == "one two "
    history = PostgresHistory(cores.database)
    async with asyncio.timeout(30):
        while (stored := await history.message(live.id)) is None or stored.text != "one two ":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    server.release()
    await window.answer(question_id)


async def test_an_answer_longer_than_an_event_arrives_by_request(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    server.text = "длинный ответ " * 5_000
    question_id = await window.ask()
    answer = await window.answer(question_id)
    [said] = window.said(chat.AssistantMessage)
    assert (said.text_omitted, answer.text, answer.state) == (True, "", "complete")
    assert (await window.message(answer.id)).text == server.text
    assert (await window.history()).messages[-1].text == server.text


async def test_the_longest_question_is_stored_and_said(core: ChatService, window: Window) -> None:
    question_id = await window.ask('"\n' * 7_800)
    await window.answer(question_id)
    assert (await window.message(question_id)).text == '"\n' * 7_800


@pytest.mark.logs(" waits: ")
async def test_a_question_outlives_an_outage_of_the_store(
    core: ChatService, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More failures than the bus has retries for chat.v1."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE_S", 0.0)
    begin, failures = PostgresHistory.begin, iter(range(10))

    async def begin_later(self: PostgresHistory, question_id: str, **fields: str) -> chat.Message | None:
        if next(failures, None) is not None:
            raise HistoryUnavailableError("it restarts")
        return await begin(self, question_id, **fields)

    monkeypatch.setattr(PostgresHistory, "begin", begin_later)
    assert (await window.answer(await window.ask())).state == "complete"


@pytest.mark.logs(" waits: ")
async def test_a_question_keeps_its_place_when_the_store_was_away_for_it_alone(
    core: ChatService, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one behind it comes behind it, also where a connection broke."""
    ask, failures = PostgresHistory.ask, iter(range(2))

    async def ask_later(self: PostgresHistory, prompt: chat.SendPrompt, **fields: str) -> Asked | None:
        if next(failures, None) is not None:
            raise HistoryUnavailableError("its connection broke")
        return await ask(self, prompt, **fields)

    monkeypatch.setattr(PostgresHistory, "ask", ask_later)
    asked = [await window.ask(str(number)) for number in range(3)]
    for question_id in asked:
        await window.answer(question_id)
    page = await window.history()
    assert [message.id for message in page.messages if message.role is chat.Role.USER] == asked
    assert [said.message.id for said in window.said(chat.UserMessage)] == asked


@pytest.mark.logs(" waits: ")
async def test_a_stop_during_an_outage_of_the_store_holds(
    core: ChatService, cores: Cores, window: Window, server: OpenAIServer
) -> None:
    """The stopped attempt cannot be recorded; when the store is back the question is not answered again."""
    server.hold(after=1)
    question_id = await window.ask()
    assert await asyncio.to_thread(server.holding.wait, 5)
    await cores.database.close()
    await window.publish(chat.StopAnswer(conversation_id="c", question_id=question_id))
    assert await asyncio.to_thread(server.chats[-1].left.wait, 5)
    await cores.database.open()
    assert (await window.answer(question_id)).state == "stopped"
    await window.handled()
    assert len(window.said(chat.AssistantMessage)) == 1


@pytest.mark.logs(" waits: ")
async def test_a_request_waits_for_the_store_within_its_deadline(
    core: ChatService, cores: Cores, window: Window
) -> None:
    """A restart of PostgreSQL is a pause to the reader; one that does not come back has a code of its own."""
    await cores.database.close()
    wanted = chat.ListConversations()
    with pytest.raises(RequestFailedError) as refused:
        await ask(window.bus, wanted, timeout_s=0.6)
    assert refused.value.code == "store_unavailable"
    asking = asyncio.create_task(window.conversations())
    await asyncio.sleep(0)
    await cores.database.open()
    assert await asking == ()


@pytest.mark.logs("the new one is blank")
async def test_a_conversation_is_renamed(core: ChatService, window: Window) -> None:
    await window.answer(await window.ask())
    await window.publish(chat.RenameConversation(conversation_id="c", title="  My\nflat "))
    [changed] = await window.until(lambda: window.said(chat.ConversationChanged))
    assert (changed.conversation.title, changed.deleted) == ("My flat", False)
    await window.publish(chat.RenameConversation(conversation_id="c", title=" "))
    await window.handled()
    assert [item.title for item in await window.conversations()] == ["My flat"]


async def test_a_deleted_conversation_is_gone_with_its_running_answer(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    await window.answer(await window.ask())
    assert (await window.history()).messages
    server.hold(after=1)
    await window.ask()
    assert await asyncio.to_thread(server.holding.wait, 5)
    await window.publish(chat.DeleteConversation(conversation_id="c"))
    [changed] = await window.until(lambda: window.said(chat.ConversationChanged))
    assert changed.deleted
    await window.handled()
    assert await asyncio.to_thread(server.chats[-1].left.wait, 5)
    assert await window.conversations() == ()
    with pytest.raises(RequestFailedError) as refused:
        await window.history()
    assert refused.value.code == "not_found"
    assert len(window.said(chat.AssistantMessage)) == 1


async def test_what_comes_after_its_conversation_was_deleted_is_said_to_be_void(
    core: ChatService, window: Window
) -> None:
    """A question and a title are words of the person's: whoever forgets has to hear that they stand on the bus."""
    await window.answer(await window.ask())
    await window.publish(chat.DeleteConversation(conversation_id="c"))
    await window.ask()
    await window.publish(chat.RenameConversation(conversation_id="c", title="My flat"))
    await window.until(lambda: len(window.said(chat.CommandVoid, conversation_id="c")) == 2)
    assert len(window.said(chat.UserMessage)) == 1


async def test_conversations_come_in_pages(core: ChatService, window: Window) -> None:
    """Each says whether there is more, and where the next begins; a cursor of nobody's is refused."""
    for name in ("c1", "c2", "c3"):
        await window.answer(await window.ask(conversation=name))

    async def page(cursor: str) -> chat.ConversationPage:
        return await ask(window.bus, chat.ListConversations(limit=2, cursor=cursor))

    first = await page("")
    assert ([item.id for item in first.conversations], first.more) == (["c3", "c2"], True)
    last = await page(first.cursor)
    assert ([item.id for item in last.conversations], last.more) == (["c1"], False)
    with pytest.raises(RequestFailedError) as refused:
        await page("none of yours")
    assert refused.value.code == "not_found"


async def test_history_comes_in_pages_and_unknown_ids_are_not_found(
    core: ChatService, window: Window
) -> None:
    for number in range(3):
        await window.answer(await window.ask(str(number)))
    newest = await window.history(limit=4)
    older = await window.history(limit=4, before=newest.messages[0].id)
    assert (newest.more, older.more) == (True, False)
    assert [message.text for message in (older.messages + newest.messages)[::2]] == ["0", "1", "2"]
    assert await window.history(limit=4) == newest
    for wanted in (window.message("nothing"), window.history("nowhere"), window.history(before="nothing")):
        with pytest.raises(RequestFailedError) as refused:
            await wanted
        assert refused.value.code == "not_found"
