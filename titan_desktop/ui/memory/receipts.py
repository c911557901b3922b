"""What came of forgetting: what is being erased, the receipt of each store, and where it still stands."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from titan_desktop.client import foreign, memory_words
from titan_desktop.contracts.memory import ByPerson, MemoryErased, Origin
from titan_desktop.ui.base.theme import Theme, set_tone
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.memory import words

_SHOWN = 3
_PLACES_SHOWN = 3


@dataclass
class _Forgotten:
    """One forgetting: how many facts went, and the receipt when it is there."""

    facts: int = 0
    receipt: MemoryErased | None = None


class Receipts(QFrame):
    """A panel for the latest of this window's forgettings; it stays until it is put away."""

    place_wanted = Signal(object)
    """With the origin that is to be shown."""
    put_away = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme = theme
        self._forgotten: dict[str, _Forgotten] = {}
        self._said = QLabel(self)
        self._said.setTextFormat(Qt.TextFormat.PlainText)
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton(self)
        self._close.setIconSize(QSize(16, 16))
        self._close.clicked.connect(self._put_away)
        self._stays = QLabel(self)
        self._stays.setWordWrap(True)
        self._places = QWidget(self)
        self._links = QHBoxLayout(self._places)
        self._links.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self._said)
        column.addWidget(self._stays)
        column.addWidget(self._places)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addLayout(column, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._draw_icon)
        self._draw_icon()
        self.hide()

    @property
    def text(self) -> str:
        """What is said, "" while nothing is."""
        return "" if self.isHidden() else self._said.text()

    def forgotten(self, subject_id: str, facts: int) -> None:
        """Say that facts are gone, and that what is left of them is being erased."""
        held = self._forgotten.pop(subject_id, _Forgotten())
        told_again = held.facts == facts
        self._forgotten[subject_id] = held if told_again else _Forgotten(facts)
        self._show()

    def erased(self, receipt: MemoryErased) -> None:
        """Say the receipt of something that was forgotten here."""
        if receipt.subject_id in self._forgotten:
            self._forgotten[receipt.subject_id].receipt = receipt
            self._show()

    def _put_away(self) -> None:
        self._forgotten.clear()
        self._show()
        self.put_away.emit()

    def _show(self) -> None:
        for subject_id in list(self._forgotten)[:-_SHOWN]:
            del self._forgotten[subject_id]
        receipts = [held.receipt for held in self._forgotten.values() if held.receipt is not None]
        self._said.setText("\n".join(map(_sentence, self._forgotten.values())))
        set_tone(self, "info" if all(one.complete for one in receipts) else "warning")
        self._show_places([one for receipt in receipts for one in receipt.kept_in])
        self.setVisible(bool(self._forgotten))
        self.setAccessibleName(self._said.text())

    def _show_places(self, places: list[Origin]) -> None:
        while self._links.count():
            item = self._links.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        shown = [one for one in dict.fromkeys(places) if not isinstance(one, ByPerson)][:_PLACES_SHOWN]
        for origin in shown:
            link = QToolButton(self._places)
            link.setProperty("tone", "chip")
            link.setText(foreign.sentence(words.origin(origin, "")).replace("&", "&&"))
            link.clicked.connect(lambda _=False, origin=origin: self.place_wanted.emit(origin))
            self._links.addWidget(link)
        self._links.addStretch(1)
        self._stays.setText(self.tr("It was said here, and there it stays:"))
        self._stays.setVisible(bool(shown))
        self._places.setVisible(bool(shown))

    def _draw_icon(self) -> None:
        self._close.setIcon(self._theme.icon("close"))
        said = self.tr("Put this message away")
        self._close.setToolTip(said)
        self._close.setAccessibleName(said)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._draw_icon()
            self._show()


def _sentence(held: _Forgotten) -> str:
    translate = QCoreApplication.translate
    said = translate("Memory", "Forgotten: %n fact(s).", "", held.facts)
    if held.receipt is not None:
        return f"{said} {memory_words.erased(language(), held.receipt)}"
    going_on = translate("Memory", "What is left of it in the stores is being erased…")
    return f"{said} {going_on}"
