"""One row of the conversation: a question in its bubble, or an answer with its state and its sources.

The list makes a few of these and fills them with the messages that come into view; what must outlive that
(what is unfolded) is given to it. It shows and emits, and decides nothing.
"""

from PySide6.QtCore import QDateTime, QEvent, QLocale, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QGuiApplication,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from titan_desktop.client import foreign
from titan_desktop.contracts.chat import OF_PASSAGES, AnswerKind, Message, Role, State
from titan_desktop.contracts.faults import Fault
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.passage import word_pattern
from titan_desktop.ui.chat import sentences, styles
from titan_desktop.ui.chat.caption import Caption
from titan_desktop.ui.chat.growth import Growth
from titan_desktop.ui.chat.markdown import render
from titan_desktop.ui.chat.rich_text import COPIED_MS, RichText
from titan_desktop.ui.chat.sources import SourceList, Unfolded
from titan_desktop.ui.chat.thoughts import ThoughtsRow
from titan_desktop.ui.chat.typing_dots import TypingDots

_GROWING = frozenset({State.WAITING, State.STREAMING})
_BUBBLE_PAD_X, _BUBBLE_PAD_Y, _BUBBLE_RADIUS = 16, 11, 16
_BUBBLE_SHARE = 0.82
_ROW_GAP = 22
_PART_GAP = 8
_BOX_PAD = 12
_LINE = 20


