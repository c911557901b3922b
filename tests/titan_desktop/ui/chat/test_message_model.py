import pytest
from msgspec.structs import replace

from tests.titan_desktop.ui.chat.samples import CONVERSATION, answer, delta, exchange, question
from titan_desktop.contracts.chat import Fault, State
from titan_desktop.ui.chat.message_model import MESSAGE_ROLE, MessageModel


@pytest.fixture
def model(qtmodeltester) -> MessageModel:
    """An empty conversation; every change to it is checked against Qt's rules for models."""
    model = MessageModel()
    qtmodeltester.check(model)
    model.set_conversation(CONVERSATION, [], more=False)
    return model


def ids(model: MessageModel) -> list[str]:
    return [model.data(model.index(row), MESSAGE_ROLE).id for row in range(model.rowCount())]


def test_it_keeps_qts_rules_through_every_change(qtmodeltester, model: MessageModel):
    """Pages, questions, answers, deltas and replacements are announced exactly as they happen."""
    model.set_conversation(CONVERSATION, exchange(3), more=True)
    model.prepend([question(90), answer(90, "old")], more=False)
    model.add_pending(question(5))
    model.put(question(5))
    model.put(answer(5, state=State.WAITING))
    assert model.append_delta(delta(5, 0, "Да"))
    model.put(answer(5, "Да."))
    qtmodeltester.check(model)
    assert ids(model) == ["q90", "a90", "q0", "a0", "q1", "a1", "q2", "a2", "q5", "a5"]
    assert all(model.row_of(id_) == row for row, id_ in enumerate(ids(model)))


def test_only_another_conversation_resets(qtbot, model: MessageModel):
    """Events change rows; nothing but `set_conversation` makes the view begin anew."""
    model.set_conversation(CONVERSATION, exchange(2), more=True)
    with qtbot.assertNotEmitted(model.modelReset):
        model.put(question(7))
        model.put(answer(7, state=State.WAITING))
        model.append_delta(delta(7, 0, "x"))
        model.prepend([question(80)], more=False)


def test_an_answer_stands_after_its_question(model: MessageModel):
    """Also when another question was asked meanwhile."""
    for message in (question(1), question(2), answer(2, "two"), answer(1, "one")):
        model.put(message)
    assert ids(model) == ["q1", "a1", "q2", "a2"]


def test_the_same_event_twice_changes_nothing(qtbot, model: MessageModel):
    """At-least-once delivery is not seen."""
    model.put(question(1))
    model.put(answer(1, "yes"))
    with qtbot.assertNotEmitted(model.dataChanged), qtbot.assertNotEmitted(model.rowsInserted):
        model.put(question(1))
        model.put(answer(1, "yes"))


def test_other_conversations_are_not_shown(model: MessageModel):
    """Messages and deltas of another conversation are ignored, and nothing needs to be fetched."""
    model.put(replace(question(1), conversation_id="other"))
    assert model.append_delta(replace(delta(1, 5, "x"), conversation_id="other"))
    assert model.rowCount() == 0


def test_an_answer_to_a_question_that_is_not_loaded_is_not_shown(model: MessageModel):
    """It stands further up, or on another path of the conversation: it belongs to no question shown here."""
    model.put(question(2))
    model.put(answer(1, "one"))
    assert model.append_delta(delta(1, 3, " two"))
    assert ids(model) == ["q2"]


def test_deltas_grow_the_answer(model: MessageModel):
    """In order they append; what is there already is not appended twice."""
    model.put(question(1))
    model.put(answer(1, state=State.WAITING))
    assert model.append_delta(delta(1, 0, "Депо"))
    assert model.append_delta(delta(1, 2, "позит "))
    assert model.append_delta(delta(1, 0, "Де"))
    assert model.append_delta(delta(1, 8, "45"))
    message = model.message(1)
    assert (message.text, message.state) == ("Депозит 45", State.STREAMING)


def test_what_is_missing_is_asked_for(model: MessageModel):
    """A gap, an unknown answer, and a newer attempt that is met in its middle need the message itself."""
    model.put(question(1))
    assert not model.append_delta(delta(1, 0, "x"))
    model.put(answer(1, state=State.WAITING))
    assert not model.append_delta(delta(1, 3, "x"))
    assert not model.append_delta(delta(1, 3, "x", attempt=2))
    assert model.message(1).text == ""


def test_a_new_attempt_begins_anew(model: MessageModel):
    """The failed text goes; late deltas and messages of the old attempt are void."""
    model.put(question(1))
    model.put(answer(1, "half", State.FAILED, fault=Fault.UNREACHABLE))
    assert model.append_delta(delta(1, 0, "whole", attempt=2))
    assert model.append_delta(delta(1, 4, "late", attempt=1))
    model.put(answer(1, "half", State.FAILED, fault=Fault.UNREACHABLE))
    message = model.message(1)
    assert (message.text, message.state, message.attempt, message.fault) == (
        "whole",
        State.STREAMING,
        2,
        None,
    )


def test_a_new_attempt_under_a_new_id_takes_the_old_ones_place(model: MessageModel):
    """A question never shows two answers."""
    model.put(question(1))
    model.put(answer(1, "", State.FAILED, fault=Fault.TIMED_OUT))
    model.put(answer(1, state=State.WAITING, attempt=2, id="a1-again"))
    assert ids(model) == ["q1", "a1-again"]
    assert model.row_of("a1") is None


def test_a_finished_answer_stays_finished(model: MessageModel):
    """Its late beginning, a shorter copy, and late deltas take nothing back."""
    model.put(question(1))
    model.put(answer(1, "whole"))
    model.put(answer(1, state=State.WAITING))
    model.put(answer(1, "who", State.STREAMING))
    assert model.append_delta(delta(1, 5, "more"))
    assert (model.message(1).text, model.message(1).state) == ("whole", State.COMPLETE)


def test_a_question_is_pending_until_it_is_stored(model: MessageModel):
    """It is seen at once, as being sent, and once only."""
    model.add_pending(question(1))
    assert model.is_pending(0)
    model.put(question(1))
    assert (model.rowCount(), model.is_pending(0)) == (1, False)


def test_an_older_page_brings_only_what_is_new(model: MessageModel):
    """Pages that overlap give no message twice."""
    model.set_conversation(CONVERSATION, [question(2), answer(2, "b")], more=True)
    model.prepend([question(1), answer(1, "a"), question(2)], more=False)
    assert ids(model) == ["q1", "a1", "q2", "a2"]
    assert not model.more
