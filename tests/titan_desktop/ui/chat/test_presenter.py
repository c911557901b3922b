"""The open conversation, on a real bus: what is asked arrives once, what is said is shown whole."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.titan_desktop.ui.window_core import WindowCore, answer, delta, heard, listed, question, until
from titan_bus import Bus, BusConfig, BusUnavailableError
from titan_desktop.contracts import chat
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat import sentences
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.presenter import ChatPresenter
from titan_desktop.ui.chat.unsent import Unsent


@pytest.fixture
async def core(clean_redis_url):
    async with Bus(BusConfig(url=clean_redis_url, source="core@test", streams=STREAMS)) as bus:
        made = WindowCore(bus)
        await made.serve()
        yield made


@pytest.fixture
async def bus(core, clean_redis_url):
    async with Bus(BusConfig(url=clean_redis_url, source="window@test", streams=STREAMS)) as bus:
        yield bus


@pytest.fixture
async def tasks():
    faults = []
    made = Tasks(faults.append)
    yield made
    await made.close(2)
    assert not faults


@pytest.fixture
def view(qtbot):
    made = ChatView()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def bridge(qapp):
    return Bridge()


@pytest.fixture
def presenter(view, bridge, tasks):
    return ChatPresenter(view, bridge, tasks, lambda: "ru")


@pytest.fixture
async def connected(presenter, bridge, tasks, bus):
    tasks.replace(bridge.serve(bus), "read along")
    await until(lambda: bridge.is_connected, bridge.connected)
    return presenter


def texts(view: ChatView) -> list[str]:
    return view.model.texts(0, view.model.rowCount() - 1)


def stirs(view: ChatView):
    return view.model.rowsInserted, view.model.dataChanged, view.model.modelReset


async def open_first(connected, view) -> None:
    connected.open("c1")
    await until(lambda: view.model.conversation_id == "c1", view.model.modelReset)


async def test_a_question_is_shown_at_once_and_sent(connected, core, view):
    """Submitting shows the question before anybody has answered, and sends it with its id and language."""
    connected.submit("what?")
    assert texts(view) == ["what?"]
    heard = await asyncio.wait_for(core.heard.get(), 30)
    assert heard == chat.SendPrompt(
        conversation_id=connected.conversation_id,
        message_id=view.model.message(0).id,
        text="what?",
        language="ru",
    )


async def test_a_question_asked_before_the_core_is_there_is_sent_later(
    presenter, core, view, bridge, tasks, bus
):
    """What is typed while the core starts waits, and goes out when it is there."""
    presenter.submit("early")
    assert texts(view) == ["early"]
    tasks.replace(bridge.serve(bus), "read along")
    heard = await asyncio.wait_for(core.heard.get(), 30)
    assert heard.text == "early"


async def test_a_question_goes_out_again_until_it_is_stored(connected, core, view, bridge, tasks, bus):
    """After a reconnection an unconfirmed question is sent with the same id; a confirmed one is not."""
    connected.submit("again")
    first = await asyncio.wait_for(core.heard.get(), 30)
    tasks.replace(bridge.serve(bus), "read along")
    second = await asyncio.wait_for(core.heard.get(), 30)
    assert second.message_id == first.message_id
    stored = chat.Message(
        id=first.message_id,
        conversation_id=first.conversation_id,
        role=chat.Role.USER,
        text="again",
        state=State.COMPLETE,
        created_at="2026-03-01T10:00:00Z",
    )
    core.messages.append(stored)
    await core.say(chat.UserMessage(message=stored, conversation=listed(first.conversation_id)))
    await until(lambda: not view.model.is_pending(0), view.model.dataChanged)
    opened = asyncio.Event()
    connected.opened.connect(lambda _id: opened.set())
    tasks.replace(bridge.serve(bus), "read along")
    await asyncio.wait_for(opened.wait(), 30)
    assert core.heard.empty()
    assert texts(view) == ["again"]


async def test_an_answer_grows(connected, core, view):
    """Deltas lengthen the answer; the finished message replaces it; Stop is offered meanwhile."""
    core.messages.append(question(1))
    await open_first(connected, view)
    await core.say(chat.AnswerStarted(message=answer(1, "", State.WAITING)))
    await core.say(delta(1, 0, "Hel"))
    await core.say(delta(1, 3, "lo"))
    await until(lambda: texts(view)[-1] == "Hello", *stirs(view))
    assert view._busy_with == "q1"
    await core.say(chat.AssistantMessage(message=answer(1, "Hello.", State.COMPLETE)))
    await until(lambda: texts(view)[-1] == "Hello.", *stirs(view))
    assert view._busy_with is None


async def test_a_gap_is_mended(connected, core, view):
    """When deltas were missed, the message is fetched and the answer goes on whole."""
    core.messages += [question(1), answer(1, "", State.STREAMING)]
    await open_first(connected, view)
    core.messages[1] = answer(1, "one two ", State.STREAMING)
    await core.say(delta(1, 4, "two "))
    await core.say(delta(1, 8, "three"))
    await until(lambda: texts(view)[-1] == "one two three", *stirs(view))
    assert core.asked.count(chat.GetMessage) == 1


async def test_an_answer_too_long_for_an_event_is_fetched(connected, core, view):
    """An answer whose text was left out of the event is asked for."""
    core.messages += [question(1), answer(1, "long", State.COMPLETE)]
    await open_first(connected, view)
    core.messages[1] = answer(1, "longer " * 6_000, State.COMPLETE)
    core.messages.append(question(2))
    core.messages.append(answer(2, "x" * 40_000, State.COMPLETE))
    await core.say(chat.UserMessage(message=question(2), conversation=listed("c1")))
    await core.say(chat.AssistantMessage(message=answer(2, "", State.COMPLETE), text_omitted=True))
    await until(lambda: len(texts(view)[-1]) == 40_000, *stirs(view))


async def test_what_is_said_while_a_page_is_on_its_way_is_not_lost(connected, core, view):
    """Events between the request and its reply are laid over the page."""
    core.messages += [question(1), answer(1, "", State.STREAMING)]
    core.hold_history.clear()
    connected.open("c1")
    await core.say(delta(1, 0, "late"))
    await until(lambda: connected._held, heard(connected._bridge, chat.AssistantDelta))
    core.hold_history.set()
    await until(lambda: view.model.rowCount() and texts(view)[-1] == "late", *stirs(view))
    assert view._busy_with == "q1"


async def test_a_draft_survives_switching(connected, core, view):
    """What is written in one conversation is there when one comes back."""
    core.messages += [question(1), question(2, "c2")]
    await open_first(connected, view)
    view.set_draft("half a thought")
    connected.open("c2")
    assert view.draft() == ""
    connected.open("c1")
    assert view.draft() == "half a thought"


async def test_the_last_of_two_quick_choices_wins(connected, core, view):
    """Clicking two conversations quickly shows the second."""
    core.messages += [question(1), question(2, "c2")]
    core.hold_history.clear()
    connected.open("c1")
    connected.open("c2")
    core.hold_history.set()
    await until(lambda: view.model.conversation_id == "c2", view.model.modelReset)
    assert texts(view) == ["question 2"]


async def test_a_page_that_comes_after_a_new_conversation_was_begun_is_not_shown_there(connected, core, view):
    """What is typed next belongs to the new one, and nothing of another may stand above it."""
    core.messages.append(question(1))
    connected.open("c1")
    connected.begin()
    begun = connected.conversation_id
    for _ in range(2):  # behind the one that is on its way
        await connected._ask_history("c1")
    assert (connected.conversation_id, view.model.conversation_id, texts(view)) == (begun, begun, [])


async def test_older_messages_come_a_page_at_a_time(connected, core, view):
    """Asking for older messages puts the page before the first one."""
    core.messages += [question(number) for number in range(120)]
    await open_first(connected, view)
    assert view.model.rowCount() == 50
    if view.model.rowCount() == 50:
        view.older_requested.emit()
    await until(lambda: view.model.rowCount() >= 100, view.model.page_added)
    assert view.model.message(0).text in {"question 20", "question 0"}


async def test_another_path_that_a_client_chose_is_shown(connected, core, view):
    """The page is loaded anew; a path of another conversation is none of this one's."""
    core.messages += [question(1), answer(1, "one", State.COMPLETE), question(2)]
    await open_first(connected, view)
    core.messages[2:] = [replace(question(3), siblings=("q2", "q3"))]
    await core.say(chat.PathChanged(conversation_id="c2", leaf_id="elsewhere"))
    await core.say(chat.PathChanged(conversation_id="c1", leaf_id="q3"))
    await until(lambda: texts(view) == ["question 1", "one", "question 3"], view.model.modelReset)
    assert core.asked.count(chat.GetHistory) == 2


