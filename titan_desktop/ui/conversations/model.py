"""The conversations on the left, most recently used first, as a list model with exact row signals.

The conversations presenter changes it from events and replies; the sidebar shows it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from titan_desktop.contracts.chat import Conversation

ID_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The conversation's id."""
USED_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""When it was last used, as a local `datetime`."""

_TITLE_ROLES = frozenset(
    {
        int(Qt.ItemDataRole.DisplayRole),
        int(Qt.ItemDataRole.EditRole),
        int(Qt.ItemDataRole.AccessibleTextRole),
    }
)
_NOWHERE = QModelIndex()


class Age(IntEnum):
    """The groups of the list, newest first."""

    TODAY = 0
    YESTERDAY = 1
    THIS_WEEK = 2
    THIS_MONTH = 3
    EARLIER = 4


def age_of(used: datetime, today: date) -> Age:
    """Return the group of a conversation by the days since it was used."""
    days = (today - used.date()).days
    for age, limit in ((Age.TODAY, 0), (Age.YESTERDAY, 1), (Age.THIS_WEEK, 7), (Age.THIS_MONTH, 30)):
        if days <= limit:
            return age
    return Age.EARLIER


class ConversationModel(QAbstractListModel):
    """Conversations by the time they were last used."""

    title_edited = Signal(str, str)
    """A person typed a new title: id, title. The model changes when the core says `conversation_changed`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversations: list[Conversation] = []

    # What the view reads

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """How many there are."""
        return 0 if parent.isValid() else len(self._conversations)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> object:
        """The title, the full title as a tool tip, the id, or when it was used."""
        if not index.isValid() or not 0 <= index.row() < len(self._conversations):
            return None
        conversation = self._conversations[index.row()]
        if role in _TITLE_ROLES or role == int(Qt.ItemDataRole.ToolTipRole):
            return conversation.title
        if role == ID_ROLE:
            return conversation.id
        return _local(conversation.updated_at) if role == USED_ROLE else None

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
        conversation = self._conversations[index.row()]
        if title != conversation.title:
            self.title_edited.emit(conversation.id, title)
        return True

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        """Titles can be edited in place."""
        usual = super().flags(index)
        return usual | Qt.ItemFlag.ItemIsEditable if index.isValid() else usual

    def row_of(self, conversation_id: str) -> int | None:
        """Where a conversation stands, None when it is not in the list."""
        return next((row for row, held in enumerate(self._conversations) if held.id == conversation_id), None)

    def title_of(self, conversation_id: str) -> str:
        """Its title, "" when it is not in the list."""
        return next((held.title for held in self._conversations if held.id == conversation_id), "")

    # What the presenter says

    def set_all(self, conversations: Sequence[Conversation], *, complete: bool) -> None:
        """Take the core's list; after a reconnection only what differs changes, so the selection stays.

        Args:
            conversations: most recently used first.
            complete: there are no others, so those that are not among them are gone.
        """
        if not self._conversations:
            self.beginResetModel()
            self._conversations = list(conversations)
            self.endResetModel()
            return
        if complete:
            kept = {conversation.id for conversation in conversations}
            for gone in [held.id for held in self._conversations if held.id not in kept]:
                self.remove(gone)
        for conversation in reversed(conversations):
            self.put(conversation)

    def put(self, conversation: Conversation) -> None:
        """Insert a conversation, or take its new title and place."""
        row = self.row_of(conversation.id)
        if row is None:
            place = self._place_of(conversation, self._conversations)
            self.beginInsertRows(QModelIndex(), place, place)
            self._conversations.insert(place, conversation)
            self.endInsertRows()
            return
        others = self._conversations[:row] + self._conversations[row + 1 :]
        place = self._place_of(conversation, others)
        if place != row:
            # Qt counts the destination before the row is taken out (QAbstractItemModel::beginMoveRows).
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), place if place < row else place + 1)
            self._conversations.insert(place, self._conversations.pop(row))
            self.endMoveRows()
        if self._conversations[place] != conversation:
            self._conversations[place] = conversation
            self.dataChanged.emit(self.index(place), self.index(place))

    def remove(self, conversation_id: str) -> None:
        """Take a conversation out."""
        row = self.row_of(conversation_id)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._conversations[row]
            self.endRemoveRows()

    @staticmethod
    def _place_of(conversation: Conversation, others: Sequence[Conversation]) -> int:
        newer = (row for row, other in enumerate(others) if other.updated_at <= conversation.updated_at)
        return next(newer, len(others))


def _local(timestamp: str) -> datetime:
    """Read RFC 3339; what cannot be read is taken for now, for a list must not fail on one row."""
    try:
        return datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return datetime.now(UTC).astimezone()
