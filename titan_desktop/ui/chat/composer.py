"""Where the person writes: a text field that grows, and the button that sends, or stops the answer."""

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QInputMethodEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPlainTextEdit, QSizePolicy, QToolButton, QWidget

from titan_desktop.client import sizes
from titan_desktop.contracts.chat import PROMPT_BYTES_MAX
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.chat.icons import send_icon, stop_icon

_LINES_MAX = 8
_COUNTER_SHARE = 0.9
"""The counter shows from this part of the limit on."""
_SEND_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptEdit(QPlainTextEdit):
    """The text field: Enter sends, Shift+Enter breaks the line."""

    send_pressed = Signal()
    stop_pressed = Signal()
    recall_pressed = Signal()
    page_pressed = Signal(int)
    focus_changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._composing = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.textChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """As many lines as the text has, from one to eight."""
        lines = max(1, min(_LINES_MAX, int(self.document().size().height())))
        spacing = QFontMetrics(self.font()).lineSpacing()
        return QSize(200, lines * spacing + 2 * int(self.document().documentMargin()) + 2)

    def minimumSizeHint(self) -> QSize:
        """Never lower than its text, up to eight lines."""
        return QSize(80, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send, stop, recall, page the list; all else is writing."""
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in _SEND_KEYS and not shift:
            if not self._composing:
                self.send_pressed.emit()
        elif event.key() in _SEND_KEYS:
            self.insertPlainText("\n")  # Qt would put U+2028 here
            self.ensureCursorVisible()
        elif event.key() == Qt.Key.Key_Escape:
            self.stop_pressed.emit()
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.recall_pressed.emit()
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.page_pressed.emit(-1 if event.key() == Qt.Key.Key_PageUp else 1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Say so: the frame shows it."""
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Say so: the frame shows it."""
        super().focusOutEvent(event)
        self.focus_changed.emit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """While an input method composes, Enter belongs to it."""
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text, and files, which become their paths."""
        return source.hasText() or source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste and drop as plain text; files as their paths, one on a line."""
        paths = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        self.textCursor().insertText("\n".join(paths) if paths else source.text())
        self.ensureCursorVisible()


class Composer(QWidget):
    """The text field in its frame, with the button and the counter."""

    prompt_submitted = Signal(str)
    stop_requested = Signal()
    page_pressed = Signal(int)
    recall_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy = False
        self._colours = Colours.of(self.palette())
        self.edit = PromptEdit(self)
        self.button = QToolButton(self)
        self.button.setFixedSize(34, 34)
        self.button.setIconSize(QSize(20, 20))
        self.counter = QLabel(self)
        self.counter.setWordWrap(True)
        self.counter.hide()
        layout = QGridLayout(self)
        layout.setContentsMargins(14, 7, 7, 7)
        layout.setVerticalSpacing(2)
        self.edit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout.addWidget(self.edit, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.button, 0, 1, Qt.AlignmentFlag.AlignBottom)
        layout.addWidget(self.counter, 1, 0, 1, 2)
        self.edit.textChanged.connect(self._refresh)
        self.edit.focus_changed.connect(self.update)
        self.edit.send_pressed.connect(self._send)
        self.edit.stop_pressed.connect(self._stop)
        self.edit.recall_pressed.connect(self.recall_requested)
        self.edit.page_pressed.connect(self.page_pressed)
        self.button.clicked.connect(self._press)
        self.setFocusProxy(self.edit)
        self._restyle()
        self._retranslate()

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001  # a setter
        """While an answer is being written the button stops it, and Enter sends nothing."""
        self._busy = busy
        self._restyle()
        self._retranslate()

    def recall(self, text: str) -> None:
        """Put a former question into the empty field, the cursor at its end; undo takes it out again."""
        if text and not self.edit.toPlainText():
            self.edit.insertPlainText(text)

    def set_draft(self, text: str) -> None:
        """Replace the text."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(QTextCursor.MoveOperation.End)

    def draft(self) -> str:
        """The text as it stands."""
        return self.edit.toPlainText()

    @property
    def is_sendable(self) -> bool:
        """Whether there is a question, not too long, and no answer is being written."""
        text = self.draft()
        return not self._busy and bool(text.strip()) and len(text.encode()) <= PROMPT_BYTES_MAX

    def _press(self) -> None:
        if self._busy:
            self.stop_requested.emit()
        else:
            self._send()
        self.edit.setFocus()

    def _stop(self) -> None:
        if self._busy:
            self.stop_requested.emit()

    def _send(self) -> None:
        if not self.is_sendable:
            return
        text = self.draft().strip()
        # Through a cursor, not clear(): so Ctrl+Z brings back what was sent by mistake.
        cursor = self.edit.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        self.prompt_submitted.emit(text)

    def _refresh(self) -> None:
        size = len(self.draft().encode())
        self.counter.setVisible(size > PROMPT_BYTES_MAX * _COUNTER_SHARE)
        if size > PROMPT_BYTES_MAX:
            words = self.tr("{size} of {limit}. Save it as a file, and ask about that.")
        else:
            words = self.tr("{size} of {limit}")
        said, limit = sizes.beside(language(), size, PROMPT_BYTES_MAX)
        self.counter.setText(words.format(size=said, limit=limit))
        colour = self._colours.danger if size > PROMPT_BYTES_MAX else self._colours.muted
        self.counter.setStyleSheet(f"color:{colour}; font-size:small;")
        self.button.setEnabled(self._busy or self.is_sendable)

    def _restyle(self) -> None:
        self._colours = colours = Colours.of(self.palette())
        palette = self.palette()
        on_accent = palette.color(QPalette.ColorRole.HighlightedText).name()
        icon = stop_icon(colours.page) if self._busy else send_icon(on_accent, colours.muted)
        self.button.setIcon(icon)
        background = colours.text if self._busy else colours.accent
        self.button.setStyleSheet(
            f"QToolButton {{ border:none; border-radius:17px; background:{background}; }}"
            f"QToolButton:disabled {{ background:{colours.line}; }}"
            f"QToolButton:focus {{ border:2px solid {colours.text}; }}"
        )
        self._refresh()
        self.update()

    def _retranslate(self) -> None:
        self.edit.setPlaceholderText(self.tr("Ask about your files…"))
        self.edit.setAccessibleName(self.tr("Your question"))
        words = self.tr("Stop the answer (Esc)") if self._busy else self.tr("Send (Enter)")
        self.button.setToolTip(words)
        self.button.setAccessibleName(words)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language and the palette."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() is QEvent.Type.PaletteChange:
            self._restyle()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """The frame around field and button."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        focused = self.edit.hasFocus()
        painter.setPen(
            QPen(QColor(self._colours.accent if focused else self._colours.line), 1.5 if focused else 1)
        )
        painter.setBrush(QColor(self._colours.page))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 20, 20)
