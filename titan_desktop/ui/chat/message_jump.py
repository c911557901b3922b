"""Goes to one message: opens its conversation, on the branch that the message is on, and marks it."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject

from titan_bus import BusError, RequestFailedError
from titan_desktop.contracts import chat
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.message_model import MessageModel

PAGE = 500
"""Messages that are asked for at a time on the way up to it."""
PATIENCE_S = 15.0


class MessageJump(QObject):
    """Shows a message of any conversation.

    Args:
        view: the open conversation.
        open_conversation: opens one by its id; nothing when it is open.
    """

    def __init__(
        self,
        view: ChatView,
        open_conversation: Callable[[str], None],
        bridge: Bridge,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._open = open_conversation
        self._bridge = bridge
        self._tasks = tasks
        self._path_changed = asyncio.Event()
        bridge.listen(chat.PathChanged, lambda _said: self._path_changed.set())

    def go(self, conversation_id: str, message_id: str) -> None:
        """Go there, and from then on only there: a second call takes the place of the first."""
        self._tasks.replace(self._go(conversation_id, message_id), "go to message")

    async def _go(self, conversation_id: str, message_id: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._reach(conversation_id, message_id)
        except (BusError, TimeoutError):
            self._view.set_notice(self.tr("Titan's core does not answer. Try again in a moment."), "warning")
            return
        if not found:
            self._view.set_notice(self.tr("This message is no longer there: it was deleted."), "warning")
            return
        row = self._view.model.row_of(message_id)
        if row is not None:
            self._view.messages.go_to(row)

    async def _reach(self, conversation_id: str, message_id: str) -> bool:
        """Load the conversation as far up as the message; False when there is no such message."""
        model = self._view.model
        if model.conversation_id == conversation_id and model.row_of(message_id) is not None:
            self._open(conversation_id)
            return True
        if not await self._is_stored(message_id):
            return False
        if not await self._is_on_path(conversation_id, message_id):
            await self._change_path(conversation_id, message_id)
        self._open(conversation_id)
        while model.conversation_id != conversation_id:
            await _until_reset(model)
        while model.row_of(message_id) is None and model.more:
            before = model.message(0).id
            page = await self._bridge.ask(
                chat.GetHistory(conversation_id=conversation_id, before=before, limit=PAGE)
            )
            if model.conversation_id != conversation_id:
                return True  # the person has gone elsewhere
            model.prepend(page.messages, page.more)
        return model.row_of(message_id) is not None

    async def _is_stored(self, message_id: str) -> bool:
        try:
            await self._bridge.ask(chat.GetMessage(message_id=message_id))
        except RequestFailedError as error:
            if error.code == "not_found":
                return False
            raise
        return True

    async def _is_on_path(self, conversation_id: str, message_id: str) -> bool:
        request = chat.GetHistory(conversation_id=conversation_id, before=message_id, limit=1)
        try:
            await self._bridge.ask(request)
        except RequestFailedError as error:
            if error.code == "not_found":
                return False
            raise
        return True

    async def _change_path(self, conversation_id: str, message_id: str) -> None:
        """Make the message's path the active one; an open conversation shows it before this returns."""
        model = self._view.model
        is_open = model.conversation_id == conversation_id
        shown = asyncio.Event()
        model.modelReset.connect(shown.set)
        try:
            await self._bridge.send(chat.ShowMessage(conversation_id=conversation_id, message_id=message_id))
            self._path_changed.clear()
            while not await self._is_on_path(conversation_id, message_id):
                await self._path_changed.wait()
                self._path_changed.clear()
            if is_open:
                await shown.wait()
        finally:
            model.modelReset.disconnect(shown.set)


async def _until_reset(model: MessageModel) -> None:
    """Wait until another conversation, or another path of it, is shown."""
    shown = asyncio.Event()
    model.modelReset.connect(shown.set)
    try:
        await shown.wait()
    finally:
        model.modelReset.disconnect(shown.set)
