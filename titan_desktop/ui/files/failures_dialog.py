"""The files that could not be read, each with its reason."""

from collections.abc import Iterable
from pathlib import PurePath

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.client import foreign, sentences
from titan_desktop.contracts.indexing import FailurePage, FileFailure
from titan_desktop.system.folder_names import shown_path
from titan_desktop.system.paths import allowed_roots
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.base.translator import language


class FailuresDialog(QDialog):
    """A table that does not block the window. It asks for more when its end comes into view."""

    more_wanted = Signal(str)
    """With the cursor of what is shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._failures: list[FileFailure] = []
        self._cursor = ""
        """Of the page to come; "" when there is none, or it is on its way."""
        self._complaint = ""
        self.resize(900, 420)
        self._about = QLabel(self)
        self._about.setWordWrap(True)
        self.table = QTreeWidget(self)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setColumnCount(3)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.header().setStretchLastSection(False)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.table.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Interactive)
        self.table.setColumnWidth(0, 180)
        self.table.setColumnWidth(2, 160)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._about)
        column.addWidget(self.table, 1)
        column.addWidget(buttons)
        self.table.verticalScrollBar().valueChanged.connect(self._ask_for_more)
        self._retranslate()

    def take(self, page: FailurePage, after: str = "") -> None:
        """Show a page: the first one in place of all, another `after` what is shown."""
        if not after:
            self._failures.clear()
            self.table.clear()
        self._failures += page.failures
        self._cursor = page.cursor if page.more else ""
        self._complaint = ""
        self._add(page.failures)
        self._retranslate_about()

    def complain(self, sentence: str) -> None:
        """Say above the table what did not work."""
        self._complaint = sentence
        self._retranslate_about()

    def _ask_for_more(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        if self._cursor and value >= bar.maximum() - bar.pageStep():
            cursor, self._cursor = self._cursor, ""
            self.more_wanted.emit(cursor)

    def _add(self, failures: Iterable[FileFailure]) -> None:
        rows, roots = [], allowed_roots()
        for failure in failures:
            path = PurePath(failure.path)
            row = QTreeWidgetItem(
                [
                    foreign.name(path.name),
                    sentences.reason(language(), failure.reason),
                    foreign.name(shown_path(path.parent, roots)),
                ]
            )
            for column, text in enumerate((failure.path, failure.detail or row.text(1), failure.path)):
                row.setToolTip(column, tip(text))
            rows.append(row)
        self.table.addTopLevelItems(rows)

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Files that could not be read in full"))
        self.table.setAccessibleName(self.windowTitle())
        self.table.setHeaderLabels([self.tr("File"), self.tr("Why"), self.tr("Folder")])
        self.table.clear()
        self._add(self._failures)
        self._retranslate_about()

    def _retranslate_about(self) -> None:
        set_tone(self._about, "danger" if self._complaint else "muted")
        words = (
            self.tr("Titan tries these again as soon as they change.")
            if self._failures
            else self.tr("Every file could be read in full.")
        )
        self._about.setText(self._complaint or words)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
