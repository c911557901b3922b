"""Tells, in the open conversation, that what the person asked to remember is remembered."""

from PySide6.QtCore import QObject

from titan_desktop.client import foreign
from titan_desktop.contracts import memory
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.chat.chat_view import ChatView

_SHOWN = 120


class Remembered(QObject):
    """Shows it above the composer. What a model proposed and the person accepted elsewhere is not told here."""

    def __init__(self, view: ChatView, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        bridge.listen(memory.FactLearned, self._on_learned)
        bridge.listen(memory.MemoryVoid, self._on_void)

    def _on_learned(self, said: memory.FactLearned) -> None:
        # The fact that a message itself asks to remember has the message's id.
        if self._view.model.row_of(said.fact.id) is not None:
            text = said.fact.text
            text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
            self._view.set_notice(self.tr("Remembered: {fact}").format(fact=foreign.isolated(text)))

    def _on_void(self, said: memory.MemoryVoid) -> None:
        if said.reason is memory.Void.KNOWN and self._view.model.row_of(said.subject_id) is not None:
            self._view.set_notice(self.tr("Titan remembers this already."))
