"""The buttons for the fact that is chosen; what is rarer stands in a menu."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from titan_desktop.contracts.memory import Fact
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.memory import words
from titan_desktop.ui.memory.deeds import Deed, possible

_BUTTONS = (Deed.ACCEPT, Deed.REFUSE, Deed.CORRECT, Deed.PIN, Deed.UNPIN, Deed.FORGET)
_IN_PLACE = {Deed.PIN: Deed.UNPIN, Deed.UNPIN: Deed.PIN}
_NOT_OF_PROPOSALS = frozenset({Deed.CORRECT, Deed.FORGET})


class FactBar(QWidget):
    """Shows what can be done with a fact."""

    wanted = Signal(object, object)
    """With a `Deed` and the fact."""
    menu_wanted = Signal(object)
    """With the fact whose menu is to open at `menu_button`."""
    focus_left = Signal()
    """What had the keyboard went away, and nothing took its place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._fact: Fact | None = None
        self.buttons = {deed: QPushButton(self) for deed in _BUTTONS}
        self.menu_button = QPushButton(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for deed, button in self.buttons.items():
            button.clicked.connect(lambda _=False, deed=deed: self.wanted.emit(deed, self._fact))
            row.addWidget(button)
        row.addWidget(self.menu_button)
        row.addStretch(1)
        for button in (*self.buttons.values(), self.menu_button):
            button.setAutoDefault(True)
        self.menu_button.clicked.connect(lambda: self.menu_wanted.emit(self._fact))
        set_tone(self.buttons[Deed.ACCEPT], "primary")
        set_tone(self.buttons[Deed.FORGET], "danger")
        self.show_fact(None)
        self._retranslate()

    def show_fact(self, fact: Fact | None) -> None:
        """Show what can be done with a fact; with None there is none."""
        focused = self.window().focusWidget()
        self._fact = fact
        deeds = possible(fact) if fact is not None else frozenset()
        if Deed.ACCEPT in deeds:
            deeds -= _NOT_OF_PROPOSALS  # in the menu
        for deed, button in self.buttons.items():
            button.setVisible(deed in deeds)
        self.setVisible(fact is not None)
        if focused is not None and self.isAncestorOf(focused) and not focused.isVisibleTo(self.window()):
            self._pass_on(focused)

    def _pass_on(self, focused: QWidget) -> None:
        """Where a button has gone, the one that stands in its place has the keyboard."""
        places = {self.buttons[one]: self.buttons[other] for one, other in _IN_PLACE.items()}
        other = next((other for one, other in places.items() if one is focused), None)
        if other is not None and other.isVisibleTo(self.window()):
            other.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.focus_left.emit()

    def _retranslate(self) -> None:
        for deed, button in self.buttons.items():
            button.setText(words.deed(deed, None))
        self.menu_button.setText(self.tr("More…"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
