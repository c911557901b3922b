"""The list of conversations changes by exact rows, in the order in which they were used."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from titan_desktop.contracts.chat import Conversation
from titan_desktop.ui.conversations.ages import Age, Calendar
from titan_desktop.ui.conversations.model import ID_ROLE, ConversationModel
from titan_desktop.ui.conversations.sidebar import Sidebar


def conversation(name: str, minute: int, title: str = "") -> Conversation:
    at = f"2026-03-01T10:{minute:02}:00Z"
    return Conversation(id=name, title=title or name, created_at=at, updated_at=at)


@pytest.fixture
def model(qapp):
    made = ConversationModel()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.merge([conversation("c", 30), conversation("b", 20), conversation("a", 10)])
    yield made
    del tester


def titles(model: ConversationModel) -> str:
    """The titles that are shown, without headings."""
    rows = [model.index(row) for row in range(model.rowCount())]
    return " ".join(str(row.data()) for row in rows if row.data(ID_ROLE))


def outline(model: ConversationModel) -> list[str]:
    """All that is shown, headings in brackets."""
    rows = [model.index(row) for row in range(model.rowCount())]
    return [str(row.data()) if row.data(ID_ROLE) else f"[{row.data()}]" for row in rows]


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
    assert changed == [(2, 2)]  # below the heading


def test_a_list_that_comes_again_keeps_the_rows(model):
    """After a reconnection only the differences change; who is gone goes when that is known."""
    resets = []
    model.modelReset.connect(lambda: resets.append(1))
    model.merge([conversation("d", 50), conversation("c", 30), conversation("a", 10)])
    assert titles(model) == "d c b a"
    model.keep_only({"d", "c", "a"})
    assert titles(model) == "d c a"
    assert not resets


def test_a_page_that_follows_is_inserted_in_one_go(model):
    """The rows of a page come together, beneath those that are there."""
    inserted = []
    model.rowsInserted.connect(lambda _parent, first, last: inserted.append((first, last)))
    model.merge([conversation(f"x{minute}", minute) for minute in (9, 8, 7)])
    assert titles(model) == "c b a x9 x8 x7"
    assert inserted == [(4, 6)]


def test_an_edited_title_is_said_and_not_kept(model):
    """Editing asks for the title; the row changes when the core has taken it."""
    said = []
    model.title_edited.connect(lambda *edit: said.append(edit))
    assert model.setData(model.index(2), "  my   title ")
    assert said == [("b", "my title")]
    assert titles(model) == "c b a"
    assert not model.setData(model.index(2), "   ")
    assert not model.setData(model.index(0), "a heading")


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
    """Today, yesterday, the last 7 and the last 30 days, by the person's calendar and not by hours."""
    calendar = Calendar(date(2026, 3, 22))
    for hour in (0, 23):
        assert calendar.age_of(as_said(datetime(2026, 3, day, hour, 59).astimezone())) is age
        assert calendar.age_of(as_said(datetime(2025, 3, day, hour, 59).astimezone())) is Age.EARLIER


def as_said(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def used(name: str, days: int, title: str = "") -> Conversation:
    at = as_said(datetime.now(UTC).astimezone().replace(hour=0, minute=0, second=1) - timedelta(days=days))
    return Conversation(id=name, title=title or name, created_at=at, updated_at=at)


def test_headings_come_and_go_with_their_groups(model):
    """A group has a heading while something of it is shown; a heading cannot be chosen or edited."""
    model.keep_only(())
    assert outline(model) == []
    model.merge([used("new", 0), used("old", 3), used("older", 5)])
    assert outline(model) == ["[Today]", "new", "[Last 7 days]", "old", "older"]
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    model.put(used("old", 1))
    model.put(used("older", 0))
    assert outline(model) == ["[Today]", "older", "new", "[Yesterday]", "old"]
    model.remove("old")
    assert outline(model) == ["[Today]", "older", "new"]


def test_a_search_shows_titles_with_these_words(model):
    """Whatever their case, and also what comes to have them later; what loses them goes."""
    model.look_for(" TITLE ")
    assert outline(model) == []
    model.merge([conversation("x", 40, "A title"), conversation("y", 50)])
    model.put(conversation("y", 50, "Mein Titlen"))
    assert titles(model) == "Mein Titlen A title"
    model.put(conversation("x", 40, "renamed"))
    assert titles(model) == "Mein Titlen"
    assert model.row_of("x") is None
    model.look_for("")
    assert titles(model) == "Mein Titlen renamed c b a"


@pytest.mark.parametrize("seed", range(8))
def test_rows_are_right_whatever_happens(model, seed):
    """After any changes the rows are what a list made anew would show, and each was told to the view."""
    chance = random.Random(seed)
    told: list[str] = []  # what a view knows that follows the signals
    rows = lambda: [str(model.index(row).data()) for row in range(model.rowCount())]  # noqa: E731
    model.modelReset.connect(lambda: told.__setitem__(slice(None), rows()))
    model.rowsInserted.connect(
        lambda _p, first, last: told.__setitem__(slice(first, first), rows()[first : last + 1])
    )
    model.rowsRemoved.connect(lambda _p, first, last: told.__delitem__(slice(first, last + 1)))
    model.rowsMoved.connect(lambda _p, row, _l, _q, to: told.insert(to - (to > row), told.pop(row)))
    model.dataChanged.connect(lambda first, _last, _roles: told.__setitem__(first.row(), str(first.data())))
    model.look_for("-")
    model.look_for("")
    for _ in range(150):
        some = [
            used(f"c{chance.randrange(40)}", chance.randrange(45), chance.choice(("one", "two")))
            for _ in range(chance.choice((1, 1, 1, 12)))
        ]
        match chance.randrange(10):
            case 0:
                model.keep_only({f"c{number}" for number in range(40) if chance.random() < 0.8})
            case 1:
                model.remove(some[0].id)
            case 2:
                model.look_for(chance.choice(("", "ONE", "two")))
            case _:
                model.merge(some)
        assert told == rows()
        fresh = ConversationModel()
        fresh.look_for(model._wanted)
        fresh.merge(model._all.values())
        assert outline(fresh) == outline(model)


def test_five_thousand_at_once_are_few_signals(theme, qtbot):
    """However many conversations come, the list hears of them in one step, of the same ones not at all."""
    model = ConversationModel()
    sidebar = Sidebar(model, theme)
    qtbot.addWidget(sidebar)
    many = [used(f"c{number:04}", number // 100) for number in range(5_000)]
    heard: list[str] = []
    for name in ("rowsInserted", "rowsRemoved", "rowsMoved", "dataChanged", "modelReset"):
        getattr(model, name).connect(lambda *_, name=name: heard.append(name))

    def signals(change) -> int:
        heard.clear()
        change()
        return len(heard)

    assert signals(lambda: model.merge(many)) == 1
    assert sidebar.list.model().rowCount() > 5_000
    assert signals(lambda: model.merge(many)) == 0
    assert signals(lambda: model.put(used("c3000", 0))) <= 3
    assert signals(lambda: sidebar.filter.setText("c3")) == 1
    assert signals(lambda: sidebar.filter.setText("")) == 1
