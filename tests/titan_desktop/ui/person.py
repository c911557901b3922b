"""A person who does anything that can be done in the window, in any order: keys and clicks on real widgets."""

import random
from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLineEdit, QMenu, QMessageBox, QWidget

from titan_desktop.ui.memory.fact_editor import FactEditor
from titan_desktop.ui.shell.main_window import MainWindow

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
WORDS = ("deposit", "Что такое депозит?", "x", "a longer question about the contract and its annexes " * 4)


class Person:
    """Does one thing at a time.

    Args:
        window: shown.
        chance: decides what is done.
    """

    def __init__(self, window: MainWindow, chance: random.Random) -> None:
        self._window = window
        self._chance = chance
        self._deeds: dict[Callable[[], None], int] = {
            self.begin: 6, self.switch: 10, self.switch_by_key: 4, self.delete: 4, self.rename: 2, self.send: 12,
            self.write: 4, self.stop: 3, self.press_in_message: 5, self.resize: 5, self.move_splitter: 2,
            self.scroll: 10, self.wheel: 6, self.page: 6, self.jump: 2, self.search: 5, self.leave_search: 4,
            self.walk: 8, self.select: 3, self.copy: 2, self.open_menu: 2, self.open_dialog: 1,
            self.hide_and_show: 1, self.open_page: 8, self.use_page: 30, self.leave_page: 4,
        }  # fmt: skip

        self._in_chat = frozenset({
            self.send, self.write, self.stop, self.press_in_message, self.scroll, self.wheel, self.page, self.jump,
            self.walk, self.select, self.copy, self.open_menu,
        })  # fmt: skip

    def act(self) -> str:
        """Do something; return what it was. Something that is open in front is dealt with first."""
        if (front := self._front()) is not None:
            self._answer(front)
            return f"answer {type(front).__name__}"
        (deed,) = self._chance.choices(list(self._deeds), list(self._deeds.values()))
        if deed in self._in_chat and not self._window.chat.isVisible():
            deed = self.use_page
        deed()
        QApplication.sendPostedEvents()  # nobody is faster than what Qt does first in its next turn
        return deed.__name__

    def _front(self) -> QWidget | None:
        return QApplication.activePopupWidget() or QApplication.activeModalWidget()

    def _answer(self, front: QWidget) -> None:
        if isinstance(front, QMessageBox):
            self._click(self._chance.choice(front.buttons()))
        elif isinstance(front, QMenu) and self._chance.random() < 0.5:
            QTest.keyClick(front, KEY.Key_Down)
            QTest.keyClick(front, KEY.Key_Return)
        elif isinstance(front, FactEditor) and self._chance.random() < 0.7:
            QTest.keyClicks(front.edit, self._chance.choice(("tea", "", "the deposit is 45 000")))
            QTest.keyClick(front.edit, KEY.Key_Return)
        elif isinstance(front, QDialog):
            front.reject()
        else:
            QTest.keyClick(front, KEY.Key_Escape)

    def _click(self, widget: QWidget) -> None:
        if widget.isVisible() and widget.isEnabled():
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    # Conversations

    def begin(self) -> None:
        """Ctrl+N, or "+"."""
        if self._chance.random() < 0.5:
            self._window.new_action.trigger()
        else:
            self._click(self._window.sidebar._new)

    def switch(self) -> None:
        """A click on a conversation."""
        shown = self._window.sidebar.list
        for _ in range(4):
            place = QPoint(40, self._chance.randrange(max(1, shown.viewport().height())))
            if shown.indexAt(place).isValid():
                QTest.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=place)
                return

    def switch_by_key(self) -> None:
        """Up or Down in the list, quickly."""
        for _ in range(self._chance.randrange(1, 4)):
            QTest.keyClick(self._window.sidebar.list, self._chance.choice((KEY.Key_Down, KEY.Key_Up)))

    def delete(self) -> None:
        """Del asks; the question is answered next."""
        QTest.keyClick(self._window.sidebar.list, KEY.Key_Delete)

    def rename(self) -> None:
        """F2, a title, Enter or Esc."""
        shown = self._window.sidebar.list
        shown.setFocus()
        QTest.keyClick(shown, KEY.Key_F2)
        for editor in [found for found in shown.findChildren(QLineEdit) if found.isVisible()]:
            editor.setText(self._chance.choice(WORDS))
            QTest.keyClick(editor, self._chance.choice((KEY.Key_Return, KEY.Key_Escape)))

    def search(self) -> None:
        """Ctrl+K, letters, and perhaps Enter or Down."""
        field = self._window.sidebar.filter
        self._window.find_action.trigger()
        QTest.keyClicks(field, self._chance.choice(("c", "1", "title 2", "dep", "zzz")))
        if self._chance.random() < 0.3:
            QTest.keyClick(field, self._chance.choice((KEY.Key_Return, KEY.Key_Down)))

    def leave_search(self) -> None:
        """Esc in the field."""
        QTest.keyClick(self._window.sidebar.filter, KEY.Key_Escape)

    # The open conversation

    def write(self) -> None:
        """A draft that is not sent."""
        self._window.chat.composer.edit.insertPlainText(self._chance.choice(WORDS))

    def send(self) -> None:
        """A question and Enter."""
        edit = self._window.chat.composer.edit
        edit.setFocus()
        edit.insertPlainText(self._chance.choice(WORDS))
        QTest.keyClick(edit, KEY.Key_Return)

    def stop(self) -> None:
        """Esc, or the button, which may just have become Send."""
        if self._chance.random() < 0.5:
            QTest.keyClick(self._window.chat.composer.edit, KEY.Key_Escape)
        else:
            self._click(self._window.chat.composer.button)

    def press_in_message(self) -> None:
        """A button in a message: copy, try again, show a passage, more sources, open one."""
        buttons = self._window.chat.messages.viewport().findChildren(QAbstractButton)
        if buttons := [button for button in buttons if button.isVisible()]:
            self._click(self._chance.choice(buttons))

    def scroll(self) -> None:
        """The bar is dragged."""
        bar = self._window.chat.messages.verticalScrollBar()
        bar.setValue(self._chance.randint(0, bar.maximum()))

    def wheel(self) -> None:
        """Some notches."""
        view = self._window.chat.messages.viewport()
        turn = QPoint(0, self._chance.choice((-360, -120, 120, 360)))
        place = QPointF(view.width() / 2, view.height() / 2)
        event = QWheelEvent(
            place, view.mapToGlobal(place), QPoint(), turn, Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(view, event)

    def page(self) -> None:
        """Keys that scroll."""
        keys = (KEY.Key_PageUp, KEY.Key_PageDown, KEY.Key_Home, KEY.Key_End, KEY.Key_Up, KEY.Key_Down)
        QTest.keyClick(self._window.chat.messages, self._chance.choice(keys))

    def jump(self) -> None:
        """To the newest message."""
        self._click(self._window.chat.messages.jump)

    def select(self) -> None:
        """Drag over messages, or select all."""
        messages = self._window.chat.messages
        if self._chance.random() < 0.3:
            QTest.keyClick(messages, KEY.Key_A, CONTROL)
            return
        live = [widget for widget in messages._live.values() if widget.isVisible()]
        if live:
            body, target = self._chance.choice(live).body.viewport(), self._chance.choice(live).body
            end = body.mapFromGlobal(target.mapToGlobal(QPoint(self._chance.randrange(200), 5)))
            QTest.mousePress(body, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
            QTest.mouseMove(body, end)
            QTest.mouseRelease(body, Qt.MouseButton.LeftButton, pos=end)

    def walk(self) -> None:
        """Tab through messages, arrows in them, Enter on what they lead to; what has the focus is visible."""
        if self._chance.random() < 0.3:
            self._window.chat.messages.setFocus(Qt.FocusReason.TabFocusReason)
        for _ in range(self._chance.randrange(1, 6)):
            focused = QApplication.focusWidget()
            if focused is None or not self._window.chat.messages.isAncestorOf(focused):
                return
            assert focused.isVisible()
            keys = (KEY.Key_Tab, KEY.Key_Backtab, KEY.Key_Down, KEY.Key_Up, KEY.Key_Right, KEY.Key_Left)
            QTest.keyClick(focused, self._chance.choice((*keys, KEY.Key_Return, KEY.Key_Space)))

    def copy(self) -> None:
        """Ctrl+C."""
        QTest.keyClick(self._window.chat.messages, KEY.Key_C, CONTROL)

    def open_menu(self) -> None:
        """The menu of a message, or of the window."""
        messages = self._window.chat.messages
        live = list(messages._live.values())
        if live and self._chance.random() < 0.7:
            widget = self._chance.choice(live)
            widget.menu_requested.emit(widget, widget.body, messages.mapToGlobal(QPoint(20, 20)))

    # The pages

    def open_page(self) -> None:
        """Ctrl+Shift+F or Ctrl+Shift+M."""
        self._chance.choice((self._window.search_action, self._window.memory_action)).trigger()

    def leave_page(self) -> None:
        """Esc."""
        page = self._window.pages.currentWidget()
        focused = self._window.focusWidget()
        if page is not self._window.chat and focused is not None and page.isAncestorOf(focused):
            QTest.keyClick(focused, KEY.Key_Escape)

    def use_page(self) -> None:
        """Keys where the keyboard is, or a click on a button; what has the focus is visible."""
        page = self._window.pages.currentWidget()
        if page is self._window.chat:
            return
        if self._chance.random() < 0.3:
            buttons = [button for button in page.findChildren(QAbstractButton) if button.isVisible()]
            self._click(self._chance.choice(buttons))
            return
        focused = self._window.focusWidget()
        if focused is None or not page.isAncestorOf(focused):
            page.setFocus()
            return
        assert focused.isVisible()
        keys = (KEY.Key_Down, KEY.Key_Down, KEY.Key_Up, KEY.Key_Tab, KEY.Key_Backtab, KEY.Key_Return, KEY.Key_End,
                KEY.Key_Right, KEY.Key_Left, KEY.Key_F2, KEY.Key_Delete, KEY.Key_Backspace, KEY.Key_D)  # fmt: skip
        modifier = self._chance.choice((Qt.KeyboardModifier.NoModifier,) * 5 + (CONTROL,))
        QTest.keyClick(focused, self._chance.choice(keys), modifier)

    # The window

    def resize(self) -> None:
        """Any size from the smallest on."""
        least = self._window.minimumSize()
        self._window.resize(
            least.width() + self._chance.randrange(900), least.height() + self._chance.randrange(500)
        )

    def move_splitter(self) -> None:
        """More or less room for the list."""
        left = self._chance.randrange(180, 400)
        self._window.splitter.setSizes([left, self._window.width() - left])

    def open_dialog(self) -> None:
        """Settings or the overview of the keys; it is closed next."""
        action = self._chance.choice((self._window.settings_action, self._window.failures_action))
        action.trigger()

    def hide_and_show(self) -> None:
        """The window goes and comes back, as when it is minimised."""
        self._window.hide()
        self._window.show()
