"""The messages of the conversation that is open, oldest first, as a list model with exact row signals.

The chat presenter changes it from events and replies; the message list shows it. It is reset only when the
conversation changes. It decides what a late, repeated or outdated event means, so nobody else has to.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from titan_desktop.contracts.chat import AssistantDelta, Message, Role, State

MESSAGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The `Message` of a row."""

_GROWING = frozenset({State.WAITING, State.STREAMING})
_NOWHERE = QModelIndex()


class MessageModel(QAbstractListModel):
    """Messages in the order in which they are read; an answer stands right after its question."""

    page_added = Signal()
    """`prepend` has been called, whether it brought messages or not: another page may be asked for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.conversation_id = ""
        self.more = False
        self._messages: list[Message] = []
        self._rows: dict[str, int] = {}
        self._pending: set[str] = set()

    # What the list reads

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """How many messages are loaded."""
        return 0 if parent.isValid() else len(self._messages)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> object:
        """The text for display and accessibility, the whole message for `MESSAGE_ROLE`."""
        if not index.isValid() or not 0 <= index.row() < len(self._messages):
            return None
        if role in (int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.AccessibleTextRole)):
            return self._messages[index.row()].text
        return self._messages[index.row()] if role == MESSAGE_ROLE else None

    def message(self, row: int) -> Message:
        """The message of a row."""
        return self._messages[row]

    def texts(self, first: int, last: int) -> list[str]:
        """The texts of rows `first` to `last`, both included."""
        return [message.text for message in self._messages[first : last + 1]]

    def row_of(self, message_id: str) -> int | None:
        """Where a message stands, None when it is not loaded."""
        return self._rows.get(message_id)

    def is_pending(self, row: int) -> bool:
        """Whether the question is on its way and not stored yet."""
        return self._messages[row].id in self._pending

    def question_of(self, row: int) -> str:
        """The text of the question that this answer answers, "" when it is not loaded."""
        found = self._rows.get(self._messages[row].question_id)
        return "" if found is None else self._messages[found].text

    @property
    def has_stored(self) -> bool:
        """Whether the core has said any of the messages, as against questions that wait to be sent."""
        return len(self._pending) < len(self._messages)

    def joins(self, messages: Sequence[Message]) -> bool:
        """Whether the newest page goes on from what is held: on the same path, and without a gap between them."""
        versions = {other for message in messages for other in message.siblings if other != message.id}
        overlaps = not messages or any(message.id in self._rows for message in messages)
        return overlaps and self._rows.keys().isdisjoint(versions)

    def last_question(self) -> str:
        """The newest question's text, "" when there is none."""
        return next((m.text for m in reversed(self._messages) if m.role is Role.USER), "")

    # What the presenter says

    def set_conversation(self, conversation_id: str, messages: Sequence[Message], more: bool) -> None:  # noqa: FBT001  # as in HistoryPage
        """Show another conversation.

        Args:
            conversation_id: events of other conversations are ignored from now on.
            messages: its newest page, oldest first.
            more: older messages exist.
        """
        self.beginResetModel()
        self.conversation_id, self.more = conversation_id, more
        self._messages = list(messages)
        self._rows = {message.id: row for row, message in enumerate(messages)}
        self._pending.clear()
        self.endResetModel()

    def prepend(self, messages: Iterable[Message], more: bool) -> None:  # noqa: FBT001  # as in HistoryPage
        """Put an older page before the first message; those that are loaded already are left out."""
        self.more = more
        new = [m for m in messages if m.id not in self._rows and m.conversation_id == self.conversation_id]
        if new:
            self.beginInsertRows(QModelIndex(), 0, len(new) - 1)
            self._messages[:0] = new
            self._number_from(0)
            self.endInsertRows()
        self.page_added.emit()

    def add_pending(self, message: Message) -> None:
        """Show a question at once as being sent; `put` with the same id says that it is stored."""
        if message.conversation_id != self.conversation_id or message.id in self._rows:
            return
        self._pending.add(message.id)
        self._insert(len(self._messages), message)

    def put(self, message: Message) -> None:
        """Insert a message, or replace the one that has its id or answers the same question.

        What would take something back is ignored: an older attempt, the beginning of an answer that is finished,
        a shorter text of the same attempt. So is an answer whose question is not loaded: it stands further up, or
        on another path.
        """
        if message.conversation_id != self.conversation_id:
            return
        row = self._row_to_replace(message)
        if row is None and message.question_id and message.question_id not in self._rows:
            return
        if row is None:
            self._insert(self._place_of(message), message)
            return
        held = self._messages[row]
        was_pending = held.id in self._pending
        self._pending.discard(message.id)
        if _is_outdated(message, held) or (message == held and not was_pending):
            return
        if held.id != message.id:
            del self._rows[held.id]
            self._rows[message.id] = row
        self._replace(row, message)

    def append_delta(self, delta: AssistantDelta) -> bool:
        """Let an answer grow.

        Returns:
            False when something is missing (an unknown answer, a gap): fetch the message and `put` it. True
            when the delta was taken, or is void and nothing needs to be done.
        """
        if delta.conversation_id != self.conversation_id:
            return True
        row = self._rows.get(delta.answer_id)
        if row is None:
            return delta.question_id not in self._rows
        held = self._messages[row]
        if delta.attempt < held.attempt or (delta.attempt == held.attempt and held.state not in _GROWING):
            return True
        text = held.text if delta.attempt == held.attempt else ""
        thoughts = max(delta.thoughts, held.thoughts if delta.attempt == held.attempt else 0)
        if delta.offset > len(text):
            return False
        if delta.restarts:
            text = text[: delta.offset]
        text += delta.text[len(text) - delta.offset :]
        if text != held.text or thoughts != held.thoughts or delta.attempt > held.attempt:
            grown = replace(
                held,
                text=text,
                thoughts=thoughts,
                state=State.STREAMING if text else State.WAITING,
                attempt=delta.attempt,
                fault=None,
                fault_detail="",
            )
            self._replace(row, grown)
        return True

    # How rows change

    def _row_to_replace(self, message: Message) -> int | None:
        """The row with this id, or with another answer to the same question."""
        if message.id in self._rows:
            return self._rows[message.id]
        question = self._rows.get(message.question_id) if message.question_id else None
        if question is None or question + 1 >= len(self._messages):
            return None
        return question + 1 if self._messages[question + 1].question_id == message.question_id else None

    def _place_of(self, message: Message) -> int:
        """Where a new message goes: an answer after its question, a question at the end."""
        return self._rows[message.question_id] + 1 if message.question_id else len(self._messages)

    def _insert(self, row: int, message: Message) -> None:
        self.beginInsertRows(QModelIndex(), row, row)
        self._messages.insert(row, message)
        self._number_from(row)
        self.endInsertRows()

    def _replace(self, row: int, message: Message) -> None:
        self._messages[row] = message
        self.dataChanged.emit(self.index(row), self.index(row))

    def _number_from(self, row: int) -> None:
        for number in range(row, len(self._messages)):
            self._rows[self._messages[number].id] = number


def _is_outdated(message: Message, held: Message) -> bool:
    """Whether `held` knows more of the same answer than `message`, which was overtaken on its way."""
    if message.attempt != held.attempt:
        return message.attempt < held.attempt
    if message.state not in _GROWING:
        return False
    return held.state not in _GROWING or len(message.text) < len(held.text)
