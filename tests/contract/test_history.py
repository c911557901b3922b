"""One suite for every History: once by id, newer commands win over older ones, pages without a gap."""

import asyncio

import msgspec
import pytest

from tests.contract.histories import AT, HIT, ask, listed
from titan_desktop.contracts.chat import AnswerKind, Fault, SendPrompt, State
from titan_desktop.ports.history import History


@pytest.mark.by_url
async def test_a_question_is_stored_once_with_one_waiting_answer(history: History) -> None:
    first = await ask(history, question="q")
    again = await ask(history, question="q", text="another text")
    assert again == first
    assert first.question.text == "Сколько?"
    assert first.question.created_at == "2026-11-23T10:00:00.000Z"
    assert (first.answer.state, first.answer.attempt, first.answer.question_id) == (State.WAITING, 0, "q")


async def test_the_same_question_asked_from_many_sides_at_once_is_one_row(history: History) -> None:
    asked = await asyncio.gather(*(ask(history, question="q") for _ in range(8)))
    assert len({item.answer.id for item in asked}) == 1


async def test_an_id_that_belongs_to_another_conversation_is_refused(history: History) -> None:
    await ask(history, question="q", conversation="one")
    prompt = SendPrompt(conversation_id="two", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a2", asked_at=AT, event_id="E2") is None


async def test_an_answer_is_stored_whole(history: History) -> None:
    asked = await ask(history)
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    ended = msgspec.structs.replace(
        answer,
        text="500 € 😀",
        state=State.FAILED,
        sources=(HIT,),
        kind=AnswerKind.MODEL,
        fault=Fault.UNREACHABLE,
        fault_detail="gone",
    )
    assert await history.finish(ended)
    assert await history.message(answer.id) == ended


async def test_an_answer_is_explained_by_its_question_event_and_sources(history: History) -> None:
    """Any answer by its id, the newest without one; a question is no answer."""
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E2", model="m")
    assert answer is not None
    assert await history.finish(msgspec.structs.replace(answer, state=State.COMPLETE, sources=(HIT,)))
    found = await history.explain(answer.id)
    assert found is not None
    assert (found.question_id, found.question) == (asked.question.id, "Сколько?")
    assert (found.answer_id, found.event_id, found.model) == (answer.id, "E2", "m")
    assert found.sources == (HIT,)
    newer = await ask(history, conversation="other", event_id="E3")
    newest = await history.explain()
    assert newest is not None
    assert newest.answer_id == newer.answer.id
    assert await history.explain(asked.question.id) is None


async def test_thoughts_are_stored_apart_and_go_with_their_answer(history: History) -> None:
    """The message says how many there are; another attempt begins without them, a deletion takes them along."""
    asked = await ask(history)
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    assert await history.thoughts(answer.id) == ""
    ended = msgspec.structs.replace(answer, text="42", thoughts=4, state=State.COMPLETE)
    assert await history.finish(ended, "Hm.\x00")
    assert await history.message(answer.id) == ended
    assert await history.thoughts(answer.id) == "Hm.\ufffd"
    again = await history.begin(asked.question.id, event_id="E2", model="m")
    assert again is not None
    assert (again.thoughts, await history.thoughts(answer.id)) == (0, "")
    await history.finish(msgspec.structs.replace(again, thoughts=3, state=State.COMPLETE), "Ha.")
    await history.delete(asked.conversation.id, event_id="E3")
    assert await history.thoughts(answer.id) is None


async def test_an_answer_that_goes_on_keeps_what_there_is(history: History) -> None:
    asked = await ask(history)
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    half = msgspec.structs.replace(
        answer, text="half", thoughts=3, sources=(HIT,), state=State.FAILED, fault=Fault.CUT_OFF
    )
    await history.finish(half, "Hm.")
    for attempt in (2, 3):  # the command comes twice
        on = await history.begin(asked.question.id, event_id="E2", model="n", keep=True)
        assert on == msgspec.structs.replace(
            half, attempt=attempt, state=State.WAITING, fault=None, model="n"
        )
    assert await history.thoughts(answer.id) == "Hm."


async def test_an_attempt_that_was_begun_again_can_no_longer_save_nor_finish(
    history: History,
) -> None:
    asked = await ask(history)
    first = await history.begin(asked.question.id, event_id="E1", model="m")
    second = await history.begin(asked.question.id, event_id="E1", model="m")
    assert first is not None
    assert second is not None
    assert (first.attempt, second.attempt) == (1, 2)
    assert not await history.save(first.id, 1, "old")
    assert not await history.finish(msgspec.structs.replace(first, state=State.COMPLETE, text="old"))
    assert await history.save(second.id, 2, "new")
    stored = await history.message(second.id)
    assert stored is not None
    assert (stored.text, stored.state) == ("new", State.STREAMING)


async def test_an_ended_answer_is_begun_again_only_by_a_newer_command(history: History) -> None:
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    await history.finish(
        msgspec.structs.replace(answer, state=State.FAILED, fault=Fault.TIMED_OUT, text="half")
    )
    assert await history.begin(asked.question.id, event_id="E1", model="m") is None
    retried = await history.begin(asked.question.id, event_id="E2", model="n")
    assert retried is not None
    assert (retried.attempt, retried.text, retried.fault, retried.state) == (2, "", None, State.WAITING)
    assert await history.begin(asked.question.id, event_id="E1", model="m") is None


async def test_a_stop_before_the_question_keeps_it_unanswered(history: History) -> None:
    assert await history.stop("q", event_id="E2") is None
    asked = await ask(history, question="q", event_id="E1")
    assert asked.answer.state is State.STOPPED
    assert await history.begin("q", event_id="E1", model="m") is None


async def test_a_stop_keeps_the_text_that_was_saved(history: History) -> None:
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    await history.save(answer.id, 1, "half an ans")
    stopped = await history.stop(asked.question.id, event_id="E2")
    assert stopped is not None
    assert (stopped.state, stopped.text) == (State.STOPPED, "half an ans")
    assert not await history.save(answer.id, 1, "half an answer")


async def test_what_was_done_and_not_heard_of_is_told_by_the_same_call(history: History) -> None:
    """A connection may break between the two; whoever calls again has to hear that it is done."""
    asked = await ask(history, event_id="E1")
    answer = await history.begin(asked.question.id, event_id="E1", model="m")
    assert answer is not None
    assert await history.stop(asked.question.id, event_id="E2") == await history.stop(
        asked.question.id, event_id="E2"
    )
    again = await history.begin(asked.question.id, event_id="E3", model="m")
    assert again is not None
    ended = msgspec.structs.replace(again, state=State.COMPLETE, text="done")
    assert await history.finish(ended)
    assert await history.finish(ended)
    assert not await history.finish(msgspec.structs.replace(ended, text="done otherwise"))


async def test_a_stop_that_is_older_than_the_retry_is_void(history: History) -> None:
    asked = await ask(history, event_id="E1")
    assert await history.begin(asked.question.id, event_id="E3", model="m") is not None
    assert await history.stop(asked.question.id, event_id="E2") is None
    assert await history.begin(asked.question.id, event_id="E3", model="m") is not None


async def test_a_stop_that_is_newer_than_the_retry_voids_it(history: History) -> None:
    asked = await ask(history, event_id="E1")
    await history.stop(asked.question.id, event_id="E3")
    assert await history.begin(asked.question.id, event_id="E2", model="m") is None
    assert await history.begin(asked.question.id, event_id="E4", model="m") is not None


@pytest.mark.by_url
async def test_pages_go_back_without_gap_or_overlap(history: History) -> None:
    for number in range(5):
        await ask(history, text=str(number), event_id=f"E{number}")
    whole = await history.page("c", limit=100)
    assert whole is not None
    assert not whole.more
    found: list[str] = []
    before = ""
    while True:
        page = await history.page("c", before=before, limit=3)
        assert page is not None
        found = [message.id for message in page.messages] + found
        before = found[0]
        if not page.more:
            break
    assert found == [message.id for message in whole.messages]
    assert [message.text for message in whole.messages if not message.question_id] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]


