"""The failed jobs: what, why and when, to be tried again or removed."""

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QEvent, QItemSelectionModel, QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.contracts.dead_letters import DeadLetter
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.jobs.dead_letter_words import reason_of, task_of

_ID_ROLE = Qt.ItemDataRole.UserRole


class DeadLettersDialog(QDialog):
    """A table that does not block the window. All rows are marked at first: most people want all tried again."""

    retry_requested = Signal(tuple)
    """The ids of dead letters."""
    removal_confirmed = Signal(tuple)
    more_wanted = Signal()
    """The end of what is shown came into view, and there are more."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._letters: tuple[DeadLetter, ...] = ()
        self._count = 0
        self._complaint = ""
        self._awaits_more = False
        self.resize(900, 420)
        self._about = QLabel(self)
        self._about.setWordWrap(True)
        self.table = QTreeWidget(self)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setColumnCount(3)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Interactive)
        self.table.setColumnWidth(0, 300)
        self.table.setColumnWidth(2, 140)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.retry_button = QPushButton(self)
        set_tone(self.retry_button, "primary")
        self.remove_button = QPushButton(self)
        self._buttons.addButton(self.retry_button, QDialogButtonBox.ButtonRole.ActionRole)
        self._buttons.addButton(self.remove_button, QDialogButtonBox.ButtonRole.ActionRole)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._about)
        column.addWidget(self.table, 1)
        column.addWidget(self._buttons)
        self._buttons.rejected.connect(self.close)
        self.retry_button.clicked.connect(lambda: self.retry_requested.emit(self.marked()))
        self.remove_button.clicked.connect(self.ask_to_remove)
        self.table.itemSelectionChanged.connect(self._refresh)
        self.table.verticalScrollBar().valueChanged.connect(self._ask_for_more)
        self._retranslate()

    @property
    def about(self) -> str:
        """What stands above the table."""
        return self._about.text()

    def set_letters(self, letters: Sequence[DeadLetter], count: int) -> None:
        """Show these, newest first, of `count` in all. What comes new is marked while all before it was."""
        known = {letter.letter_id for letter in self._letters}
        marked = set(self.marked())
        new = {letter.letter_id for letter in letters} - known if marked == known else set()
        self._letters, self._count, self._complaint = tuple(letters), count, ""
        self._awaits_more = False
        self._fill(marked | new)

    def complain(self, sentence: str) -> None:
        """Say above the table what did not work."""
        self._complaint = sentence
        self._awaits_more = False
        self._refresh()

    def marked(self) -> tuple[str, ...]:
        """Return the ids of the marked rows, from top to bottom."""
        items = [self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount())]
        return tuple(str(item.data(0, _ID_ROLE)) for item in items if item is not None and item.isSelected())

    def ask_to_remove(self) -> None:
        """Remove the marked rows if the person confirms; it cannot be undone."""
        marked = self.marked()
        if not marked:
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Remove jobs"))
        box.setText(self.tr("Remove %n job(s) for good?", "", len(marked)))
        box.setInformativeText(self.tr("Titan will not try them again. Your files stay as they are."))
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        set_tone(remove, "danger")
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        remove.clicked.connect(lambda: self.removal_confirmed.emit(marked))
        box.open()

    def _ask_for_more(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        is_near = value >= bar.maximum() - bar.pageStep()
        if is_near and not self._awaits_more and self._count > len(self._letters):
            self._awaits_more = True
            self.more_wanted.emit()

    def _fill(self, marked: set[str]) -> None:
        current, scrolled = self.table.currentItem(), self.table.verticalScrollBar().value()
        current_id = current.data(0, _ID_ROLE) if current is not None else None
        self.table.blockSignals(True)
        self.table.verticalScrollBar().blockSignals(True)
        self.table.clear()
        for letter in self._letters:
            when = QDateTime.fromString(letter.at, Qt.DateFormat.ISODateWithMs).toLocalTime()
            at = QLocale().toString(when, QLocale.FormatType.ShortFormat)
            reason = reason_of(letter)
            row = QTreeWidgetItem([task_of(letter), " ".join(reason.split()), at])
            row.setData(0, _ID_ROLE, letter.letter_id)
            row.setToolTip(0, tip(letter.subject or row.text(0)))
            row.setToolTip(1, tip(reason))
            self.table.addTopLevelItem(row)
            row.setSelected(letter.letter_id in marked)
            if letter.letter_id == current_id or (current_id is None and row is self.table.topLevelItem(0)):
                self.table.setCurrentItem(row, 0, QItemSelectionModel.SelectionFlag.NoUpdate)
        self.table.verticalScrollBar().blockSignals(False)
        self.table.verticalScrollBar().setValue(scrolled)
        self.table.blockSignals(False)
        self._refresh()

    def _refresh(self) -> None:
        marked = bool(self.table.selectedItems())
        self.retry_button.setEnabled(marked)
        self.remove_button.setEnabled(marked)
        set_tone(self._about, "danger" if self._complaint else "muted")
        self._about.setText(self._complaint or self._sentence())

    def _sentence(self) -> str:
        if not self._letters:
            return self.tr("No job has failed.")
        words = self.tr(
            "Titan tried each of these several times and gave up. They are kept and can be tried again."
        )
        if self._count > len(self._letters):
            words += " " + self.tr("The newest {shown} of {count} are shown.").format(
                shown=len(self._letters), count=self._count
            )
        return words

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Failed jobs"))
        self.table.setAccessibleName(self.windowTitle())
        self.table.setHeaderLabels([self.tr("Job"), self.tr("Why"), self.tr("When")])
        self.retry_button.setText(self.tr("Try again"))
        self.remove_button.setText(self.tr("Remove…"))
        self._fill(set(self.marked()))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
