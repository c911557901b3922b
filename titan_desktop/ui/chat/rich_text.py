"""The text widget of the conversation: as high as its text, never scrolling, loading nothing from anywhere.

Selection, links by mouse and keyboard, and accessibility come from `QTextBrowser`. What it must not do,
opening an address or a file, is taken away here.
"""

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontDatabase,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextBlock,
    QTextCursor,
    QTextFrame,
    QTextOption,
    QTextTable,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QToolButton, QToolTip, QWidget

from titan_desktop.ui.chat.colours import Colours
from titan_desktop.ui.chat.markdown import Code, Rendered

_CODE_RADIUS = 8
_QUOTE_INDENT = 16
_WEB = frozenset({"http", "https", "mailto"})


class RichText(QTextBrowser):
    """Shows rendered Markdown or plain text at a given width."""

    web_link_clicked = Signal(str)
    source_clicked = Signal(int)
    drag_began = Signal(QPoint)
    """The left button went down on this text; global position."""
    dragged = Signal(QPoint)
    """The pointer moved with the left button down; global position."""
    menu_requested = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours = Colours.of(self.palette())
        self.codes: list[Code | None] = []
        self._copy_buttons: list[QToolButton] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.viewport().setAutoFillBackground(False)
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        self.document().setIndentWidth(26)
        self.anchorClicked.connect(self._follow)

    # Content

    def set_colours(self, colours: Colours) -> None:
        """Colours for what is shown from now on; the content has to be set again."""
        self._colours = colours
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(0, 0, 0, 0))
        palette.setColor(QPalette.ColorRole.Text, QColor(colours.text))
        palette.setColor(QPalette.ColorRole.Link, QColor(colours.link))
        self.setPalette(palette)
        self.document().setDefaultStyleSheet(_style_sheet(colours))

    def set_plain(self, text: str) -> None:
        """Show text as it is."""
        self.codes = []
        self.setPlainText(text)

    def set_rendered(self, rendered: Rendered) -> None:
        """Show rendered Markdown."""
        self.codes = list(rendered.tables)
        self.setHtml(rendered.html)

    def fit(self, width: int) -> int:
        """Lay the text out `width` pixels wide and return its height."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        self.document().setTextWidth(width)
        return int(self.document().size().height() + 0.999)

    def tables(self) -> list[QTextTable]:
        """The document's tables in reading order, inner ones after the outer."""
        found: list[QTextTable] = []
        waiting: list[QTextFrame] = [self.document().rootFrame()]
        while waiting:
            for frame in waiting.pop().childFrames():
                if isinstance(frame, QTextTable):
                    found.append(frame)
                waiting.append(frame)
        return sorted(found, key=lambda table: table.firstPosition())

    def code_areas(self) -> list[tuple[QRectF, Code]]:
        """Where the code blocks are, in the widget's pixels."""
        if not any(self.codes):
            return []
        return [
            (self._area_of(table), code)
            for table, code in zip(self.tables(), self.codes, strict=False)
            if code is not None
        ]

    def _area_of(self, table: QTextTable) -> QRectF:
        """Where a code block's table is; Qt's `frameBoundingRect` leaves the padding of the first cell out."""
        layout, cell = self.document().documentLayout(), table.cellAt(0, 0)
        padding = cell.format().toTableCellFormat()
        first = layout.blockBoundingRect(cell.firstCursorPosition().block())
        last = layout.blockBoundingRect(cell.lastCursorPosition().block())
        return QRectF(
            QPointF(first.left() - padding.leftPadding(), first.top() - padding.topPadding()),
            QPointF(self.document().textWidth(), last.bottom() + padding.bottomPadding()),
        )

    def place_copy_buttons(self) -> None:
        """One copy button in the corner of each code block."""
        areas = self.code_areas()
        while len(self._copy_buttons) < len(areas):
            self._copy_buttons.append(self._new_copy_button())
        for button in self._copy_buttons[len(areas) :]:
            button.hide()
        for button, (area, code) in zip(self._copy_buttons, areas, strict=False):
            button.setText(self.tr("Copy"))
            button.setAccessibleName(self.tr("Copy this code"))
            button.setProperty("code", code.text)
            button.adjustSize()
            button.move(int(area.right()) - button.width() - 6, int(area.top()) + 4)
            button.show()

    def _new_copy_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._copy_code(button))
        return button

    def _copy_code(self, button: QToolButton) -> None:
        QGuiApplication.clipboard().setText(str(button.property("code")))
        button.setText(self.tr("Copied"))
        right = button.geometry().right()
        button.adjustSize()
        button.move(right - button.width() + 1, button.y())

    # Selection across messages: the list asks

    def position_at(self, global_position: QPoint) -> int:
        """The character position in the document that is nearest to a point on the screen."""
        return self.cursorForPosition(self.viewport().mapFromGlobal(global_position)).position()

    def select(self, start: int, end: int) -> None:
        """Select from `start` to `end`; -1 stands for the text's end. Equal positions select nothing."""
        last = self.document().characterCount() - 1
        cursor = self.textCursor()
        cursor.setPosition(last if start < 0 else min(start, last))
        cursor.setPosition(last if end < 0 else min(end, last), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def selected_text(self) -> str:
        """The selection as plain text."""
        return self.textCursor().selection().toPlainText()

    # What is taken away, and what is passed on

    def loadResource(self, kind: int, name: QUrl | str) -> None:  # noqa: ARG002  # Qt's signature
        """Nothing is loaded, neither from the disk nor from the network."""
        return

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The list scrolls, not the text."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Links are followed by keyboard; all other keys belong to the list."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.textCursor().charFormat().isAnchor():
            super().keyPressEvent(event)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Leave copying and selecting all to the list: the text widget would take these keys for itself."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.ignore()
            return False
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The full address of a link is shown before it is clicked."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            url = QUrl(self.anchorAt(event.pos()))
            if url.scheme() in _WEB:
                QToolTip.showText(event.globalPos(), url.toDisplayString(), self)
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say that a selection may begin here."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.drag_began.emit(event.globalPosition().toPoint())
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say where a drag goes: it may leave this message."""
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPosition().toPoint())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The message's menu, in place of the text widget's own."""
        self.menu_requested.emit(event.globalPos())

    def _follow(self, url: QUrl) -> None:
        if url.scheme() == "source":
            self.source_clicked.emit(int(url.path()))
        elif url.scheme() in _WEB:
            self.web_link_clicked.emit(url.toString())

    # Painting: rounded grounds under code, a bar beside quotations

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the grounds, then the text."""
        if any(self.codes) or self._has_quotation():
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            for area, code in self.code_areas():
                self._paint_code_ground(painter, area, code)
            self._paint_quotation_bars(painter)
            painter.end()
        super().paintEvent(event)

    def _paint_code_ground(self, painter: QPainter, area: QRectF, code: Code) -> None:
        painter.setBrush(QColor(self._colours.code))
        painter.drawRoundedRect(area, _CODE_RADIUS, _CODE_RADIUS)
        painter.setPen(QColor(self._colours.muted))
        painter.drawText(QPointF(area.left() + 12, area.top() + 21), code.language)
        painter.setPen(Qt.PenStyle.NoPen)

    def _has_quotation(self) -> bool:
        return next(self._quoted_blocks(), None) is not None

    def _quoted_blocks(self) -> Iterator[QTextBlock]:
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().leftMargin() >= _QUOTE_INDENT:
                yield block
            block = block.next()

    def _paint_quotation_bars(self, painter: QPainter) -> None:
        painter.setBrush(QColor(self._colours.line))
        layout = self.document().documentLayout()
        for block in self._quoted_blocks():
            area = layout.blockBoundingRect(block)
            for level in range(int(block.blockFormat().leftMargin()) // _QUOTE_INDENT):
                painter.drawRect(QRectF(area.left() + level * _QUOTE_INDENT, area.top(), 3, area.height()))


def _style_sheet(colours: Colours) -> str:
    code = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    return f"""
        p {{ margin-top:0px; margin-bottom:10px; line-height:135%; }}
        li {{ margin-bottom:4px; line-height:130%; }}
        ul, ol {{ margin-top:0px; margin-bottom:10px; }}
        h1 {{ font-size:x-large; margin-top:14px; margin-bottom:8px; }}
        h2 {{ font-size:large; margin-top:14px; margin-bottom:8px; }}
        h3, h4 {{ font-size:medium; margin-top:10px; margin-bottom:6px; }}
        blockquote {{ margin-left:{_QUOTE_INDENT}px; margin-right:0px; color:{colours.muted}; }}
        a {{ color:{colours.link}; text-decoration:none; }}
        code {{ font-family:"{code}"; background-color:{colours.code}; }}
        pre {{ font-family:"{code}"; white-space:pre-wrap; margin-top:0px; margin-bottom:0px; }}
        th {{ font-weight:600; }}
    """
