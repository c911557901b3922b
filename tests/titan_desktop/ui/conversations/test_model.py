"""The list of conversations changes by exact rows, in the order in which they were used."""

from datetime import UTC, date, datetime

import pytest
from PySide6.QtCore import QModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from titan_desktop.contracts.chat import Conversation
from titan_desktop.ui.conversations.model import Age, ConversationModel, age_of


def conversation(name: str, minute: int, title: str = "") -> Conversation:
    at = f"2026-03-01T10:{minute:02}:00Z"
    return Conversation(id=name, title=title or name, created_at=at, updated_at=at)


@pytest.fixture
def model(qapp):
    made = ConversationModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.set_all([conversation("c", 30), conversation("b", 20), conversation("a", 10)], complete=True)
    yield made
    del tester


def titles(model: ConversationModel) -> str:
    return " ".join(str(model.index(row).data()) for row in range(model.rowCount()))


def test_a_used_conversation_moves_to_the_top(model):
    """A new question moves its conversation up, with a move and no reset."""
    moves, resets = [], []
    model.rowsMoved.connect(lambda *move: moves.append(move))
    model.modelReset.connect(lambda: resets.append(1))
    model.put(conversation("a", 40))
    assert titles(model) == "a c b"
    assert len(moves) == 1
    assert not resets


def test_a_new_conversation_is_inserted_in_its_place(model):
    """A conversation that was used between two others stands between them."""
    model.put(conversation("x", 25))
    assert titles(model) == "c x b a"


def test_a_move_downwards_is_right_too(model):
    """A conversation whose time went back moves down to its place."""
    model.put(conversation("c", 5))
    assert titles(model) == "b a c"


def test_a_new_title_changes_one_row(model):
    """Renaming tells the view of one row."""
    changed = []
    model.dataChanged.connect(lambda first, last, _roles: changed.append((first.row(), last.row())))
    model.put(conversation("b", 20, "new"))
    assert titles(model) == "c new a"
    assert changed == [(1, 1)]


def test_a_list_that_comes_again_keeps_the_rows(model):
    """After a reconnection only the differences change; who is gone goes."""
    resets = []
    model.modelReset.connect(lambda: resets.append(1))
    model.set_all([conversation("d", 50), conversation("c", 30), conversation("a", 10)], complete=True)
    assert titles(model) == "d c a"
    assert not resets


def test_an_incomplete_list_removes_nothing(model):
    """A page that was cut off says nothing about those it does not hold."""
    model.set_all([conversation("c", 30)], complete=False)
    assert titles(model) == "c b a"


def test_an_edited_title_is_said_and_not_kept(model):
    """Editing asks for the title; the row changes when the core has taken it."""
    said = []
    model.title_edited.connect(lambda *edit: said.append(edit))
    assert model.setData(model.index(1), "  my   title ")
    assert said == [("b", "my title")]
    assert titles(model) == "c b a"
    assert not model.setData(model.index(1), "   ")


def test_removing_what_is_not_there_does_nothing(model):
    """A deletion that is said twice is no error."""
    model.remove("a")
    model.remove("a")
    assert titles(model) == "c b"
    assert not model.data(QModelIndex())


@pytest.mark.parametrize(
    ("day", "age"),
    [(22, Age.TODAY), (21, Age.YESTERDAY), (20, Age.THIS_WEEK), (15, Age.THIS_WEEK), (14, Age.THIS_MONTH)],
)
def test_groups_by_days(day, age):
    """Today, yesterday, the last 7 and the last 30 days, by the calendar and not by hours."""
    assert age_of(datetime(2026, 3, day, 23, 59, tzinfo=UTC), date(2026, 3, 22)) is age
    assert age_of(datetime(2025, 3, day, tzinfo=UTC), date(2026, 3, 22)) is Age.EARLIER
