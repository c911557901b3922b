"""Versions: an edited question, another answer, and the way back to what was said before."""

import asyncio

import pytest
from ulid import ULID

from tests.chat_service import Cores, Memory, Window
from tests.openai_server import OpenAIServer
from titan_desktop.contracts import chat
from titan_desktop.services.chat import ChatService, recent


async def edit(window: Window, question_id: str, text: str) -> str:
    edited = str(ULID())
    await window.publish(
        chat.SendPrompt(conversation_id="c", message_id=edited, text=text, edits=question_id)
    )
    return edited


async def again(window: Window, answer: chat.Message) -> None:
    await window.publish(
        chat.AnswerAgain(conversation_id="c", question_id=answer.question_id, attempt=answer.attempt)
    )


async def shown(window: Window) -> list[str]:
    return [message.text for message in (await window.history()).messages]


async def talk(window: Window, server: OpenAIServer) -> list[chat.Message]:
    """Ask three questions one after the other; return their answers."""
    answers = []
    for number in ("one", "two", "three"):
        server.text = f"{number}."
        answers.append(await window.answer(await window.ask(f"{number}?")))
    return answers


async def test_an_edited_question_is_answered_after_what_led_to_the_former_one(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The model hears nothing of what is left beside it, and the page is of the new path."""
    _, two, _ = await talk(window, server)
    server.text = "TWO."
    answer = await window.answer(await edit(window, two.question_id, "TWO?"))
    assert await shown(window) == ["one?", "one.", "TWO?", "TWO."]
    heard = [turn["content"] for turn in server.chats[-1].body["messages"][1:]]
    assert heard[:2] == ["one?", "one."]
    assert heard[-1].endswith("Question: TWO?")
    assert len(heard) == 3
    [changed] = window.said(chat.PathChanged)
    assert changed == chat.PathChanged(conversation_id="c", leaf_id=answer.id)
    [*_, said] = window.said(chat.UserMessage)
    assert said.message.siblings == (two.question_id, answer.question_id)


async def test_a_former_version_is_shown_again_with_what_followed_it(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """Also where the page of the other one is in the cache."""
    _, two, three = await talk(window, server)
    await window.answer(await edit(window, two.question_id, "TWO?"))
    await shown(window)
    await window.publish(chat.ShowMessage(conversation_id="c", message_id=two.question_id))
    changed = await window.until(lambda: window.said(chat.PathChanged, leaf_id=three.id))
    assert len(changed) == 1
    assert await shown(window) == ["one?", "one.", "two?", "two.", "three?", "three."]
    question = (await window.history()).messages[2]
    assert (question.sibling_index, len(question.siblings)) == (0, 2)
    await window.publish(chat.ShowMessage(conversation_id="c", message_id="nothing"))
    await window.handled()
    assert len(window.said(chat.PathChanged)) == 2


async def test_another_answer_is_given_beside_the_former_one(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The former one is not lost, and the next question follows the one that is shown."""
    _, _, three = await talk(window, server)
    server.text = "3."
    await again(window, three)
    other = await window.answer(three.question_id, attempt=2)
    assert other.siblings == (three.id, other.id)
    assert (await shown(window))[-2:] == ["three?", "3."]
    assert (await window.message(three.id)).text == "three."
    await window.publish(chat.ShowMessage(conversation_id="c", message_id=three.id))
    await window.until(lambda: window.said(chat.PathChanged, leaf_id=three.id))
    await window.answer(await window.ask("four?"))
    assert (await shown(window))[-4:] == ["three?", "three.", "four?", "3."]
    heard = [turn["content"] for turn in server.chats[-1].body["messages"]]
    assert "three." in heard
    assert "3." not in heard


async def test_pressed_twice_another_answer_is_paid_once(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """Whether the first one is still being given or has been: the second names an attempt that is outdated."""
    [*_, three] = await talk(window, server)
    server.hold(after=0)
    await again(window, three)
    await again(window, three)
    assert await asyncio.to_thread(server.holding.wait, 5)
    server.release()
    await window.answer(three.question_id, attempt=2)
    await again(window, three)
    await window.handled()
    assert len(server.chats) == 4


async def test_a_retry_takes_the_place_of_what_failed(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """With what was said of it: the person asked for an answer, not for two."""
    server.text, server.faults = "one two three four", ["drop"]
    failed = await window.answer(await window.ask())
    assert failed.text
    await window.publish(chat.RetryAnswer(conversation_id="c", question_id=failed.question_id))
    answer = await window.answer(failed.question_id, state="complete")
    assert (answer.id, answer.siblings) == (failed.id, ())
    assert window.said(chat.PathChanged) == []


async def test_another_answer_that_a_shutdown_cut_off_is_given_by_the_next_core(
    cores: Cores, window: Window, found: Memory, server: OpenAIServer
) -> None:
    async with cores.run():
        first = await window.answer(await window.ask())
        server.hold(after=1)
        await again(window, first)
        await window.until(lambda: window.said(chat.AssistantDelta, attempt=2))
    server.release()
    async with cores.run():
        answer = await window.answer(first.question_id, attempt=3)
        await window.handled()
    assert answer.siblings == (first.id, answer.id)


async def test_an_old_question_answered_again_hears_what_led_to_it_alone(
    core: ChatService, window: Window, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also beyond the newest page; what came after it is none of its past."""
    monkeypatch.setattr(recent, "PAGE_MESSAGES", 2)
    _, two, _ = await talk(window, server)
    await again(window, two)
    await window.answer(two.question_id, attempt=2)
    heard = [turn["content"] for turn in server.chats[-1].body["messages"][1:]]
    assert "three." not in heard
    assert heard[-1].endswith("Question: two?")
