"""The list of results, with the keys that it shares with the field above it."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QWidget

from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.search.result_delegate import ResultDelegate
from titan_desktop.ui.search.results import ROW_ROLE, Hit, ResultModel

_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class ResultList(QListView):
    """Shows a `ResultModel`."""

    opened = Signal(object)
    """With the source that is to be opened."""
    folder_wanted = Signal(object)
    """With the source whose folder is to be shown."""
    typed = Signal(str)
    """The person goes on typing: the field is meant."""
    left_upwards = Signal()
    """Up was pressed on the first result."""

    def __init__(self, model: ResultModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(ResultDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.clicked.connect(self.open_index)
        model.modelReset.connect(self._choose_first)

    def source(self, index: QModelIndex) -> object:
        """The source of a row, None for none."""
        found: Hit | None = index.data(ROW_ROLE) if index.isValid() else None
        return None if found is None else found.source

    def open_index(self, index: QModelIndex) -> None:
        """Open a result."""
        source = self.source(index)
        if source is not None:
            self.opened.emit(source)

    def open_current(self, *, folder: bool) -> None:
        """Open the current result, or show its folder."""
        source = self.source(self.currentIndex())
        if source is not None:
            (self.folder_wanted if folder else self.opened).emit(source)

    def _choose_first(self) -> None:
        self.setCurrentIndex(self._model.first())
        self.scrollToTop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, with Ctrl it shows the folder; Up on the first one and letters go to the field."""
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() in _ENTER:
            self.open_current(folder=control)
        elif event.key() == Qt.Key.Key_Up and self.currentIndex() == self._model.first():
            self.left_upwards.emit()
        elif not control and event.text().isprintable() and event.text().strip():
            self.typed.emit(event.text())
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()  # the page's
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What can be done with the result under the pointer, or with the current one."""
        at = (
            self.indexAt(event.pos())
            if event.reason() is QContextMenuEvent.Reason.Mouse
            else self.currentIndex()
        )
        source = self.source(at)
        if source is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Open")).triggered.connect(lambda: self.opened.emit(source))
        if isinstance(source, FilePassage):
            menu.addAction(self.tr("Show in folder")).triggered.connect(
                lambda: self.folder_wanted.emit(source)
            )
        menu.popup(event.globalPos())
