"""Thoughts beside an answer, and answers that break off and go on; on a real bus, PostgreSQL and HTTP server."""

import asyncio
import json

import pytest

from tests.chat_service import DEPOSIT, Cores, Memory, Window
from tests.openai_server import OpenAIServer, Raw
from titan_bus.errors import RequestFailedError
from titan_desktop.contracts import chat
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.message import ask
from titan_desktop.services.chat import ChatService, answering, delta_publisher

THOUGHTS = "The lease may say it. "


async def thoughts(window: Window, answer_id: str) -> str:
    return (await ask(window.bus, chat.GetThoughts(message_id=answer_id))).text


async def go_on(window: Window, question_id: str, conversation: str = "c") -> None:
    await window.publish(chat.GoOn(conversation_id=conversation, question_id=question_id))


def prompts(server: OpenAIServer) -> list[str]:
    """The whole text of each prompt."""
    return ["\n".join(str(message["content"]) for message in chat.body["messages"]) for chat in server.chats]


@pytest.mark.parametrize("within", [True, False])
async def test_thoughts_are_no_part_of_the_answer_and_go_to_no_model(
    core: ChatService, window: Window, server: OpenAIServer, *, within: bool
) -> None:
    """Within its text or beside it: they can be asked for, and neither an event nor a later prompt has them."""
    server.text, server.reasoning = "It is 42.", "" if within else THOUGHTS
    if within:
        server.text = f"<think>{THOUGHTS}</think>It is 42."
    answer = await window.answer(await window.ask())
    assert (answer.text, answer.state) == ("It is 42.", chat.State.COMPLETE)
    assert (answer.thoughts, await thoughts(window, answer.id)) == (len(THOUGHTS), THOUGHTS)
    [page_answer] = [m for m in (await window.history()).messages if m.role is chat.Role.ASSISTANT]
    assert page_answer.thoughts == len(THOUGHTS)
    server.reasoning, server.text = "", "None."
    second = await window.answer(await window.ask("And the rent of the second month, in euros?"))
    assert (second.thoughts, await thoughts(window, second.id)) == (0, "")
    assert "It is 42." in prompts(server)[1]
    assert THOUGHTS.strip() not in prompts(server)[1]
    assert not [event for event in window.events if THOUGHTS.strip().encode() in bytes(event.encoded_payload)]


