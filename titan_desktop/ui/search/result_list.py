"""The list of results: what opens them, and their menu."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QMenu, QWidget

from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ui.base.page_list import PageList
from titan_desktop.ui.search.result_delegate import ResultDelegate
from titan_desktop.ui.search.results import ROW_ROLE, Hit, ResultModel


class ResultList(PageList):
    """Shows a `ResultModel`."""

    opened = Signal(object)
    """With the source that is to be opened."""
    folder_wanted = Signal(object)
    """With the source whose folder is to be shown."""

    def __init__(self, model: ResultModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(ResultDelegate(self))
        self.clicked.connect(self.open_index)
        self.entered.connect(lambda control: self.open_current(folder=control))
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
        self.setCurrentIndex(self.first())
        self.scrollToTop()

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