@pytest.mark.parametrize(
    "newest",
    [
        [question(1), answer(1, "one", State.COMPLETE), replace(question(3), siblings=("q2", "q3"))],
        [question(number) for number in range(60, 120)],
    ],
    ids=["another path", "more than a page"],
)
async def test_a_page_that_does_not_go_on_from_what_is_shown_replaces_it(
    connected, core, view, bridge, tasks, bus, newest
):
    """After a reconnection two paths are not mixed, and no gap is hidden."""
    core.messages += [question(1), answer(1, "one", State.COMPLETE), question(2)]
    await open_first(connected, view)
    core.messages[:] = newest
    tasks.replace(bridge.serve(bus), "read along")
    await until(lambda: texts(view) == [message.text for message in newest][-50:], view.model.modelReset)


async def test_an_answer_goes_on_by_a_command_and_thoughts_come_by_a_request(connected, core, view):
    """Thoughts that cannot be had are folded again, with a word about it."""
    view.go_on_requested.emit("q1")
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.GoOn(
        conversation_id=connected.conversation_id, question_id="q1"
    )
    core.thoughts["a1"] = "Hm."
    told = asyncio.Queue()
    view.messages.show_thoughts = lambda *said: told.put_nowait(said)
    view.thoughts_wanted.emit("a1")
    view.thoughts_wanted.emit("nobody")
    shown = [await asyncio.wait_for(told.get(), 30) for _ in range(2)]
    assert sorted(shown) == [("a1", "Hm."), ("nobody", None)]
    assert "thoughts" in view._notice.text()


