"""The text widget of the conversation: as high as its text, never scrolling, loading nothing from anywhere.

Selection, links by mouse and keyboard, and accessibility come from `QTextBrowser`. What it must not do,
opening an address or a file, is taken away here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QTextCursor,
    QTextDocument,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QToolButton, QToolTip, QWidget

from titan_desktop.client import foreign
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.tooltip import tip
from titan_desktop.ui.chat import links, styles
from titan_desktop.ui.chat.deferred_highlight import DeferredHighlight
from titan_desktop.ui.chat.html_writer import (
    CODE_INDENT,
    CODE_TOP,
    ITEM_GAP,
    QUOTE_INDENT,
    Code,
    Rendered,
)

_CODE_RADIUS = 8
_CODE_HEAD, _CODE_FOOT = 32, 12
COPIED_MS = 1500
"""For so long a button says that it has copied."""
_SEPARATOR = re.compile("[\u2028\u2029\ufdd0\ufdd1]")
_BEGINS = re.compile(f"(^|\u2029){ITEM_GAP}")


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
        self.codes: list[Code] = []
        self.deferred_highlight = DeferredHighlight(self)
        self._may_quote = False
        self._settled_blocks = 0
        self._settled_grounds = _Settled()
        self._code_areas: list[QRectF] = []
        self._quote_bars: list[QRectF] = []
        self._copy_buttons: list[QToolButton] = []
        self._focused: links.Link | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
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
        self._dress()
        gap = self.fontMetrics().horizontalAdvance(ITEM_GAP)
        self.document().setDefaultStyleSheet(styles.document(colours, gap))

    def _dress(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(0, 0, 0, 0))
        palette.setColor(QPalette.ColorRole.Text, QColor(self._colours.text))
        palette.setColor(QPalette.ColorRole.Link, QColor(self._colours.link))
        self.setPalette(palette)

    def changeEvent(self, event: QEvent) -> None:
        """Keep to the colours: a new style sheet brings back the palette from before the former one."""
        super().changeEvent(event)
        is_undressed = self.palette().color(QPalette.ColorRole.Text).name() != self._colours.text
        if is_undressed and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._dress()

    def set_plain(self, text: str) -> None:
        """Show text as it is."""
        self.deferred_highlight.cancel()
        self._focused = None
        self.note([], quotes=False)
        text = foreign.text(text)
        self.document().setPlainText(
            text
        )  # the widget's own would keep the look of the text before, as of code

    def set_rendered(self, rendered: Rendered) -> None:
        """Show rendered Markdown."""
        self.deferred_highlight.cancel()
        self._focused = None
        self.note(rendered.codes, quotes="<blockquote" in rendered.html)
        self.setHtml(rendered.html)

    def note(self, codes: Iterable[Code], *, quotes: bool, settled: int = 0) -> None:
        """Say what the document, that somebody fills, has in it: code blocks, and quotations perhaps.

        The first `settled` text blocks stay as they are while the text grows.
        """
        self.codes, self._may_quote, self._settled_blocks = list(codes), quotes, settled
        if not settled:
            self._settled_grounds = _Settled()

    def fit(self, width: int) -> int:
        """Lay the text out `width` pixels wide and return its height."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        self._leave_room_above()
        if self.document().textWidth() != width:  # setting it lays everything out anew, even to the same
            self.document().setTextWidth(width)
        if self.codes or self._may_quote:
            self._find_grounds()
        else:
            self._code_areas, self._quote_bars = [], []
        # The document's height leaves the last margin out, and in it the foot of code that stands at the end.
        code_bottom = self._code_areas[-1].bottom() if self._code_areas else 0.0
        return ceil(max(self.document().size().height(), code_bottom))

    def _leave_room_above(self) -> None:
        """Make room for the head of code that begins the text: Qt gives the first block no margin."""
        frame = self.document().rootFrame()
        form = frame.frameFormat()
        first = self.document().begin().blockFormat()
        room = CODE_TOP if int(first.leftMargin()) % QUOTE_INDENT == CODE_INDENT else 0
        if form.topMargin() != room:
            form.setTopMargin(room)
            frame.setFrameFormat(form)

    def code_areas(self) -> list[QRectF]:
        """Where the code blocks are, in the widget's pixels and in the order of `codes`."""
        return self._code_areas

    def code_starts(self, position: int) -> list[int]:
        """The numbers of the text blocks in which code begins, from a position in the document on."""
        starts = []
        block = self.document().findBlock(position)
        while block.isValid():
            form = block.blockFormat()
            if form.topMargin() > 0 and int(form.leftMargin()) % QUOTE_INDENT == CODE_INDENT:
                starts.append(block.blockNumber())
            block = block.next()
        return starts

    def _find_grounds(self) -> None:
        """Look up where code and quotations are: once a layout, not at each painting."""
        known, width = self._settled_grounds, self.document().textWidth()
        if known.width != width:
            known = _Settled(width)
        del self._code_areas[known.codes :], self._quote_bars[known.bars :]
        block, layout = self.document().findBlockByNumber(known.blocks), self.document().documentLayout()
        while block.isValid():
            if block.blockNumber() == self._settled_blocks:
                self._settled_grounds = _Settled(
                    width, self._settled_blocks, len(self._code_areas), len(self._quote_bars)
                )
            form = block.blockFormat()
            left = int(form.leftMargin())
            if left:
                area = layout.blockBoundingRect(block)
                for level in range(left // QUOTE_INDENT):
                    x = area.left() + level * QUOTE_INDENT
                    self._quote_bars.append(QRectF(x, area.top(), 3, area.height()))
                if left % QUOTE_INDENT == CODE_INDENT:
                    begins = form.topMargin() > 0 or not self._code_areas
                    self._note_code_line(area, area.left() + left - CODE_INDENT, begins=begins)
            block = block.next()

    def _note_code_line(self, line: QRectF, left: float, *, begins: bool) -> None:
        if begins:
            background = QRectF(left, line.top() - _CODE_HEAD, self.document().textWidth() - left, 0)
            self._code_areas.append(background)
        self._code_areas[-1].setBottom(line.bottom() + _CODE_FOOT)

    def place_copy_buttons(self) -> None:
        """One copy button in the corner of each code block."""
        areas = list(zip(self._code_areas, self.codes, strict=False))
        while len(self._copy_buttons) < len(areas):
            self._copy_buttons.append(self._new_copy_button())
        for button in self._copy_buttons[len(areas) :]:
            button.hide()
        for button, (area, code) in zip(self._copy_buttons, areas, strict=False):
            button.setText(self.tr("Copy"))
            button.setAccessibleName(self.tr("Copy this code"))
            button.setProperty("code", code.text)
            styles.dress(button, styles.code_button(self._colours))
            button.adjustSize()
            button.move(int(area.right()) - button.width() - 6, int(area.top()) + 5)
            button.show()

    def _new_copy_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._copy_code(button))
        return button

    def _copy_code(self, button: QToolButton) -> None:
        QGuiApplication.clipboard().setText(str(button.property("code")))
        button.setText(self.tr("Copied"))
        right = button.geometry().right()
        button.adjustSize()
        button.move(right - button.width() + 1, button.y())
        QTimer.singleShot(COPIED_MS, button, self.place_copy_buttons)

    # Links by keyboard: the list asks

    def link_areas(self) -> list[QRect]:
        """Where the links stand, in the widget's pixels and in reading order."""
        found = []
        for link in links.links(self.document()):
            whole = QRectF()
            for area in links.areas(self.document(), link):
                whole |= area
            found.append(whole.toAlignedRect())
        return found

    @property
    def focused_link(self) -> int | None:
        """The number of the link that Enter follows, None for none."""
        found = links.links(self.document()) if self._focused is not None else []
        return found.index(self._focused) if self._focused in found else None

    def focus_link(self, number: int | None) -> None:
        """Have Enter follow a link, and draw a ring around it."""
        self._focused = None if number is None else links.links(self.document())[number]
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No link is meant any more, unless only the window went into the background."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self.focus_link(None)

    # Selection across messages: the list asks

    def position_at(self, global_position: QPoint) -> int:
        """The character position in the document that is nearest to a point on the screen."""
        return self.cursorForPosition(self.viewport().mapFromGlobal(global_position)).position()

    def select(self, start: int, end: int) -> None:
        """Select from `start` to `end`; -1 stands for the text's end. Equal positions select nothing."""
        self.setTextCursor(_spanned(self.textCursor(), start, end))

    def selected_text(self) -> str:
        """The selection as plain text."""
        return _plain(self.textCursor().selectedText())

    def plain_text(self) -> str:
        """The whole text without its marks."""
        return _plain(self.document().toRawText())

    # What is taken away, and what is passed on

    def loadResource(self, kind: int, name: QUrl | str) -> None:  # noqa: ARG002  # Qt's signature
        """Nothing is loaded, neither from the disk nor from the network."""
        return

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The list scrolls, not the text."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Links are followed by keyboard; all other keys belong to the list."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._focused is not None:
            self._follow(QUrl(self._focused.address))
        else:
            event.ignore()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001  # Qt's signature
        """Tab belongs to the list: a text browser would go through its links."""
        return QWidget.focusNextPrevChild(self, next)

    def event(self, event: QEvent) -> bool:
        """Leave copying and selecting all to the list: the text widget would take these keys for itself."""
        if event.type() is QEvent.Type.ShortcutOverride:
            event.ignore()
            return False
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The full address of a link is shown before it is clicked."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            url = links.safe(self.anchorAt(event.pos()))
            if url is not None:
                QToolTip.showText(event.globalPos(), tip(links.shown_address(url)), self)
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say that a selection may begin here."""
        self.focus_link(None)
        if event.button() is Qt.MouseButton.LeftButton:
            self.drag_began.emit(event.globalPosition().toPoint())
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A selection of a word begins."""
        self.drag_began.emit(event.globalPosition().toPoint())
        super().mouseDoubleClickEvent(event)

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
        elif links.safe(url.toString()) is not None:
            self.web_link_clicked.emit(url.toString())

    # Painting: rounded grounds under code, a bar beside quotations

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the grounds, then the text."""
        if self._code_areas or self._quote_bars:
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            for area, code in zip(self._code_areas, self.codes, strict=False):
                if area.intersects(QRectF(event.rect())):
                    self._paint_code_ground(painter, area, code)
            painter.setBrush(QColor(self._colours.line))
            painter.drawRects(self._quote_bars)
            painter.end()
        super().paintEvent(event)
        if self._focused is not None:
            self._paint_ring(links.areas(self.document(), self._focused))

    def _paint_ring(self, areas: Iterable[QRectF]) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._colours.accent), 2))
        room = QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1)
        for area in areas:
            painter.drawRoundedRect(area.adjusted(-3, -2, 3, 2) & room, 4, 4)

    def _paint_code_ground(self, painter: QPainter, area: QRectF, code: Code) -> None:
        painter.setBrush(QColor(self._colours.code))
        painter.drawRoundedRect(area, _CODE_RADIUS, _CODE_RADIUS)
        painter.setPen(QColor(self._colours.muted))
        painter.drawText(QPointF(area.left() + 12, area.top() + 21), code.language)
        painter.setPen(Qt.PenStyle.NoPen)


def cut(document: QTextDocument, start: int, end: int) -> str:
    """The plain text of a document from `start` to `end`, as `RichText.select` takes them."""
    return _plain(_spanned(QTextCursor(document), start, end).selectedText())


def _spanned(cursor: QTextCursor, start: int, end: int) -> QTextCursor:
    last = cursor.document().characterCount() - 1
    cursor.setPosition(last if start < 0 else min(start, last))
    cursor.setPosition(last if end < 0 else min(end, last), QTextCursor.MoveMode.KeepAnchor)
    return cursor


@dataclass(frozen=True)
class _Settled:
    """How many grounds stand in the text blocks that do not change any more, at a width."""

    width: float = -1.0
    blocks: int = 0
    codes: int = 0
    bars: int = 0


def _plain(raw: str) -> str:
    """A document's characters as text: its separators (QTextDocument.toRawText), and what begins an item."""
    return _SEPARATOR.sub("\n", _BEGINS.sub(r"\1", raw)).replace("\u00a0", " ")
