"""The list of conversations: fills it from the core, and takes new titles and deletions there."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, Signal

from titan_bus import BusError
from titan_desktop.contracts import chat, system
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.conversations.model import ConversationModel
from titan_desktop.ui.conversations.sidebar import Sidebar

PAGE = 1_000
"""Conversations that are asked for at a time: the list begins to stand while the rest is on its way."""


class ConversationsPresenter(QObject):
    """Decides what the list shows and marks.

    Args:
        open_id: returns the id of the conversation that is open.
    """

    listed = Signal()
    """The most recently used conversations are in the list."""
    failed = Signal(str)
    """A sentence for the person: what they wanted did not happen."""

    def __init__(
        self,
        model: ConversationModel,
        sidebar: Sidebar,
        open_id: Callable[[], str],
        bridge: Bridge,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._sidebar = sidebar
        self._open_id = open_id
        self._bridge = bridge
        self._tasks = tasks
        self._said: set[str] = set()
        """The conversations that were spoken of since the list was asked for."""
        model.title_edited.connect(self._rename)
        sidebar.delete_confirmed.connect(self._delete)
        bridge.connected.connect(self._load)
        bridge.listen(chat.UserMessage, self._on_user_message)
        bridge.listen(chat.ConversationChanged, self._on_changed)
        # The stores may have opened after the first question timed out.
        bridge.listen(system.CoreReady, lambda _ready: self._load())

    def _load(self) -> None:
        self._tasks.replace(self._list(), "conversations")

    async def _list(self) -> None:
        """Take all pages. What the core does not have any longer goes when the last one is there, not before."""
        self._said = set()
        listed: set[str] = set()
        cursor = ""
        more = True
        while more:
            try:
                page = await self._ask_page(cursor)
            except BusError:
                self.failed.emit(self.tr("The conversations could not be loaded."))
                return
            # What was said meanwhile is newer than the page, and may have moved from one page to another.
            self._model.merge(found for found in page.conversations if found.id not in self._said)
            listed.update(found.id for found in page.conversations)
            if not cursor:
                self._sidebar.select(self._open_id())
                self.listed.emit()
            cursor, more = page.cursor, page.more
        self._model.keep_only(listed | self._said)
        self._sidebar.select(self._open_id())

    def _ask_page(self, cursor: str) -> Awaitable[chat.ConversationPage]:
        return self._bridge.ask(
            chat.ListConversations(limit=PAGE, cursor=cursor),
            timeout_s=15.0,  # the first one may wait for the stores
        )

    def _on_user_message(self, said: chat.UserMessage) -> None:
        self._said.add(said.conversation.id)
        self._model.put(said.conversation)
        if said.conversation.id == self._open_id():
            self._sidebar.select(said.conversation.id)

    def _on_changed(self, said: chat.ConversationChanged) -> None:
        self._said.add(said.conversation.id)
        if said.deleted:
            self._model.remove(said.conversation.id)
        else:
            self._model.put(said.conversation)

    def _rename(self, conversation_id: str, title: str) -> None:
        command = chat.RenameConversation(conversation_id=conversation_id, title=title)
        self._tasks.start(self._send(command), "rename conversation")

    def _delete(self, conversation_id: str) -> None:
        command = chat.DeleteConversation(conversation_id=conversation_id)
        self._tasks.start(self._send(command), "delete conversation")

    async def _send(self, command: chat.Command) -> None:
        try:
            await self._bridge.send(command)
        except BusError:
            self.failed.emit(self.tr("Titan's core has not started yet. Try again in a moment."))