async def test_stop_and_retry_are_commands(connected, core, view):
    """Stop and Retry name the conversation and the question."""
    core.messages.append(question(1))
    await open_first(connected, view)
    view.stop_requested.emit("q1")
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.StopAnswer(
        conversation_id="c1", question_id="q1"
    )
    view.retry_requested.emit("q1")
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.RetryAnswer(
        conversation_id="c1", question_id="q1"
    )


async def test_escape_stops_what_is_being_answered(connected, core, view):
    """Stopping the open conversation names its question, and does nothing where nothing is answered."""
    connected.stop_open()
    core.messages += [question(1), answer(1, "", State.STREAMING)]
    await open_first(connected, view)
    connected.stop_open()
    assert await asyncio.wait_for(core.heard.get(), 30) == chat.StopAnswer(
        conversation_id="c1", question_id="q1"
    )


async def test_a_page_that_did_not_come_can_be_asked_for_again(connected, core, view, bridge, monkeypatch):
    """After a failure the person reads it, and choosing the conversation again loads it."""
    core.messages.append(question(1))

    async def refuse(*_args, **_options):
        raise BusUnavailableError("core", "away")

    noticed = []
    monkeypatch.setattr(bridge, "ask", refuse)
    monkeypatch.setattr(view, "set_notice", lambda text, kind="info": noticed.append((text, kind)))
    connected.open("c1")
    async with asyncio.timeout(30):
        while not noticed or noticed[-1][1] != "error":  # noqa: ASYNC110  # a notice is no signal
            await asyncio.sleep(0)
    monkeypatch.undo()
    await open_first(connected, view)
    assert texts(view) == ["question 1"]


