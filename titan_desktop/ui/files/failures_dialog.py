"""The files that could not be read, each with its reason."""

from collections.abc import Sequence
from pathlib import PurePath

from PySide6.QtCore import QEvent, Qt
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

from titan_desktop.client import sentences
from titan_desktop.contracts.memory import FileFailure
from titan_desktop.ui.base.short_path import short_path
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.base.translator import language


class FailuresDialog(QDialog):
    """A table that does not block the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._failures: tuple[FileFailure, ...] = ()
        self.resize(900, 420)
        self._about = QLabel(self)
        self._about.setWordWrap(True)
        self._about.setProperty("tone", "muted")
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
        self._retranslate()

    def set_failures(self, failures: Sequence[FileFailure]) -> None:
        """Show these, newest first."""
        self._failures = tuple(failures)
        self.table.clear()
        for failure in self._failures:
            path = PurePath(failure.path)
            row = QTreeWidgetItem(
                [path.name, sentences.reason(language(), failure.reason), short_path(path.parent)]
            )
            for column, text in enumerate((failure.path, failure.detail or row.text(1), failure.path)):
                row.setToolTip(column, tip(text))
            self.table.addTopLevelItem(row)
        self._retranslate_about()

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Files that could not be read"))
        self.table.setAccessibleName(self.windowTitle())
        self.table.setHeaderLabels([self.tr("File"), self.tr("Why"), self.tr("Folder")])
        self.set_failures(self._failures)

    def _retranslate_about(self) -> None:
        self._about.setText(
            self.tr("Titan tries these again as soon as they change.")
            if self._failures
            else self.tr("Every file could be read.")
        )

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
