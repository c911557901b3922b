"""A core beside a real bus that answers what a person asks, as far and as fast as its test lets it."""

import random

from msgspec.structs import replace

from titan_bus import Bus, RequestRefused
from titan_desktop.contracts import chat, files, search
from titan_desktop.contracts.chat import State
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.sources import FilePassage, Pages

from .window_core import AT, WindowCore

TEXTS = (
    "The deposit is 45 000 roubles. ",
    "Депозит указан в пункте 4.2 договора [1]. ",
    "\n\n## A heading\n\nand a paragraph below it with **bold** words. ",
    "\n\n- an item\n- another one\n  - and one inside\n",
    "\n\n```python\nfor row in rows:\n    print(row)\n```\n\n",
    "\n\n```\nunfinished code " + "x = 1\n" * 12,
    "\n\n| name | sum |\n| --- | --- |\n| rent | 100 |\n| deposit | 200 |\n\n",
    "\n> quoted\n\n",
    "слово " * 120,
)
GROWING = frozenset({State.WAITING, State.STREAMING})


class AnsweringCore(WindowCore):
    """Keeps conversations as the real core does, and says what becomes of them.

    Args:
        chance: decides how answers go on.
    """

    def __init__(self, bus: Bus, chance: random.Random) -> None:
        super().__init__(bus)
        self._chance = chance
        self._clock = 0

    def stored(self, conversation_id: str) -> list[chat.Message]:
        """The messages of a conversation, oldest first."""
        return [message for message in self.messages if message.conversation_id == conversation_id]

    def growing(self) -> list[chat.Message]:
        """The answers that are being written."""
        return [message for message in self.messages if message.state in GROWING]

    async def grow(self) -> None:
        """Write some more of an answer, or end it."""
        growing = self.growing()
        if not growing:
            return
        answer = self._chance.choice(growing)
        if self._chance.random() < 0.15:
            await self._end(answer)
        else:
            await self._say_more(answer)

    async def delete(self, conversation_id: str) -> None:
        """Delete a conversation, as this or another window asked."""
        found = [held for held in self.conversations if held.id == conversation_id]
        gone = chat.Conversation(id=conversation_id, title="", created_at=AT, updated_at=AT)
        if found:
            self.conversations.remove(found[0])
            self.messages = [m for m in self.messages if m.conversation_id != conversation_id]
        await self.say(chat.ConversationChanged(conversation=gone, deleted=True))

    async def get_history(self, wanted: chat.GetHistory) -> chat.HistoryPage:
        if all(held.id != wanted.conversation_id for held in self.conversations):
            raise RequestRefused("not_found", wanted.conversation_id)
        return await super().get_history(wanted)

    async def search(self, wanted: search.Search) -> search.SearchResult:
        hits = tuple(
            FilePassage(
                path=f"/home/anna/{n}.pdf", title=f"{n}.pdf", score=1.0, passage=TEXTS[n % 9] * 3, kind="pdf",
                place=Pages(first=n + 1, last=n + 1) if n % 2 else None,
            )
            for n in range(self._chance.randrange(12))
        )  # fmt: skip
        read = search.ReadFilters(
            filters=search.Filters(kinds=("pdf",)), words=tuple(wanted.query.split()[:1])
        )
        return search.SearchResult(hits=hits, read=read if self._chance.random() < 0.3 else None)

    async def locate_source(self, wanted: files.LocateSource) -> files.Located:
        raise RequestRefused("gone", "a test opens no program")

    async def delete_conversation(self, command: chat.DeleteConversation) -> None:
        await self.delete(command.conversation_id)

    async def send_prompt(self, prompt: chat.SendPrompt) -> None:
        if any(message.id == prompt.message_id for message in self.messages):
            await self._say_again(prompt)
            return
        before = self.stored(prompt.conversation_id)
        question = chat.Message(
            id=prompt.message_id, conversation_id=prompt.conversation_id, role=chat.Role.USER, text=prompt.text,
            state=State.COMPLETE, created_at=AT, parent_id=before[-1].id if before else "",
        )  # fmt: skip
        self.messages.append(question)
        self._clock += 1
        used = f"2026-03-02T{self._clock // 3600:02}:{self._clock // 60 % 60:02}:{self._clock % 60:02}Z"
        held = next((c for c in self.conversations if c.id == prompt.conversation_id), None)
        conversation = chat.Conversation(
            id=prompt.conversation_id, title=held.title if held else prompt.text[:40],
            created_at=held.created_at if held else used, updated_at=used,
        )  # fmt: skip
        self.conversations = [conversation, *(c for c in self.conversations if c is not held)]
        await self.say(chat.UserMessage(message=question, conversation=conversation))
        answer = chat.Message(
            id=f"a-{question.id}",
            conversation_id=question.conversation_id,
            role=chat.Role.ASSISTANT,
            text="",
            state=State.WAITING,
            created_at=AT,
            parent_id=question.id,
            question_id=question.id,
            attempt=1,
        )
        await self._begin(answer)

    async def _say_again(self, prompt: chat.SendPrompt) -> None:
        """The command has come twice."""
        [question] = [message for message in self.messages if message.id == prompt.message_id]
        [conversation] = [held for held in self.conversations if held.id == prompt.conversation_id]
        await self.say(chat.UserMessage(message=question, conversation=conversation))
        answer = self._answer_to(question.id)
        if answer is not None and answer.state not in GROWING:
            await self.say(chat.AssistantMessage(message=answer))

    async def _begin(self, answer: chat.Message) -> None:
        hits = tuple(
            FilePassage(
                path=f"/home/anna/{n}.pdf", title=f"{n}.pdf", score=1.0, passage=TEXTS[n % 3] * 9, kind="pdf"
            )
            for n in range(self._chance.randrange(8))
        )
        answer = replace(answer, sources=hits, text="", state=State.WAITING, fault=None)
        self._store(answer)
        await self.say(chat.AnswerStarted(message=answer))

    async def _say_more(self, answer: chat.Message) -> None:
        addition = self._chance.choice(TEXTS)
        delta = chat.AssistantDelta(
            conversation_id=answer.conversation_id, question_id=answer.question_id, answer_id=answer.id,
            attempt=answer.attempt, offset=len(answer.text), text=addition,
        )  # fmt: skip
        self._store(replace(answer, text=answer.text + addition, state=State.STREAMING))
        if self._chance.random() < 0.95:  # a delta may be lost
            await self.say(delta)

    async def _end(self, answer: chat.Message) -> None:
        match self._chance.randrange(6):
            case 0:
                ended = replace(answer, state=State.FAILED, fault=Fault.UNREACHABLE, fault_detail="refused")
            case 1:
                ended = replace(answer, state=State.COMPLETE, text="", kind=chat.AnswerKind.PASSAGES)
            case 2:
                ended = replace(
                    answer, state=State.COMPLETE, text="", kind=chat.AnswerKind.NOTHING, sources=()
                )
            case _:
                ended = replace(answer, state=State.COMPLETE, text=answer.text + "The end.")
        self._store(ended)
        omitted = self._chance.random() < 0.1
        said = replace(ended, text="") if omitted else ended
        await self.say(chat.AssistantMessage(message=said, text_omitted=omitted))

    async def stop_answer(self, command: chat.StopAnswer) -> None:
        answer = self._answer_to(command.question_id)
        if answer is not None and answer.state in GROWING:
            stopped = replace(answer, state=State.STOPPED)
            self._store(stopped)
            await self.say(chat.AssistantMessage(message=stopped))

    async def retry_answer(self, command: chat.RetryAnswer) -> None:
        answer = self._answer_to(command.question_id)
        if answer is not None and answer.state not in GROWING:
            await self._begin(replace(answer, attempt=answer.attempt + 1, kind=chat.AnswerKind.MODEL))

    async def rename_conversation(self, command: chat.RenameConversation) -> None:
        title = " ".join(command.title.split())
        for place, held in enumerate(self.conversations):
            if held.id == command.conversation_id and title:
                self.conversations[place] = replace(held, title=title)
                await self.say(chat.ConversationChanged(conversation=self.conversations[place]))

    def _answer_to(self, question_id: str) -> chat.Message | None:
        return next((message for message in self.messages if message.question_id == question_id), None)

    def _store(self, answer: chat.Message) -> None:
        for place, held in enumerate(self.messages):
            if held.id == answer.id:
                self.messages[place] = answer
                return
        after = next(i for i, message in enumerate(self.messages) if message.id == answer.question_id)
        self.messages.insert(after + 1, answer)