async def test_a_full_disk_is_shown_until_something_is_stored(connected, core, view, bridge):
    """What waits for room is no secret, and the sentence goes with its reason."""
    delayed, stored = asyncio.Event(), asyncio.Event()
    bridge.listen(chat.StoringDelayed, lambda _said: delayed.set())
    bridge.listen(chat.AssistantMessage, lambda _said: stored.set())
    core.messages.append(question(1))
    await open_first(connected, view)
    await core.say(chat.StoringDelayed(question_id="q1", delay=chat.Delay.DISK_FULL))
    await asyncio.wait_for(delayed.wait(), 30)
    assert view._notice.text() == sentences.delay_sentence(chat.Delay.DISK_FULL)
    await core.say(chat.AssistantMessage(message=answer(1, "one", State.COMPLETE)))
    await asyncio.wait_for(stored.wait(), 30)
    assert not view._notice.text()


async def test_a_deleted_conversation_gives_way_to_a_new_one(connected, core, view):
    """When the open conversation is deleted, elsewhere too, an empty one stands in its place."""
    core.messages.append(question(1))
    await open_first(connected, view)
    await core.say(chat.ConversationChanged(conversation=listed("c1"), deleted=True))
    await until(lambda: connected.conversation_id != "c1", view.model.modelReset)
    assert view.model.rowCount() == 0


async def test_a_conversation_deleted_while_the_window_was_cut_off_is_left(
    connected, core, view, bridge, tasks, bus
):
    """Nobody says it again after a reconnection: what the core has no message of is not shown any longer."""
    core.messages.append(question(1))
    await open_first(connected, view)
    core.messages.clear()
    tasks.replace(bridge.serve(bus), "read along")
    await until(lambda: connected.conversation_id != "c1", view.model.modelReset)
    assert view.model.rowCount() == 0


async def test_the_draft_of_a_deleted_conversation_is_kept_no_longer(connected, core, presenter):
    """Also of one that is not open; whoever keeps what is unsent on the disk hears of it."""
    presenter.restore(Unsent((), {"c1": "half a secret", "c2": "another"}), show=False)
    changed = asyncio.Event()
    presenter.unsent_changed.connect(changed.set)
    await core.say(chat.ConversationChanged(conversation=listed("c1"), deleted=True))
    await asyncio.wait_for(changed.wait(), 30)
    assert presenter.unsent() == Unsent((), {"c2": "another"})


async def test_a_question_said_again_does_not_make_an_answered_one_busy(connected, core, view):
    """A command that was taken over says its question again; an answered conversation stays at rest."""
    core.messages += [question(1), answer(1, "done", State.COMPLETE)]
    await open_first(connected, view)
    said = asyncio.Event()
    connected._bridge.listen(chat.UserMessage, lambda _said: said.set())
    await core.say(chat.UserMessage(message=question(1), conversation=listed("c1")))
    await asyncio.wait_for(said.wait(), 30)
    assert view._busy_with is None


async def test_what_an_earlier_window_could_not_send_is_sent(presenter, view, bridge, tasks, core, bus):
    """Its question stands below what is stored of its conversation, is sent, and is unsent until it is stored."""
    core.messages = [question(1), answer(1, "first", State.COMPLETE)]
    prompt = chat.SendPrompt(conversation_id="c1", message_id="q2", text="question 2")
    presenter.restore(Unsent((prompt,), {"c9": "a draft"}), show=True)
    tasks.replace(bridge.serve(bus), "read along")
    assert await asyncio.wait_for(core.heard.get(), 30) == prompt
    await until(lambda: view.model.rowCount() == 3, view.model.modelReset, view.model.rowsInserted)
    assert [view.model.message(row).id for row in range(3)] == ["q1", "a1", "q2"]
    assert presenter.unsent() == Unsent((prompt,), {"c9": "a draft"})
    await core.say(chat.UserMessage(message=question(2), conversation=listed("c1")))
    await until(lambda: not presenter.unsent().prompts, presenter.unsent_changed)


async def test_the_draft_of_a_conversation_to_be_waits_for_it(presenter, view, core, connected):
    """What was written before the first question comes back with the next new conversation."""
    core.messages = [question(1)]
    view.set_draft("half a thought")
    presenter.open("c1")
    assert view.draft() == ""
    await until(lambda: not presenter.is_loading, presenter.opened)
    presenter.begin()
    assert view.draft() == "half a thought"
