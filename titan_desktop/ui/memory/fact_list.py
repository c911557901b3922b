"""The list of facts: its keys, and its menu."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from titan_desktop.contracts.memory import Fact
from titan_desktop.ui.base.page_list import PageList
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.memory import words
from titan_desktop.ui.memory.deeds import Deed, possible
from titan_desktop.ui.memory.fact_delegate import FactDelegate
from titan_desktop.ui.memory.facts_model import FACT_ROLE, FactModel

_IN_MENU = (
    (Deed.OPEN,),
    (Deed.ACCEPT, Deed.REFUSE, Deed.ACCEPT_ALL, Deed.REFUSE_ALL),
    (Deed.CORRECT, Deed.CLOSE, Deed.PIN, Deed.UNPIN),
    (Deed.FORGET, Deed.FORGET_SUBJECT),
)
_KEYS = {Qt.Key.Key_F2: (Deed.CORRECT,), Qt.Key.Key_Delete: (Deed.REFUSE, Deed.FORGET)}
"""The first that is possible is meant."""


class FactList(PageList):
    """Shows a `FactModel`."""

    wanted = Signal(object, object)
    """With a `Deed` and the fact that it is wanted of."""
    chosen = Signal()
    """Another fact is the current one, or none."""

    def __init__(self, model: FactModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        # It filters nothing: it spares the list, which makes an index for each row at every change, the calls into
        # Python (QAbstractListModel.index asks rowCount).
        self._shown = QSortFilterProxyModel(self)
        self._shown.setSourceModel(model)
        self.setModel(self._shown)
        self.setItemDelegate(FactDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.doubleClicked.connect(lambda _index: self._want(Deed.OPEN))
        self.entered.connect(lambda control: self._want(Deed.ACCEPT if control else Deed.OPEN))
        model.modelReset.connect(self._choose_first)

    @property
    def current(self) -> Fact | None:
        """The fact that is chosen."""
        index = self.currentIndex()
        found: Fact | None = index.data(FACT_ROLE) if index.isValid() else None
        return found

    def _choose_first(self) -> None:
        self.setCurrentIndex(self.first())
        self.scrollToTop()

    def _want(self, *deeds: Deed) -> None:
        fact = self.current
        deed = next((deed for deed in deeds if fact is not None and deed in possible(fact)), None)
        if deed is not None:
            self.wanted.emit(deed, fact)

    def currentChanged(
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Say that another fact is the current one."""
        super().currentChanged(current, previous)
        self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 corrects, Del forgets or refuses."""
        if event.key() in _KEYS and not event.modifiers():
            self._want(*_KEYS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the fact under the pointer, or with the chosen one."""
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            index = self.indexAt(event.pos())
            if not index.isValid():
                return
            self.setCurrentIndex(index)
        fact = self.current
        if fact is None:
            return
        self.menu_of(fact).popup(event.globalPos())

    def menu_of(self, fact: Fact) -> QMenu:
        """Return a menu of what can be done with a fact; it is gone when it closes."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for group in _IN_MENU:
            for deed in group:
                if deed in possible(fact):
                    action = menu.addAction(words.deed(deed, fact).replace("&", "&&"))
                    action.triggered.connect(lambda _=False, deed=deed: self.wanted.emit(deed, fact))
            menu.addSeparator()
        return menu

    def changeEvent(self, event: QEvent) -> None:
        """Word the details in the new language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self.viewport().update()