async def test_unknown_ids_are_no_pages(history: History) -> None:
    await ask(history, question="q")
    assert await history.page("nowhere", limit=10) is None
    assert await history.page("c", before="nothing", limit=10) is None
    page = await history.page("c", before="q", limit=10)
    assert page is not None
    assert page.messages == ()


async def test_conversations_come_with_the_last_used_first(history: History) -> None:
    await ask(history, conversation="one")
    prompt = SendPrompt(conversation_id="two", message_id="q2", text="?")
    later = await history.ask(
        prompt, title="t", answer_id="a2", asked_at="2026-11-23T12:00:00+01:00", event_id="E2"
    )
    assert later is not None
    assert [item.id for item in await listed(history, 10)] == ["two", "one"]
    assert [item.id for item in await listed(history, 1)] == ["two"]


@pytest.mark.parametrize("limit", [1, 3, 6, 7])
async def test_pages_of_conversations_join_without_a_gap(history: History, limit: int) -> None:
    """Also where many were used within one millisecond, which is all that their times show."""
    for number in range(7):
        prompt = SendPrompt(conversation_id=f"c{number}", message_id=f"q{number}", text="?")
        asked_at = f"2026-11-23T12:00:00.00000{number % 3}Z"
        await history.ask(prompt, title="t", answer_id=f"a{number}", asked_at=asked_at, event_id=f"E{number}")
    found: list[str] = []
    page = await history.conversations(limit)
    while page is not None and page.more:
        assert len(page.conversations) == limit
        found += [item.id for item in page.conversations]
        page = await history.conversations(limit, cursor=page.cursor)
    assert page is not None
    found += [item.id for item in page.conversations]
    assert found == ["c5", "c2", "c4", "c1", "c6", "c3", "c0"]


