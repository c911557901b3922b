"""The list on the left: conversations, most recently used first, beneath the headings of their groups.

The conversations presenter changes it from events and replies; the sidebar shows it and says what is looked for.
Headings are rows that cannot be chosen, so all rows have one height: laying out thousands of rows asks the model
nothing about each.
"""

from collections.abc import Collection, Iterable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal

from titan_desktop.client import foreign
from titan_desktop.contracts.chat import Conversation
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.conversations.ages import Age, Calendar

ID_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The conversation's id, "" for a heading."""
FIRST_ROW = 1
"""Where the uppermost conversation stands, below its heading."""

_TITLE_ROLES = frozenset(
    {
        int(Qt.ItemDataRole.DisplayRole),
        int(Qt.ItemDataRole.EditRole),
        int(Qt.ItemDataRole.AccessibleTextRole),
    }
)
_NOWHERE = QModelIndex()
_DAY_CHECK_MS = 60_000

_Key = tuple[str, str]
"""When it was used, and the id: what the rows are sorted by, the greatest first."""
_Row = tuple[_Key, Conversation | Age]


class ConversationModel(QAbstractListModel):
    """Conversations by the time they were last used."""

    title_edited = Signal(str, str)
    """A person typed a new title: id, title. The model changes when the core says `conversation_changed`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[str, Conversation] = {}
        self._rows: list[_Row] = []
        self._wanted = ""
        self._calendar = Calendar.now()
        self._day_check = QTimer(self)
        self._day_check.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._day_check.timeout.connect(self._follow_the_day)
        self._day_check.start(_DAY_CHECK_MS)

    # What the view reads

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """How many rows are shown, headings among them."""
        return 0 if parent.isValid() else len(self._rows)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> object:
        """The title (also as a tool tip) or heading, and the id."""
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        shown = self._rows[index.row()][1]
        if isinstance(shown, Age):
            return self._heading(shown) if role in _TITLE_ROLES else "" if role == ID_ROLE else None
        if role == int(Qt.ItemDataRole.EditRole):
            return shown.title
        if role in _TITLE_ROLES:
            return foreign.name(shown.title)
        if role == int(Qt.ItemDataRole.ToolTipRole):
            return tip(shown.title)
        return shown.id if role == ID_ROLE else None

    def setData(
        self,
        index: QModelIndex | QPersistentModelIndex,
        value: object,
        role: int = int(Qt.ItemDataRole.EditRole),
    ) -> bool:
        """Take an edited title: say it, and wait for the core's word."""
        title = " ".join(str(value).split())
        if role != int(Qt.ItemDataRole.EditRole) or not index.isValid() or not title:
            return False
        shown = self._rows[index.row()][1]
        if isinstance(shown, Age):
            return False
        if title != shown.title:
            self.title_edited.emit(shown.id, title)
        return True

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        """Titles can be edited in place; headings cannot be reached."""
        if not index.isValid() or isinstance(self._rows[index.row()][1], Age):
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def _heading(self, age: Age) -> str:
        match age:
            case Age.TODAY:
                return self.tr("Today")
            case Age.YESTERDAY:
                return self.tr("Yesterday")
            case Age.THIS_WEEK:
                return self.tr("Last 7 days")
            case Age.THIS_MONTH:
                return self.tr("Last 30 days")
            case _:
                return self.tr("Earlier")

    @property
    def count(self) -> int:
        """How many conversations there are, shown or not."""
        return len(self._all)

    def title_of(self, conversation_id: str) -> str:
        """Return the title of a conversation, "" when it is not known."""
        held = self._all.get(conversation_id)
        return held.title if held is not None else ""

    def row_of(self, conversation_id: str) -> int | None:
        """Where a conversation stands, None when it is not shown."""
        held = self._all.get(conversation_id)
        return self._find(_key(held)) if held is not None else None

    # What the sidebar says

    def look_for(self, words: str) -> None:
        """Show only conversations with these words in their title; "" shows all."""
        wanted = words.strip().casefold()
        if wanted != self._wanted:
            self._wanted = wanted
            self._fill()

    # What the presenter says

    def merge(self, conversations: Iterable[Conversation]) -> None:
        """Take some of the core's list. Only what differs changes, so the selection stays."""
        new: dict[str, Conversation] = {}
        for conversation in conversations:
            held = self._all.get(conversation.id)
            if held is None or conversation.id in new:
                self._all[conversation.id] = new[conversation.id] = conversation
            elif held != conversation:
                self._change(held, conversation)
        if self._rows or not new:
            self._insert(new.values())
        else:
            self._fill()

    def put(self, conversation: Conversation) -> None:
        """Insert a conversation, or take its new title and place."""
        self.merge((conversation,))

    def remove(self, conversation_id: str) -> None:
        """Take a conversation out."""
        held = self._all.pop(conversation_id, None)
        if held is not None and (row := self._find(_key(held))) is not None:
            self._remove(row, row)
            self._drop_empty_headings()

    def keep_only(self, ids: Collection[str]) -> None:
        """Take out all others: the core has them no longer."""
        self._all = {id_: held for id_, held in self._all.items() if id_ in ids}
        last = len(self._rows) - 1
        while last >= 0:
            first = last
            while first >= 0 and self._is_gone(first):
                first -= 1
            if first < last:
                self._remove(first + 1, last)
            last = first - 1
        self._drop_empty_headings()

    def _is_gone(self, row: int) -> bool:
        shown = self._rows[row][1]
        return isinstance(shown, Conversation) and shown.id not in self._all

    # Rows

    def _fill(self) -> None:
        """Make all rows anew."""
        self.beginResetModel()
        self._rows = self._rows_of(self._all.values())
        self.endResetModel()

    def _insert(self, conversations: Iterable[Conversation]) -> None:
        """Put new rows where they belong: those that come to stand together, in one go."""
        new = [row for row in self._rows_of(conversations) if self._find(row[0]) is None]
        start = 0
        while start < len(new):
            place = _place(self._rows, new[start][0])
            end = start + 1
            if place == len(self._rows):
                end = len(new)
            while end < len(new) and new[end][0] > self._rows[place][0]:
                end += 1
            self.beginInsertRows(QModelIndex(), place, place + end - start - 1)
            self._rows[place:place] = new[start:end]
            self.endInsertRows()
            start = end

    def _change(self, held: Conversation, conversation: Conversation) -> None:
        self._all[conversation.id] = conversation
        if (row := self._find(_key(held))) is None:
            self._insert((conversation,))
        elif not self._is_wanted(conversation):
            self._remove(row, row)
            self._drop_empty_headings()
        else:
            if _key(conversation) != _key(held):
                row = self._move(held, conversation)
            self._rows[row] = (_key(conversation), conversation)
            self.dataChanged.emit(self.index(row), self.index(row))
            self._drop_empty_headings()

    def _move(self, held: Conversation, conversation: Conversation) -> int:
        """Bring the row of `held` to where its new time belongs; return where it stands then."""
        key = _key(conversation)
        heading = self._heading_row(self._calendar.age_of(conversation.updated_at))
        if self._find(heading[0]) is None:
            place = _place(self._rows, heading[0])
            self.beginInsertRows(QModelIndex(), place, place)
            self._rows.insert(place, heading)
            self.endInsertRows()
        row, place = _place(self._rows, _key(held)), _place(self._rows, key)
        if place in (row, row + 1):
            return row
        # Qt counts the destination before the row is taken out (QAbstractItemModel::beginMoveRows).
        self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), place)
        del self._rows[row]
        place -= place > row
        self._rows.insert(place, (key, conversation))
        self.endMoveRows()
        return place

    def _remove(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        del self._rows[first : last + 1]
        self.endRemoveRows()

    def _drop_empty_headings(self) -> None:
        for age in Age:
            row = self._find(self._heading_row(age)[0])
            if row is None:
                continue
            below = self._rows[row + 1 : row + 2]
            if not below or isinstance(below[0][1], Age):
                self._remove(row, row)

    def _rows_of(self, conversations: Iterable[Conversation]) -> list[_Row]:
        """Return rows for those that are looked for, and the headings that they need, in order."""
        rows: list[_Row] = [(_key(each), each) for each in conversations if self._is_wanted(each)]
        rows.sort(reverse=True)
        for age in Age:
            heading = self._heading_row(age)
            place = _place(rows, heading[0])
            if place < len(rows) and self._calendar.age_of(rows[place][0][0]) is age:
                rows.insert(place, heading)
        return rows

    def _is_wanted(self, conversation: Conversation) -> bool:
        return not self._wanted or self._wanted in conversation.title.casefold()

    def _heading_row(self, age: Age) -> _Row:
        return (self._calendar.end_of(age), ""), age

    def _find(self, key: _Key) -> int | None:
        row = _place(self._rows, key)
        return row if row < len(self._rows) and self._rows[row][0] == key else None

    def _follow_the_day(self) -> None:
        calendar = Calendar.now()
        if calendar.today != self._calendar.today:
            self._calendar = calendar
            self._fill()


def _key(conversation: Conversation) -> _Key:
    return conversation.updated_at, conversation.id


def _place(rows: Sequence[_Row], key: _Key) -> int:
    """Where a row with this key stands, or would."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle][0] > key:
            low = middle + 1
        else:
            high = middle
    return low
