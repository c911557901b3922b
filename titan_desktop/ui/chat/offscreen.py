"""The texts of the rows that are out of view, for copying what is selected there."""

from collections.abc import Mapping

from PySide6.QtGui import QGuiApplication, QTextDocument

from titan_desktop.client import foreign
from titan_desktop.contracts.chat import OF_PASSAGES, Message, Role
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.passage import word_pattern
from titan_desktop.ui.chat.markdown import plain_text, render
from titan_desktop.ui.chat.message_model import MessageModel
from titan_desktop.ui.chat.sources import Unfolded, open_passages


class OffscreenTexts:
    """Reads the model.

    Args:
        unfolded: what is unfolded, by the message's id; the list's own, which changes.
    """

    def __init__(self, model: MessageModel, unfolded: Mapping[str, Unfolded]) -> None:
        self._model = model
        self._unfolded = unfolded

    def texts(self, row: int, *, rendered: bool) -> dict[int, str]:
        """A message's texts by part: without the marks of Markdown if `rendered`, else as they were written."""
        message = self._model.message(row)
        is_markdown = rendered and message.role is Role.ASSISTANT
        own = (
            {0: plain_text(message.text) if is_markdown else foreign.text(message.text)}
            if message.text
            else {}
        )
        return own | self._passages(row, message)

    def document(self, row: int, part: int) -> QTextDocument:
        """A part of a message as its text widget would hold it, so that positions are the same."""
        message, document = self._model.message(row), QTextDocument()
        if part:
            document.setPlainText(self._passages(row, message)[part])
        elif message.role is Role.USER:
            document.setPlainText(foreign.text(message.text))
        else:
            colours = Colours.of(QGuiApplication.palette())  # they do not matter here
            document.setHtml(render(message.text, colours, len(message.sources)).html)
        return document

    def _passages(self, row: int, message: Message) -> dict[int, str]:
        unfolded = self._unfolded.get(message.id, Unfolded())
        is_answer = message.kind in OF_PASSAGES
        pattern = word_pattern(self._model.question_of(row)) if is_answer else None
        open_ = open_passages(message.sources, unfolded, pattern, short=is_answer)
        return {index + 1: open_[index] for index in sorted(open_)}