async def test_a_cursor_that_is_none_is_no_page(history: History) -> None:
    for cursor in ("yesterday c1", "2026-11-30T12:00:00 c1", "2026-11-30T12:00:00+00:00 \0"):
        assert await history.conversations(1, cursor=cursor) is None


async def test_an_older_rename_that_comes_late_changes_nothing(history: History) -> None:
    await ask(history, event_id="E1")
    newer = await history.rename("c", "newer", event_id="E3")
    older = await history.rename("c", "older", event_id="E2")
    assert newer is not None
    assert older is not None
    assert (newer.title, older.title) == ("newer", "newer")
    assert await history.rename("nowhere", "x", event_id="E4") is None


async def test_a_deleted_conversation_is_gone_and_stays_gone(history: History) -> None:
    asked = await ask(history, question="q")
    await history.stop("q", event_id="E2")
    await history.delete("c", event_id="E3")
    assert await listed(history, 10) == ()
    assert await history.page("c", limit=10) is None
    assert await history.message(asked.answer.id) is None
    prompt = SendPrompt(conversation_id="c", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a", asked_at=AT, event_id="E1") is None
    await history.delete("c", event_id="E3")


async def test_a_conversation_deleted_before_its_first_question_stays_empty(history: History) -> None:
    await history.delete("c", event_id="E2")
    prompt = SendPrompt(conversation_id="c", message_id="q", text="?")
    assert await history.ask(prompt, title="t", answer_id="a", asked_at=AT, event_id="E1") is None


async def test_an_answers_id_is_no_question(history: History) -> None:
    asked = await ask(history)
    assert await history.asked(asked.answer.id) is None
    assert await history.asked("nothing") is None
    assert await history.asked(asked.question.id) == asked
