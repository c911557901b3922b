"""Facts as a list: the pinned first, then the newest, or in the order of a search."""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from titan_desktop.client import foreign
from titan_desktop.contracts.memory import Fact
from titan_desktop.ui.base.tooltip import tip

FACT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The `Fact` of a row."""
DETAILS_ROLE = FACT_ROLE + 1
"""Where it is from and since when it is so, in the window's language."""
_NOWHERE = QModelIndex()


class FactModel(QAbstractListModel):
    """Facts in pages: more are asked for when the end comes into view.

    Args:
        details: words a fact's second line.
    """

    more_wanted = Signal()

    def __init__(self, details: Callable[[Fact], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._details = details
        self._facts: list[Fact] = []
        self._more = False
        self._asked = False

    # What the view reads

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """How many are loaded."""
        return 0 if parent.isValid() else len(self._facts)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> object:
        """The sentence, the fact, its details; for a screen reader both lines."""
        if not index.isValid() or not 0 <= index.row() < len(self._facts):
            return None
        fact = self._facts[index.row()]
        return fact if role == FACT_ROLE else self._text(fact, role)

    def _text(self, fact: Fact, role: int) -> str | None:
        if role == DETAILS_ROLE:
            return self._details(fact)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return foreign.name(fact.text)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{foreign.name(fact.text)}. {self._details(fact)}"
            case Qt.ItemDataRole.ToolTipRole:
                return tip(fact.text)
        return None

    def canFetchMore(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> bool:
        """Whether the core has more than is loaded, and was not asked yet."""
        return not parent.isValid() and self._more and not self._asked

    def fetchMore(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> None:
        """Say that the end is in view."""
        if self.canFetchMore(parent):
            self._asked = True
            self.more_wanted.emit()

    # What the presenter says

    @property
    def more(self) -> bool:
        """Whether the core has more than is loaded."""
        return self._more

    def show(self, facts: Sequence[Fact], *, more: bool) -> None:
        """Show a first page in place of what is there."""
        self.beginResetModel()
        self._facts, self._more, self._asked = list(facts), more, False
        self.endResetModel()

    def append(self, facts: Iterable[Fact], *, more: bool) -> None:
        """Show another page beneath what is there; what came by itself meanwhile stays where it is."""
        held = {fact.id for fact in self._facts}
        new = [fact for fact in facts if fact.id not in held]
        self._more, self._asked = more, False
        if new:
            first = len(self._facts)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._facts += new
            self.endInsertRows()

    def give_up(self) -> None:
        """The page that was asked for did not come: it is asked for again when the end comes into view."""
        self._asked = False

    def row_of(self, fact_id: str) -> int | None:
        """Where a fact stands, None when it is not loaded."""
        return next((row for row, fact in enumerate(self._facts) if fact.id == fact_id), None)

    def fact(self, row: int) -> Fact:
        """The fact of a row."""
        return self._facts[row]

    def put(self, fact: Fact) -> None:
        """Show a fact where it belongs: the pinned first, then the newest."""
        row = self.row_of(fact.id)
        place = _place(self._facts, _key(fact))
        if row is None:
            if place == len(self._facts) and self._more:
                return  # it comes with its page
            self.beginInsertRows(QModelIndex(), place, place)
            self._facts.insert(place, fact)
            self.endInsertRows()
        elif place in (row, row + 1):
            self.replace(fact.id, fact)
        else:
            self._move(row, place, fact)

    def replace(self, former_id: str, fact: Fact) -> None:
        """Show a fact in the place of another one, or of what it was."""
        row = self.row_of(former_id)
        if row is not None:
            self._facts[row] = fact
            self.dataChanged.emit(self.index(row), self.index(row))

    def remove(self, fact_ids: Iterable[str]) -> None:
        """Take facts out."""
        gone = set(fact_ids)
        for row in reversed([row for row, fact in enumerate(self._facts) if fact.id in gone]):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._facts[row]
            self.endRemoveRows()

    def _move(self, row: int, place: int, fact: Fact) -> None:
        # Qt counts the destination before the row is taken out (QAbstractItemModel::beginMoveRows).
        self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), place)
        del self._facts[row]
        place -= place > row
        self._facts.insert(place, fact)
        self.endMoveRows()
        self.dataChanged.emit(self.index(place), self.index(place))


def _key(fact: Fact) -> tuple[bool, str, str]:
    """What the rows are sorted by, the greatest first; as the core's pages are."""
    return fact.pinned, fact.learned_at, fact.id


def _place(facts: Sequence[Fact], key: tuple[bool, str, str]) -> int:
    """Where a fact with this key stands, or would."""
    low, high = 0, len(facts)
    while low < high:
        middle = (low + high) // 2
        if _key(facts[middle]) > key:
            low = middle + 1
        else:
            high = middle
    return low
