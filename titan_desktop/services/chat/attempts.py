"""The attempts that run in this process: one for each question, with its text so far and a request to stop.

A stop and a shutdown are kept apart. A stop is requested with `Attempt.stop()`; the attempt ends in order and is
stored. A shutdown is the bus cancelling the handler; nothing is stored, the command stays unacknowledged, and the
next process answers it.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator

import msgspec

from titan_desktop.contracts.chat import Message, State
from titan_desktop.services.chat.events import UNFINISHED


class Attempt:
    """One question being answered.

    Attributes:
        event_id: the event of the command.
        answer: the answer as it was begun, None before; its sources are added when they are found.
        text: the text so far.
        thoughts: the thoughts so far.
    """

    def __init__(self, conversation_id: str, question_id: str, event_id: str) -> None:
        self.conversation_id = conversation_id
        self.question_id = question_id
        self.event_id = event_id
        self.answer: Message | None = None
        self.text = ""
        self.thoughts = ""
        self._stop = asyncio.Event()
        self._over = asyncio.Event()
        self._settled = False

    def stop(self) -> None:
        """Request the end, keeping the text so far."""
        self._stop.set()

    async def finished_unless_stopped(self, work: Coroutine[object, object, None]) -> bool:
        """Run `work` to its end or until stopped. Returns whether it reached its end.

        Exceptions of `work` propagate. Cancellation cancels `work` and propagates.
        """
        running = asyncio.create_task(work, name=f"chat answer to {self.question_id}")
        stopping = asyncio.create_task(self._stop.wait(), name=f"chat stop of {self.question_id}")
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            is_finished = running.done()
            running.cancel()
            await asyncio.wait({running, stopping})
        if is_finished:
            await running  # raises its exception
        elif not running.cancelled():
            running.exception()  # marked as seen; it was asked to end
        return is_finished

    def settle(self, *, in_order: bool) -> None:
        """Wake those that wait in `settled`."""
        self._settled = in_order
        self._over.set()

    async def settled(self) -> bool:
        """Wait for the end; False when the attempt was cancelled and nothing is stored."""
        await self._over.wait()
        return self._settled


class Attempts:
    """The running attempts."""

    def __init__(self) -> None:
        self._by_question: dict[str, Attempt] = {}

    def __len__(self) -> int:
        return len(self._by_question)

    @contextlib.contextmanager
    def begin(self, conversation_id: str, question_id: str, event_id: str) -> Iterator[Attempt]:
        """Register an attempt until the end of the block."""
        attempt = Attempt(conversation_id, question_id, event_id)
        self._by_question[question_id] = attempt
        in_order = False
        try:
            yield attempt
            in_order = True
        finally:
            del self._by_question[question_id]
            attempt.settle(in_order=in_order)

    def of_question(self, question_id: str) -> Attempt | None:
        """Return the attempt at this question."""
        return self._by_question.get(question_id)

    def of_conversation(self, conversation_id: str) -> list[Attempt]:
        """Return the attempts in this conversation."""
        return [each for each in self._by_question.values() if each.conversation_id == conversation_id]

    def live(self, message: Message) -> Message:
        """Return the current state of a stored message: a running answer is ahead of its row."""
        attempt = self._by_question.get(message.question_id)
        if (
            attempt is None
            or attempt.answer is None
            or (attempt.answer.id, attempt.answer.attempt) != (message.id, message.attempt)
            or message.state not in UNFINISHED
        ):
            return message
        state = State.STREAMING if attempt.text else State.WAITING
        return msgspec.structs.replace(
            attempt.answer, text=attempt.text, thoughts=len(attempt.thoughts), state=state
        )

    def thoughts_of(self, answer_id: str) -> str | None:
        """Return the thoughts of a running answer so far, None if it is not running."""
        running = (each for each in self._by_question.values() if each.answer and each.answer.id == answer_id)
        return next((each.thoughts for each in running), None)
