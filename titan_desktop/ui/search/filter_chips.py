"""What was read out of a question as a filter ("PDF", "last month"), each to be taken away by itself."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from titan_desktop.client import foreign
from titan_desktop.ui.base.theme import Theme


class FilterChips(QWidget):
    """A button for each filter, none when there are none."""

    removed = Signal(str)
    """With the words of the filter that is not wanted, as the person wrote them."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._label = QLabel(self)
        self._label.setProperty("tone", "muted")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._row.addWidget(self._label)
        self._chips: dict[str, QToolButton] = {}
        theme.changed.connect(self._draw_icons)
        self._retranslate()
        self.hide()

    @property
    def words(self) -> tuple[str, ...]:
        """The filters that are shown."""
        return tuple(self._chips)

    def show_words(self, words: Sequence[str]) -> None:
        """Show these filters."""
        if tuple(words) == self.words:
            return
        for chip in self._chips.values():
            self._row.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = {word: self._chip(word) for word in words}
        self._draw_icons()
        self._retranslate()
        self.setVisible(bool(self._chips))

    def _chip(self, word: str) -> QToolButton:
        chip = QToolButton(self)
        chip.setProperty("tone", "chip")
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the word
        chip.setIconSize(QSize(10, 10))
        chip.setText(foreign.isolated(word).replace("&", "&&"))
        chip.clicked.connect(lambda: self.removed.emit(word))
        self._row.addWidget(chip)
        return chip

    def _draw_icons(self) -> None:
        for chip in self._chips.values():
            chip.setIcon(self._theme.icon("close"))

    def _retranslate(self) -> None:
        self._label.setText(self.tr("Only:"))
        for word, chip in self._chips.items():
            said = self.tr("Search without “{word}”").format(word=foreign.isolated(word))
            chip.setToolTip(said)
            chip.setAccessibleName(said)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