async def test_a_window_hears_that_the_model_is_thinking(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    server.reasoning, server.text = THOUGHTS, "It is 42."
    server.hold(after=3)
    question_id = await window.ask()
    [told] = await window.until(lambda: window.said(chat.AssistantDelta))
    assert (told.text, told.offset, told.thoughts > 0) == ("", 0, True)
    running = await window.message(told.answer_id)
    assert (running.state, running.thoughts > 0) == (chat.State.WAITING, True)
    assert THOUGHTS.startswith(await thoughts(window, told.answer_id))
    server.release()
    assert (await window.answer(question_id)).thoughts == len(THOUGHTS)


async def test_text_that_turns_out_to_be_thoughts_is_taken_back(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """A window that follows the deltas ends with the answer; the model's next one takes nothing back."""
    server.text, server.delay_s = f"{THOUGHTS * 20}\n</think>\n\nIt is 42, as the lease says.", 0.003
    server.hold(after=5 * 20 + 3)
    question_id = await window.ask()
    await window.until(lambda: window.said(chat.AssistantDelta, restarts=True))
    server.release()
    answer = await window.answer(question_id)
    assert (answer.text, answer.thoughts) == ("It is 42, as the lease says.", len(THOUGHTS) * 20 + 1)
    assert (await thoughts(window, answer.id)).startswith(THOUGHTS * 20)
    text = ""
    for delta in window.said(chat.AssistantDelta, answer_id=answer.id):
        assert delta.offset == (0 if delta.restarts else len(text))
        text = text[: delta.offset] + delta.text
    assert answer.text.startswith(text)
    second = await window.answer(await window.ask("And the rent?"))
    assert second.text == answer.text
    assert not [said for said in window.said(chat.AssistantDelta, answer_id=second.id) if said.restarts]


async def test_thoughts_alone_are_no_answer(core: ChatService, window: Window, server: OpenAIServer) -> None:
    """They are kept; another try begins without them."""
    server.text = f"<think>{THOUGHTS}"
    question_id = await window.ask()
    answer = await window.answer(question_id)
    assert (answer.text, answer.state, answer.fault) == ("", chat.State.FAILED, Fault.EMPTY)
    assert await thoughts(window, answer.id) == THOUGHTS
    server.text = "It is 42."
    await window.publish(chat.RetryAnswer(conversation_id="c", question_id=question_id))
    answer = await window.answer(question_id, attempt=2)
    assert (answer.text, answer.thoughts, await thoughts(window, answer.id)) == ("It is 42.", 0, "")


async def test_thoughts_of_nobody_are_not_found(core: ChatService, window: Window) -> None:
    with pytest.raises(RequestFailedError, match="not_found"):
        await thoughts(window, "nobody")


async def test_thoughts_without_end_are_kept_up_to_a_length(
    core: ChatService, window: Window, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_publisher, "THOUGHTS_CHARS_MAX", 10)
    server.reasoning, server.text = THOUGHTS, "It is 42."
    answer = await window.answer(await window.ask())
    assert (answer.text, answer.thoughts, await thoughts(window, answer.id)) == (
        "It is 42.",
        10,
        THOUGHTS[:10],
    )


@pytest.mark.logs("characters of thoughts")
async def test_thoughts_without_end_come_to_one(
    core: ChatService, window: Window, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that thinks in a circle is hung up on; what it thought can be read."""
    monkeypatch.setattr(answering, "THINKING_CHARS_MAX", 10)
    server.reasoning, server.text = THOUGHTS, "It is 42."
    answer = await window.answer(await window.ask())
    assert (answer.text, answer.fault, answer.thoughts >= 10) == ("", Fault.EMPTY, True)


@pytest.mark.logs("was cut off")
async def test_an_answer_in_one_huge_piece_has_no_more_than_one_in_many(
    core: ChatService, window: Window, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "ANSWER_CHARS_MAX", 10)
    whole = {"choices": [{"message": {"content": "слово " * 9}, "finish_reason": "stop"}]}
    server.raw = [Raw(json.dumps(whole).encode(), kind="application/json")]
    assert (await window.answer(await window.ask())).text == "слово слов"


async def test_thoughts_that_ran_out_of_room_are_not_those_to_the_answer(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The server notices within them that the prompt is too long; the second try thinks anew."""
    error = {"error": {"message": "too long", "code": "context_length_exceeded"}}
    pieces: list[object] = [{"choices": [{"delta": {"reasoning": "Half a th"}}]}, error]
    server.raw = [Raw(b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces))]
    server.reasoning, server.text = THOUGHTS, "It is 42."
    answer = await window.answer(await window.ask())
    assert (answer.text, await thoughts(window, answer.id)) == ("It is 42.", THOUGHTS)


# Going on


async def test_an_answer_that_was_cut_off_goes_on_where_it_ended(
    core: ChatService, window: Window, server: OpenAIServer, found: Memory
) -> None:
    """With the same passages, from the model's own words; nothing is said twice, and no search is made."""
    server.text, server.reasoning, server.fault = "The deposit is ", THOUGHTS, "length"
    question_id = await window.ask()
    half = await window.answer(question_id)
    assert (half.text, half.state, half.fault) == ("The deposit is ", chat.State.FAILED, Fault.CUT_OFF)
    server.text, server.fault, found.hits = "1,500 euros [1].", "", ()
    server.hold(after=5 + 1)
    await go_on(window, question_id)
    told = lambda: [said for said in window.said(chat.AssistantDelta, attempt=2) if said.text]  # noqa: E731
    [delta] = await window.until(told)
    assert (delta.offset, delta.text) == (len("The deposit is "), "1,500 ")
    server.release()
    answer = await window.answer(question_id, attempt=2)
    assert (answer.id, answer.text, answer.state) == (half.id, "The deposit is 1,500 euros [1].", "complete")
    assert (answer.fault, answer.sources) == (None, (DEPOSIT,))
    assert await thoughts(window, answer.id) == THOUGHTS * 2
    messages = server.chats[-1].body["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert DEPOSIT.passage in messages[1]["content"]
    assert messages[2]["content"] == "The deposit is "
    [started] = window.said(chat.AnswerStarted, attempt=2)
    assert started.message.text == "The deposit is "


async def test_a_cut_answer_belongs_to_the_conversation(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The next question's prompt has it, as the person has read it."""
    server.text, server.fault = "The deposit is ", "length"
    await window.answer(await window.ask())
    server.fault = ""
    await window.answer(await window.ask("And how many months are that, by the lease?"))
    assert "The deposit is " in [message["content"] for message in server.chats[-1].body["messages"]]


async def test_what_cannot_go_on_stays_as_it_is(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """A complete answer, and one without a word: the model is not asked."""
    server.text = "It is 42."
    complete = await window.ask()
    await window.answer(complete)
    server.fault = "model_not_found"
    failed = await window.ask("And what else?", conversation="d")
    await window.answer(failed)
    for question_id, conversation in ((complete, "c"), (failed, "d")):
        await go_on(window, question_id, conversation)
        assert (await window.answer(question_id, 2)).attempt == 1
    assert len(server.chats) == 2


async def test_going_on_that_fails_loses_nothing(
    cores: Cores, window: Window, found: Memory, server: OpenAIServer
) -> None:
    """The text stays and may go on once more; also when no model is connected any more."""
    async with cores.run() as service:
        server.text, server.fault = "The deposit is ", "length"
        question_id = await window.ask()
        await window.answer(question_id)
        server.fault = "rate_limit"
        await go_on(window, question_id)
        answer = await window.answer(question_id, attempt=2)
        assert (answer.text, answer.fault) == ("The deposit is ", Fault.RATE_LIMITED)
        endpoint = service._endpoint
        service.set_model(None)
        await go_on(window, question_id)
        answer = await window.answer(question_id, attempt=3)
        assert (answer.text, answer.kind, answer.state) == ("The deposit is ", "model", "failed")
        service.set_model(endpoint)
        server.text, server.fault = "42.", ""
        await go_on(window, question_id)
        assert (await window.answer(question_id, attempt=4)).text == "The deposit is 42."


async def test_going_on_survives_the_end_of_the_core(
    cores: Cores, window: Window, found: Memory, server: OpenAIServer
) -> None:
    """What the next core finds half written it writes on from there."""
    async with cores.run():
        server.text, server.fault = "one two ", "length"
        question_id = await window.ask()
        await window.answer(question_id)
        server.fault, server.text = "", "three four"
        server.hold(after=1)
        await go_on(window, question_id)
        await window.until(
            lambda: [said for said in window.said(chat.AssistantDelta, attempt=2) if said.text]
        )
    server.release()
    async with cores.run():
        answer = await window.answer(question_id, state=chat.State.COMPLETE)
    assert answer.text in {"one two three four", "one two three three four"}  # saved once a second
    assert answer.state is chat.State.COMPLETE


async def test_a_text_too_long_for_an_event_goes_on_too(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    server.text, server.fault = "слово " * 6_000, "length"
    question_id = await window.ask()
    await window.answer(question_id)
    server.text, server.fault = "и всё.", ""
    await go_on(window, question_id)
    answer = await window.answer(question_id, attempt=2)
    assert (await window.message(answer.id)).text == "слово " * 6_000 + "и всё."
    [started] = window.said(chat.AnswerStarted, attempt=2)
    assert started.message.text == ""


async def test_an_error_in_the_middle_is_told_and_goes_on(
    core: ChatService, window: Window, server: OpenAIServer
) -> None:
    half = b'data: {"choices": [{"delta": {"content": "one "}}]}\n\ndata: {"error": "CUDA out of memory"}\n\n'
    server.raw, server.text = [Raw(half)], "two"
    question_id = await window.ask()
    answer = await window.answer(question_id)
    assert (answer.text, answer.fault, answer.fault_detail) == (
        "one ",
        Fault.SERVER_ERROR,
        "CUDA out of memory",
    )
    await asyncio.gather(*(go_on(window, question_id) for _ in range(3)))
    assert (await window.answer(question_id, attempt=2)).text == "one two"
    await window.handled()
    assert len(server.chats) == 2
