"""The presenter of the open conversation: publishes the person's commands, and shows the core's events."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal

from titan_bus import BusError, PublishRefusedError, new_ulid
from titan_desktop.contracts import chat
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat.chat_view import ChatView
from titan_desktop.ui.chat.outbox import Outbox
from titan_desktop.ui.chat.sentences import delay_sentence
from titan_desktop.ui.chat.unsent import Unsent

MessageSaid = chat.UserMessage | chat.AnswerStarted | chat.AssistantMessage
_GROWING = frozenset({chat.State.WAITING, chat.State.STREAMING})


class ChatPresenter(QObject):
    """Decides what the view of one conversation shows.

    Args:
        view: the open conversation.
        bridge: the connection to the core.
        tasks: runs what takes time.
        language: "ru" or "en", the language of Titan's own answers.
    """

    opened = Signal(str)
    """Another conversation is open, and its first page is shown."""
    unsent_changed = Signal()
    """The result of `unsent` may have changed."""

    def __init__(
        self,
        view: ChatView,
        bridge: Bridge,
        tasks: Tasks,
        language: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._bridge = bridge
        self._tasks = tasks
        self._language = language
        self._outbox = Outbox()
        self._drafts: dict[str, str] = {}
        """By conversation; "" for a new one before its first question."""
        self._answering: dict[str, str] = {}
        """Conversation -> its question that is being answered."""
        self._held: list[MessageSaid | chat.AssistantDelta] = []
        """Events of a conversation while its page is being loaded."""
        self._gaps: dict[str, list[chat.AssistantDelta]] = {}
        """Answer -> the deltas after a gap, while the message is fetched."""
        self._is_delayed = False
        """Whether the notice shows that the store is waiting."""
        self._asking_older = False
        self._is_page_missing = False
        """Whether questions are shown although the conversation's stored messages are not loaded."""
        self.conversation_id = self._unborn = new_ulid()
        view.model.set_conversation(self.conversation_id, (), False)
        self._connect()

    def _connect(self) -> None:
        view, bridge = self._view, self._bridge
        view.prompt_submitted.connect(self.submit)
        view.stop_requested.connect(self.stop)
        view.retry_requested.connect(self.retry)
        view.go_on_requested.connect(self.go_on)
        view.thoughts_wanted.connect(self._fetch_thoughts)
        view.older_requested.connect(self._ask_for_older)
        view.draft_changed.connect(self.unsent_changed)
        bridge.connected.connect(self._catch_up)
        bridge.listen(chat.UserMessage, self._on_chat)
        bridge.listen(chat.AnswerStarted, self._on_chat)
        bridge.listen(chat.AssistantMessage, self._on_chat)
        bridge.listen(chat.AssistantDelta, self._on_delta)
        bridge.listen(chat.ConversationChanged, self._on_changed)
        bridge.listen(chat.PathChanged, self._on_path)
        bridge.listen(chat.StoringDelayed, self._on_delayed)

    @property
    def is_loading(self) -> bool:
        """Whether the open conversation's page is being loaded."""
        return self._view.model.conversation_id != self.conversation_id

    # What is kept over an end of the window

    def unsent(self) -> Unsent:
        """Return what was written and is not known to be stored."""
        drafts = {**self._drafts, self._draft_key(): self._view.draft()}
        return Unsent(self._outbox.waiting(), {key: text for key, text in drafts.items() if text.strip()})

    def restore(self, left: Unsent, *, show: bool) -> None:
        """Restore what an earlier window left; with `show` the conversation of its last question is opened."""
        for prompt in left.prompts:
            self._outbox.add(prompt)
            self._answering[prompt.conversation_id] = prompt.message_id
        self._drafts.update(left.drafts)
        if not self._view.draft():
            self._view.set_draft(self._drafts.get("", ""))
        if show and left.prompts:
            self._switch_to(left.prompts[-1].conversation_id)
            self._show((), more=False)
            self._is_page_missing = True
            self._view.set_notice(self.tr("Titan is starting. Your question is kept and will be sent."))

    def _draft_key(self) -> str:
        return "" if self.conversation_id == self._unborn else self.conversation_id

    # What the person does

    def open(self, conversation_id: str) -> None:
        """Show a conversation; the draft of the former one is kept."""
        if conversation_id != self.conversation_id:
            self._switch_to(conversation_id)
        elif not self.is_loading:
            return
        if self._bridge.is_connected:
            self._tasks.replace(self._load(conversation_id), "open conversation")
        else:
            self._view.set_notice(self.tr("The conversation opens as soon as Titan's core has started."))

    def begin(self) -> None:
        """Open an empty conversation; its first question creates it."""
        if not self.is_loading and not self._view.model.rowCount():
            return
        self._open_unborn()

    def _open_unborn(self) -> None:
        self._unborn = new_ulid()
        self._switch_to(self._unborn)
        self._show((), more=False)

    def submit(self, text: str) -> None:
        """Ask. The question is shown at once and sent as soon as the core is connected."""
        prompt = chat.SendPrompt(
            conversation_id=self.conversation_id,
            message_id=new_ulid(),
            text=text,
            language=self._language(),
        )
        self._outbox.add(prompt)
        self._drafts.pop(self._draft_key(), None)
        if self.conversation_id == self._unborn:
            self._unborn = ""
        self.unsent_changed.emit()
        self._view.model.add_pending(_question(prompt))
        self._set_answering(prompt.conversation_id, prompt.message_id)
        if self._bridge.is_connected:
            self._view.set_notice("")  # it belonged to an earlier action
            self._tasks.start(self._send_prompt(prompt), "send prompt")
        else:
            self._view.set_notice(self.tr("Titan is starting. Your question is kept and will be sent."))

    def stop(self, question_id: str) -> None:
        """Stop the answer to this question."""
        command = chat.StopAnswer(conversation_id=self.conversation_id, question_id=question_id)
        self._tasks.start(self._send(command), "stop answer")

    def stop_open(self) -> None:
        """Stop the running answer in the open conversation, if there is one."""
        question_id = self._answering.get(self.conversation_id)
        if question_id is not None:
            self.stop(question_id)

    def retry(self, question_id: str) -> None:
        """Request another answer to this question."""
        command = chat.RetryAnswer(conversation_id=self.conversation_id, question_id=question_id)
        self._tasks.start(self._send(command), "retry answer")

    def go_on(self, question_id: str) -> None:
        """Have an answer go on that broke off."""
        command = chat.GoOn(conversation_id=self.conversation_id, question_id=question_id)
        self._tasks.start(self._send(command), "go on with answer")

    def _fetch_thoughts(self, message_id: str) -> None:
        self._tasks.replace(self._show_thoughts(message_id), f"thoughts {message_id}")

    async def _show_thoughts(self, message_id: str) -> None:
        """Fetch what a model thought; it is unfolded, and waits for this."""
        text: str | None = None
        try:
            text = (await self._bridge.ask(chat.GetThoughts(message_id=message_id))).text
        except BusError:
            self._view.set_notice(self.tr("The thoughts could not be loaded. Unfold them again."), "warning")
        self._view.messages.show_thoughts(message_id, text)

    def _ask_for_older(self) -> None:
        if not self._asking_older and self._view.model.rowCount() and not self.is_loading:
            self._asking_older = True
            self._tasks.start(self._load_older(self.conversation_id), "older messages")

    # Conversations

    def _switch_to(self, conversation_id: str) -> None:
        self._drafts[self._draft_key()] = self._view.draft()
        self.conversation_id = conversation_id
        self._held.clear()
        self._gaps.clear()
        self._view.set_draft(self._drafts.get(self._draft_key(), ""))
        self._view.set_notice("")
        self._view.set_busy(self._answering.get(conversation_id))

    async def _load(self, conversation_id: str) -> None:
        try:
            page = await self._ask_history(conversation_id)
        except BusError:
            if conversation_id == self.conversation_id:
                self._view.set_notice(
                    self.tr("The conversation could not be loaded. Open it again."), "error"
                )
            return
        if conversation_id == self.conversation_id:  # else the person has begun another one meanwhile
            self._show(page.messages, more=page.more)

    def _ask_history(self, conversation_id: str, before: str = "") -> Awaitable[chat.HistoryPage]:
        return self._bridge.ask(chat.GetHistory(conversation_id=conversation_id, before=before))

    def _show(self, messages: tuple[chat.Message, ...], *, more: bool) -> None:
        """Show the first page, and the questions and events since it was requested."""
        conversation_id = self.conversation_id
        self._asking_older = self._is_page_missing = False
        self._view.model.set_conversation(conversation_id, messages, more)
        self._note_newest(messages)
        for prompt in self._outbox.waiting(conversation_id):
            self._view.model.add_pending(_question(prompt))
        held, self._held = self._held, []
        for said in held:
            if isinstance(said, chat.AssistantDelta):
                self._on_delta(said)
            else:
                self._on_chat(said)
        self.opened.emit(conversation_id)

    async def _load_older(self, conversation_id: str) -> None:
        model = self._view.model
        try:
            page = await self._ask_history(conversation_id, before=model.message(0).id)
        except BusError:
            page = chat.HistoryPage(conversation_id=conversation_id, messages=(), more=True)
        if conversation_id == model.conversation_id:
            self._asking_older = False
            model.prepend(page.messages, page.more)

    def _catch_up(self) -> None:
        """The core is connected, or connected again: send waiting commands, and load what was missed."""
        self._view.set_notice("")
        for prompt in self._outbox.waiting():
            self._tasks.start(self._send_prompt(prompt), "send prompt")
        is_new = self.is_loading or self._is_page_missing
        work = self._load(self.conversation_id) if is_new else self._reload()
        self._tasks.replace(work, "open conversation")

    async def _reload(self) -> None:
        """Merge the newest page into what is shown, without a reset: the person may be reading."""
        conversation_id = self.conversation_id
        if not self._view.model.rowCount():
            self.opened.emit(conversation_id)
            return
        try:
            page = await self._ask_history(conversation_id)
        except BusError:
            return  # what is shown stays valid; events will follow
        if conversation_id == self._view.model.conversation_id:
            if not page.messages and self._view.model.has_stored:
                self._forget(conversation_id)  # it was deleted elsewhere meanwhile
                return
            if not self._view.model.joins(page.messages):
                self._show(page.messages, more=page.more)
                return
            for message in page.messages:
                self._view.model.put(message)
            self._note_newest(page.messages)
            self.opened.emit(conversation_id)

    # What is sent

    async def _send_prompt(self, prompt: chat.SendPrompt) -> None:
        try:
            await self._bridge.send(prompt)
        except PublishRefusedError as error:
            self._confirm(prompt.message_id)
            self._set_answering(prompt.conversation_id, None)
            self._view.set_notice(
                self.tr("The question could not be sent: {reason}").format(reason=error.reason), "error"
            )
            self._view.set_draft(prompt.text)
        except BusError:
            pass  # it waits in the outbox for the next connection

    async def _send(self, command: chat.StopAnswer | chat.RetryAnswer | chat.GoOn) -> None:
        try:
            await self._bridge.send(command)
        except BusError:
            self._view.set_notice(
                self.tr("Titan's core has not started yet. Try again in a moment."), "warning"
            )

    # What is said

    def _on_delayed(self, said: chat.StoringDelayed) -> None:
        """Show it in every conversation: a full disk concerns all of them."""
        self._is_delayed = True
        self._view.set_notice(delay_sentence(said.delay), "warning")

    def _forget_delay(self) -> None:
        """Hide the notice: something has been stored."""
        if self._is_delayed:
            self._is_delayed = False
            self._view.set_notice("")

    def _on_changed(self, said: chat.ConversationChanged) -> None:
        self._forget_delay()
        if said.deleted:
            self._forget(said.conversation.id)

    def _on_path(self, said: chat.PathChanged) -> None:
        """Reload the open conversation: another client edited a question, or chose a version."""
        if said.conversation_id == self.conversation_id and not self.is_loading:
            self._tasks.replace(self._load(said.conversation_id), "open conversation")

    def _on_chat(self, said: MessageSaid) -> None:
        self._forget_delay()
        if isinstance(said, chat.UserMessage):
            self._confirm(said.message.id)
        message = said.message
        self._note(message)
        if message.conversation_id != self.conversation_id:
            return
        if self.is_loading:
            self._held.append(said)
        elif isinstance(said, chat.AssistantMessage) and said.text_omitted:
            self._fetch(message.id)
        else:
            self._view.model.put(message)

    def _on_delta(self, delta: chat.AssistantDelta) -> None:
        if delta.conversation_id != self.conversation_id:
            return
        if self.is_loading:
            self._held.append(delta)
        elif delta.answer_id in self._gaps:
            self._gaps[delta.answer_id].append(delta)
        elif not self._view.model.append_delta(delta):
            self._gaps[delta.answer_id] = [delta]
            self._fetch(delta.answer_id)

    def _fetch(self, message_id: str) -> None:
        self._tasks.replace(self._mend(message_id), f"message {message_id}")

    async def _mend(self, message_id: str) -> None:
        """Fetch an incomplete message, then apply the deltas that came meanwhile."""
        try:
            message = await self._bridge.ask(chat.GetMessage(message_id=message_id))
        except BusError:
            self._gaps.pop(message_id, None)  # the next delta, or the finished answer, tries again
            return
        self._note(message)
        self._view.model.put(message)
        for delta in self._gaps.pop(message_id, ()):
            self._view.model.append_delta(delta)

    def _forget(self, conversation_id: str) -> None:
        self._answering.pop(conversation_id, None)
        for prompt in self._outbox.waiting(conversation_id):
            self._confirm(prompt.message_id)
        if conversation_id == self.conversation_id:
            self._open_unborn()
        if self._drafts.pop(conversation_id, None) is not None:
            self.unsent_changed.emit()

    def _confirm(self, message_id: str) -> None:
        if self._outbox.confirm(message_id):
            self.unsent_changed.emit()

    # Who is being answered

    def _note(self, message: chat.Message) -> None:
        """Record from a message whether its conversation is being answered."""
        conversation_id = message.conversation_id
        if message.role is chat.Role.USER:
            if not self._is_answered(
                message.id
            ):  # a question may be published again when its command was claimed
                self._set_answering(conversation_id, message.id)
        elif message.state in _GROWING:
            self._set_answering(conversation_id, message.question_id)
        elif self._answering.get(conversation_id) == message.question_id:
            self._set_answering(conversation_id, None)

    def _is_answered(self, question_id: str) -> bool:
        model = self._view.model
        row = model.row_of(question_id)
        if row is None or row + 1 >= model.rowCount():
            return False
        answer = model.message(row + 1)
        return answer.question_id == question_id and answer.state not in _GROWING

    def _note_newest(self, messages: tuple[chat.Message, ...]) -> None:
        if messages:
            self._note(messages[-1])

    def _set_answering(self, conversation_id: str, question_id: str | None) -> None:
        if question_id is None:
            self._answering.pop(conversation_id, None)
        else:
            self._answering[conversation_id] = question_id
        if conversation_id == self.conversation_id:
            self._view.set_busy(question_id)


def _question(prompt: chat.SendPrompt) -> chat.Message:
    """Return the message as it will be stored, shown while it is being sent."""
    return chat.Message(
        id=prompt.message_id,
        conversation_id=prompt.conversation_id,
        role=chat.Role.USER,
        text=prompt.text,
        state=chat.State.COMPLETE,
        created_at=datetime.now(UTC).isoformat(),
    )
