"""Carries out what the person decides about facts: commands to the core, and what the core says of them."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject

from titan_bus import BusError, new_ulid
from titan_desktop.client import foreign, memory_words
from titan_desktop.contracts import memory
from titan_desktop.contracts.memory import Fact, FactState, FromFile, FromMessage
from titan_desktop.contracts.message import BusMessage
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.base.translator import language
from titan_desktop.ui.memory.deeds import Deed
from titan_desktop.ui.memory.fact_editor import FactEditor
from titan_desktop.ui.memory.memory_view import MemoryView

PATIENCE_S = 5.0
"""So long the small window says nothing while the core stores what was written."""
LISTED = 200
"""In one reply, which has at most 2 MB."""
IDS_MAX = 500
"""In one command: an event has at most 32 KB."""
_TEXT_SHOWN = 200


class Deciding(QObject):
    """Takes the page's wishes.

    Args:
        view: the page.
        show_origin: goes to the message or file that a fact is from.
    """

    def __init__(
        self,
        view: MemoryView,
        bridge: Bridge,
        tasks: Tasks,
        show_origin: Callable[[memory.Origin], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._bridge = bridge
        self._tasks = tasks
        self._show_origin = show_origin
        self._sent: set[str] = set()
        self._written: dict[str, asyncio.Future[str]] = {}
        view.wanted.connect(self._do)
        view.new_wanted.connect(lambda: self._write(None))
        view.place_wanted.connect(show_origin)
        bridge.listen(memory.FactLearned, lambda said: self._settle(said.fact.id, ""))
        bridge.listen(memory.FactChanged, lambda said: self._settle(said.fact.id, ""))
        bridge.listen(memory.MemoryVoid, self._on_void)
        bridge.listen(memory.MemoryForgotten, self._on_forgotten)
        bridge.listen(memory.MemoryErased, view.receipts.erased)

    def _do(self, deed: Deed, fact: Fact) -> None:
        self._view.set_complaint("")
        match deed:
            case Deed.OPEN:
                self._show_origin(fact.origin)
            case Deed.CORRECT:
                self._write(fact)
            case Deed.CLOSE:
                self._send(memory.CloseFact(fact_id=fact.id), fact.id)
            case Deed.PIN | Deed.UNPIN:
                self._send(memory.PinFact(fact_id=fact.id, pinned=deed is Deed.PIN), fact.id)
            case Deed.FORGET | Deed.FORGET_SUBJECT:
                self._ask_to_forget(deed, fact)
            case Deed.ACCEPT:
                self._send(memory.AcceptProposals(fact_ids=(fact.id,)), fact.id)
            case Deed.REFUSE:
                self._send(memory.RefuseProposals(fact_ids=(fact.id,)), fact.id)
            case Deed.ACCEPT_ALL | Deed.REFUSE_ALL:
                self._tasks.replace(self._ask_about_all(deed, fact), "decide about all")

    # Commands

    def _send(self, command: BusMessage, subject_id: str) -> None:
        self._sent.add(subject_id)
        self._tasks.start(self._tell(command), "decide")

    async def _tell(self, *commands: BusMessage) -> None:
        try:
            for command in commands:
                await self._bridge.send(command)
        except BusError:
            self._view.set_complaint(self._no_answer())

    def _no_answer(self) -> str:
        return self.tr("Titan's core does not answer, and nothing was changed. Try again in a moment.")

    def _on_void(self, said: memory.MemoryVoid) -> None:
        if said.subject_id in self._written:
            self._settle(said.subject_id, memory_words.void(language(), said.reason))
        elif said.subject_id in self._sent:
            self._view.set_complaint(memory_words.void(language(), said.reason))

    # Writing

    def _write(self, fact: Fact | None) -> None:
        editor = self._view.edit(fact)
        name = f"write {id(editor)}"
        editor.submitted.connect(lambda text: self._tasks.replace(self._submit(editor, fact, text), name))
        editor.finished.connect(lambda _result: self._tasks.cancel(name))

    async def _submit(self, editor: FactEditor, fact: Fact | None, text: str) -> None:
        """Have a sentence stored; the window with it closes when it is."""
        fact_id = new_ulid()
        command: BusMessage = (
            memory.Remember(fact_id=fact_id, text=text)
            if fact is None
            else memory.CorrectFact(fact_id=fact_id, former_id=fact.id, text=text)
        )
        subjects = (fact_id,) if fact is None else (fact_id, fact.id)
        settled = asyncio.get_running_loop().create_future()
        self._written.update(dict.fromkeys(subjects, settled))
        try:
            await self._bridge.send(command)
            sentence = await self._patiently(editor, settled)
        except BusError:
            sentence = self._no_answer()
        finally:
            for subject in subjects:
                self._written.pop(subject, None)
        if sentence:
            editor.complain(sentence)
        else:
            editor.accept()

    async def _patiently(self, editor: FactEditor, settled: asyncio.Future[str]) -> str:
        done, _ = await asyncio.wait({settled}, timeout=PATIENCE_S)
        if not done:
            editor.tell(
                self.tr("It is kept, and stored as soon as the database is back. You may close this window.")
            )
        return await settled

    def _settle(self, subject_id: str, sentence: str) -> None:
        settled = self._written.get(subject_id)
        if settled is not None and not settled.done():
            settled.set_result(sentence)

    # Forgetting

    def _ask_to_forget(self, deed: Deed, fact: Fact) -> None:
        stays = self.tr(
            "It is erased from the database, the graph, the events and their archive. This cannot be undone. "
            "What was said in conversations and stands in files stays there."
        )
        if deed is Deed.FORGET:
            question = self.tr("Forget “{text}”?").format(text=_shortened(fact.text))
            command: BusMessage = memory.ForgetFact(fact_id=fact.id)
            subject_id = fact.id
        else:
            question = self.tr("Forget {name}, with every fact that names them?").format(
                name=foreign.isolated(fact.subject)
            )
            command, subject_id = memory.ForgetEntity(entity_id=fact.subject_id), fact.subject_id
        self._view.ask(
            question, stays, self.tr("Forget"), lambda: self._send(command, subject_id), danger=True
        )

    def _on_forgotten(self, said: memory.MemoryForgotten) -> None:
        if said.subject_id in self._sent:
            self._view.receipts.forgotten(said.subject_id, said.facts)

    # All proposals of one source

    async def _ask_about_all(self, deed: Deed, fact: Fact) -> None:
        try:
            ids = await self._all_of(_source(fact))
        except BusError:
            self._view.set_complaint(self._no_answer())
            return
        if not ids:
            return  # somebody else has decided
        accepts = deed is Deed.ACCEPT_ALL
        kind = memory.AcceptProposals if accepts else memory.RefuseProposals
        commands = [kind(fact_ids=ids[at : at + IDS_MAX]) for at in range(0, len(ids), IDS_MAX)]
        if accepts:
            question = self.tr("Accept %n proposal(s)?", "", len(ids))
            consequence = self.tr("They hold from now on. Each can be corrected or forgotten.")
        else:
            question = self.tr("Refuse %n proposal(s)?", "", len(ids))
            consequence = self.tr("They are not proposed again.")
        self._view.ask(
            question,
            consequence,
            self.tr("Accept") if accepts else self.tr("Refuse"),
            lambda: self._tasks.start(self._tell(*commands), "decide"),
            danger=not accepts,
        )

    async def _all_of(self, source: str) -> tuple[str, ...]:
        """Return the ids of every proposal of a conversation or a file, also of those that are not loaded."""
        found: list[str] = []
        cursor = ""
        while True:
            page = await self._bridge.ask(
                memory.ListFacts(state=FactState.PROPOSED, limit=LISTED, cursor=cursor)
            )
            found += [one.id for one in page.facts if _source(one) == source]
            if not page.more:
                return tuple(found)
            cursor = page.cursor


def _source(fact: Fact) -> str:
    """What is the same for all facts of one conversation, or of one file."""
    match fact.origin:
        case FromMessage(conversation_id=conversation_id):
            return f"conversation {conversation_id}"
        case FromFile(path=path):
            return f"file {path}"
    return ""


def _shortened(text: str) -> str:
    shown = foreign.isolated(text)
    return shown if len(shown) <= _TEXT_SHOWN else f"{shown[:_TEXT_SHOWN].rstrip()}…"