class MessageWidget(QWidget):
    """Shows one message at a given width; `show_message` may be called again with another."""

    height_changed = Signal(object)
    """With the widget: it is another height now, without a change in the model."""
    toggled = Signal(object)
    """With the widget: the person unfolded or folded something in it, and it is another height now."""
    retry_requested = Signal(str)
    go_on_requested = Signal(str)
    thoughts_wanted = Signal(str)
    """With the id of the answer whose thoughts were unfolded."""
    fact_activated = Signal(object)
    source_activated = Signal(str)
    link_activated = Signal(str)
    menu_requested = Signal(object, object, QPoint)
    """With itself, the text that the menu is about, and a point on the screen."""
    focus_changed = Signal()
    """The keyboard's focus came to the message itself, or left it."""
    text_made = Signal(object, object)
    """With itself and one of its texts: what is selected in it belongs to the list's selection."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.message: Message | None = None
        self._question = ""
        self._searched = sentences.Searched()
        self._pending = False
        self._colours = Colours.of(self.palette())
        self.unfolded = Unfolded()
        self._width = 0
        self._bubble = QRectF()
        self._box = QRectF()
        self.body = RichText(self)
        self._growth = Growth(self.body)
        self._growth.changed.connect(self._tell_height)
        self._dots = TypingDots(self)
        self._notice = Caption(self)
        self._detail = Caption(self)
        self._origin = QLabel(self)
        self.sources = SourceList(self)
        self.thoughts = ThoughtsRow(self)
        self.go_on = self._button(self._go_on)
        self.copy = self._button(self._copy)
        self.retry = self._button(self._retry)
        self.settings = self._button(lambda: self.link_activated.emit(sentences.SETTINGS_URL))
        self.body.web_link_clicked.connect(self.link_activated)
        self.body.source_clicked.connect(self._unfold)
        self._pass_menu_on(self.body)
        for caption in self.captions:
            self._pass_menu_on(caption)
        self.sources.source_activated.connect(self.source_activated)
        self.sources.fact_activated.connect(self.fact_activated)
        self.sources.changed.connect(self._tell_toggled)
        self.sources.passage_made.connect(self._adopt)
        self.thoughts.wanted.connect(self._want_thoughts)
        self.thoughts.toggled.connect(self.refresh_thoughts)

    def _button(self, slot: object) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it is reached by arrow keys
        button.clicked.connect(slot)
        return button

    def _adopt(self, passage: RichText) -> None:
        self._pass_menu_on(passage)
        self.text_made.emit(self, passage)

    def _pass_menu_on(self, text: RichText | Caption) -> None:
        text.menu_requested.connect(lambda place: self.menu_requested.emit(self, text, place))

    @property
    def captions(self) -> tuple[Caption, ...]:
        """The sentences beside the text."""
        return self._notice, self._detail, self.thoughts.text

    def parts(self) -> dict[int, RichText]:
        """The texts that can be read now, in reading order: 0 is the message's own, N the passage of source N."""
        return ({} if self.body.isHidden() else {0: self.body}) | self.sources.passages()

    # Content

    def set_look(self, colours: Colours, searched: sentences.Searched) -> None:
        """Colours, and where Titan searches, for the messages shown from now on."""
        self._colours, self._searched = colours, searched
        self._dots.colour = colours.muted
        self.body.set_colours(colours)
        self.message = None

    def show_message(
        self, message: Message, question: str, unfolded: Unfolded, width: int, *, pending: bool
    ) -> int:
        """Show a message `width` pixels wide and return the row's height.

        `question` is what an answer answers: its words are marked in the passages. `unfolded` is what the person
        has unfolded in this message. A `pending` question is not stored yet.
        """
        held = self.message
        changed = (
            message is not held
            or pending != self._pending
            or question != self._question
            or unfolded is not self.unfolded
        )
        if not changed and width == self._width:
            return self.height()
        self.message, self._question, self._pending = message, question, pending
        self.unfolded, self._width = unfolded, width
        if changed:
            self._show_body(message, held)
            self._show_parts(message)
        return self._lay_out()

    def park(self) -> None:
        """The row went out of view."""
        self._growth.stop()
        self._dots.hide()
        self.hide()

    def wake(self) -> None:
        """The row came into view."""
        state = self.message.state if self.message else State.COMPLETE
        self._dots.setVisible(state is State.WAITING)
        if state is State.STREAMING:
            self._growth.resume()
        self.show()

    def _show_body(self, message: Message, held: Message | None) -> None:
        if message.role is Role.USER:
            self.body.set_plain(message.text)
        elif _continues(message, held):
            if message.state is State.STREAMING:
                self._growth.grow(message.text)
            else:
                self._growth.finish(message.text)
        elif message.state in _GROWING:
            self._growth.begin(message.text, self._colours, len(message.sources))
        else:
            self._growth.stop()
            self.body.set_rendered(render(message.text, self._colours, len(message.sources)))
        self.body.setVisible(bool(message.text))
        self.body.setAccessibleName(
            self.tr("Your question") if message.role is Role.USER else self.tr("Titan's answer")
        )

    def _show_parts(self, message: Message) -> None:
        answer, growing = message.role is Role.ASSISTANT, message.state in _GROWING
        self._dots.setVisible(message.state is State.WAITING)
        notice, detail = self._notice_of(message)
        self._notice.setText(notice)
        self._notice.setVisible(bool(notice))
        failed = message.state is State.FAILED
        is_alarm = failed and message.fault is not Fault.CUT_OFF
        styles.dress(self._notice, f"color:{self._colours.danger if is_alarm else self._colours.muted};")
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        styles.dress(self._detail, f"color:{self._colours.muted}; font-size:small;")
        styles.dress(self._origin, f"color:{self._colours.muted}; font-size:small;")
        self._show_origin()
        for button in (self.go_on, self.retry, self.settings, self.copy):
            styles.dress(button, styles.button(self._colours, framed=button is not self.copy))
        self.go_on.setText(self.tr("Go on"))
        self.go_on.setVisible(failed and bool(message.text.strip()))
        self.retry.setText(self.tr("Try again"))
        self.retry.setVisible(failed or message.state is State.STOPPED)
        self.settings.setText(self.tr("Open settings"))
        unconnected = answer and not growing and message.kind is not AnswerKind.MODEL
        self.settings.setVisible((failed and sentences.cured_in_settings(message.fault)) or unconnected)
        self.copy.setText(self.tr("Copy"))
        self.copy.setToolTip(self.tr("Copy the answer"))
        self.copy.setAccessibleName(self.tr("Copy the answer"))
        self.copy.setVisible(answer and not growing and bool(message.text))
        self._show_thoughts(message)
        has_sources = answer and not growing and bool(message.sources)
        self.sources.setVisible(has_sources)
        if has_sources:
            self.sources.show_sources(
                message.sources,
                self.unfolded,
                word_pattern(self._question),
                self._colours,
                passages=message.kind in OF_PASSAGES,
            )

    def _show_thoughts(self, message: Message) -> None:
        has_some = message.thoughts > 0 and (message.state is not State.WAITING or bool(message.text))
        self.thoughts.setVisible(has_some)
        if has_some:
            self.thoughts.show_thoughts(message, self.unfolded, self._colours)

    def refresh_thoughts(self) -> None:
        """Show what `unfolded` says of the thoughts now: they were unfolded or folded, or have come."""
        if self.message is not None:
            self._show_thoughts(self.message)
            self._tell_toggled()

    def _show_origin(self) -> None:
        """Which model wrote this; under the pointer also when."""
        message = self.message
        if message is None or self._pending or message.state in _GROWING:
            self._origin.setText("")
            return
        when = QDateTime.fromString(message.created_at, Qt.DateFormat.ISODateWithMs).toLocalTime()
        words = (
            [foreign.isolated(message.model)] if message.kind is AnswerKind.MODEL and message.model else []
        )
        if self.underMouse() and when.isValid():
            words.append(QLocale().toString(when, QLocale.FormatType.ShortFormat))
        self._origin.setText(" · ".join(words))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Say when this was written."""
        super().enterEvent(event)
        self._show_origin()

    def leaveEvent(self, event: QEvent) -> None:
        """Say it no longer."""
        super().leaveEvent(event)
        self._show_origin()

    def _notice_of(self, message: Message) -> tuple[str, str]:
        """The sentence about the message's state, and small print below it."""
        words = detail = ""
        if self._pending:
            words = self.tr("Sending…")
        elif message.state is State.WAITING:
            words = self._progress_of(message)
        elif message.state is State.STOPPED:
            words = self.tr("Stopped")
        elif message.state is State.FAILED:
            words, detail = sentences.fault_sentence(message.fault), message.fault_detail
        elif message.kind is AnswerKind.PASSAGES:
            words, detail = self.tr("Found in your files:"), sentences.connect_hint()
        elif message.kind is AnswerKind.NEAREST:
            words, detail = sentences.nearest_only(), sentences.connect_hint()
        elif message.kind is AnswerKind.NOTHING:
            words, detail = sentences.nothing_found(self._searched), sentences.connect_hint()
        return words, detail

    def _progress_of(self, message: Message) -> str:
        if message.thoughts and not message.text:
            return self.tr("Thinking…")
        return self.tr("Writing an answer…") if message.sources else self.tr("Looking in your files…")

    # Layout

    def _lay_out(self) -> int:
        message = self.message
        if message is None:
            return 0
        self._bubble, self._box = QRectF(), QRectF()
        height = self._lay_out_question() if message.role is Role.USER else self._lay_out_answer(message)
        height += _ROW_GAP
        self.resize(self._width, height)
        self.update()
        return height

    def _lay_out_question(self) -> int:
        widest = int(self._width * _BUBBLE_SHARE) - 2 * _BUBBLE_PAD_X
        self.body.fit(widest)
        self.body.place_copy_buttons()  # a question has none, the text that stood here before may have had some
        inner = min(widest, int(self.body.document().idealWidth()) + 2)
        height = self.body.fit(inner)
        left = self._width - inner - 2 * _BUBBLE_PAD_X
        self._bubble = QRectF(left, 0, inner + 2 * _BUBBLE_PAD_X, height + 2 * _BUBBLE_PAD_Y)
        self.body.setGeometry(left + _BUBBLE_PAD_X, _BUBBLE_PAD_Y, inner, height)
        self._origin.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._origin.show()
        self._origin.setGeometry(0, 0, max(0, left - _PART_GAP), min(height, _LINE) + 2 * _BUBBLE_PAD_Y)
        y = height + 2 * _BUBBLE_PAD_Y
        if not self._notice.isHidden():
            size = self._notice.sizeHint()
            self._notice.setGeometry(self._width - size.width() - 4, y + 4, size.width(), size.height())
            y += size.height() + 4
        return y

    def _lay_out_answer(self, message: Message) -> int:
        y = 0
        if not self.thoughts.isHidden():
            height = self.thoughts.fit(self._width)
            self.thoughts.setGeometry(0, 0, self._width, height)
            y = height + _PART_GAP // 2
        if not self.body.isHidden():
            height = self.body.fit(self._width)
            self.body.setGeometry(0, y, self._width, height)
            self.body.place_copy_buttons()
            y += height
        passages = message.kind in OF_PASSAGES and message.state is State.COMPLETE
        if message.state is State.WAITING:
            self._dots.setGeometry(0, y, 36, 24)
            self._notice.setGeometry(44, y, self._width - 44, 24)
            return y + 24
        if passages:
            y = self._place_label(self._notice, 0, y, self._width)
            y = self._place_sources(y)
            y = self._place_label(self._detail, 0, y + _PART_GAP, self._width)
            return self._place_buttons(0, y)
        if message.state is State.FAILED and message.fault is not Fault.CUT_OFF:
            y = self._place_failure(y)
        else:
            gap = _PART_GAP // 2 if y and message.state is State.FAILED else 0
            y = self._place_label(self._notice, 0, y + gap, self._width)
            y = self._place_label(self._detail, 0, y, self._width)
            y = self._place_buttons(0, y)
        return self._place_sources(y)

    def _place_failure(self, y: int) -> int:
        top = y + (_PART_GAP if y else 0)
        inner = self._width - 2 * _BOX_PAD
        y = self._place_label(self._notice, _BOX_PAD, top + _BOX_PAD, inner)
        y = self._place_label(self._detail, _BOX_PAD, y, inner)
        y = self._place_buttons(_BOX_PAD, y + 2)
        self._box = QRectF(0.5, top + 0.5, self._width - 1, y + _BOX_PAD - top - 4)
        return y + _BOX_PAD

    def _place_label(self, label: Caption, x: int, y: int, width: int) -> int:
        if label.isHidden():
            return y
        height = label.heightForWidth(width)
        label.setGeometry(x, y, width, height)
        return y + height + _PART_GAP // 2

    def _place_buttons(self, x: int, y: int) -> int:
        buttons = (self.go_on, self.retry, self.settings, self.copy)
        shown = [button for button in buttons if not button.isHidden()]
        for button in shown:
            size = button.sizeHint()
            button.setGeometry(
                x - (7 if button is self.copy and x == 0 else 0), y + 2, size.width(), size.height()
            )
            x += size.width() + 6
        self._origin.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        if shown:
            self._origin.setGeometry(x, y + 2, self._width - x, shown[-1].height())
        self._origin.setVisible(bool(shown))
        return y + shown[0].height() + _PART_GAP if shown else y

    def _place_sources(self, y: int) -> int:
        if self.sources.isHidden():
            return y
        height = self.sources.fit(self._width)
        self.sources.setGeometry(0, y + 2, self._width, height)
        return y + 2 + height

    def _tell_height(self) -> None:
        self._lay_out()
        self.height_changed.emit(self)

    def _tell_toggled(self) -> None:
        self._lay_out()
        self.toggled.emit(self)

    def area(self) -> QRect:
        """Where the message stands on its parent: a question's bubble, or an answer without the gap below it."""
        if not self._bubble.isNull():
            return self._bubble.toAlignedRect().translated(self.pos())
        return self.geometry().adjusted(0, 0, 0, -_ROW_GAP)

    def describe(self) -> None:
        """Have a screen reader say the whole message when the keyboard comes to it."""
        self.setAccessibleName(self.body.accessibleName())
        texts = [text.plain_text() for text in self.parts().values()]
        said = [caption.text() for caption in self.captions if caption.isVisible()]
        self.setAccessibleDescription("\n".join(texts + said))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The list draws the ring, since there is no room for it here."""
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take it away."""
        super().focusOutEvent(event)
        self.focus_changed.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the message, by the keyboard's menu key and beside its texts."""
        text = next(iter(self.parts().values()), self.body)
        self.menu_requested.emit(self, text, event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002  # Qt's signature
        """The question's bubble, or the background of a failure."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if not self._bubble.isNull():
            painter.setBrush(QColor(self._colours.bubble))
            painter.drawRoundedRect(self._bubble, _BUBBLE_RADIUS, _BUBBLE_RADIUS)
        if not self._box.isNull():
            painter.setBrush(QColor(self._colours.danger_page))
            painter.setPen(QColor(self._colours.danger))
            painter.drawRoundedRect(self._box, 8, 8)

    # What the buttons and citations do

    def _unfold(self, number: int) -> None:
        if not self.sources.isHidden():  # while the answer is being written they are not shown yet
            self.sources.unfold(number)

    def _copy(self) -> None:
        if self.message is not None:
            QGuiApplication.clipboard().setText(self.body.plain_text())
            self.copy.setText(self.tr("Copied"))
            QTimer.singleShot(COPIED_MS, self, lambda: self.copy.setText(self.tr("Copy")))

    def _go_on(self) -> None:
        if self.message is not None:
            self.go_on_requested.emit(self.message.question_id)

    def _want_thoughts(self) -> None:
        if self.message is not None:
            self.thoughts_wanted.emit(self.message.id)

    def _retry(self) -> None:
        if self.message is not None:
            self.retry_requested.emit(self.message.question_id)


def _continues(message: Message, held: Message | None) -> bool:
    """Whether the body shows the beginning of this text already, as a growing one."""
    return (
        held is not None
        and held.id == message.id
        and held.attempt == message.attempt
        and held.state in _GROWING
        and message.state is not State.WAITING
        and message.text.startswith(held.text)
    )
