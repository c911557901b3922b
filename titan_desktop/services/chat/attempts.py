"""What is in work in this process: one attempt a question, its text so far, and the wish to stop it.

A stop and a shutdown are different things and never look alike here. A stop is asked for with `Attempt.stop()`;
the attempt notices, ends its work in order and is recorded. A shutdown is the bus cancelling the handler; nothing
is recorded, the command stays unacknowledged, and the next process answers it.
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
        event_id: of the command that asked for it.
        answer: as it was begun, None before that; its sources are filled in when they are found.
        text: what has been said.
    """

    def __init__(self, conversation_id: str, question_id: str, event_id: str) -> None:
        self.conversation_id = conversation_id
        self.question_id = question_id
        self.event_id = event_id
        self.answer: Message | None = None
        self.text = ""
        self._stop = asyncio.Event()
        self._over = asyncio.Event()
        self._settled = False

    def stop(self) -> None:
        """Ask it to end with what has been said."""
        self._stop.set()

    async def finished_unless_stopped(self, work: Coroutine[object, object, None]) -> bool:
        """Run `work` to its end, or to the stop; say whether it came to its end.

        What `work` raises is raised. Cancellation cancels `work` and goes on.
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
            await running  # raises what it raised
        elif not running.cancelled():
            running.exception()  # seen, and of no interest: its end was asked for
        return is_finished

    def settle(self, *, in_order: bool) -> None:
        """Let those who wait in `settled` go on."""
        self._settled = in_order
        self._over.set()

    async def settled(self) -> bool:
        """Wait for its end; False when it was cut off and nothing is recorded."""
        await self._over.wait()
        return self._settled


class Attempts:
    """All that is in work."""

    def __init__(self) -> None:
        self._by_question: dict[str, Attempt] = {}

    def __len__(self) -> int:
        return len(self._by_question)

    @contextlib.contextmanager
    def begin(self, conversation_id: str, question_id: str, event_id: str) -> Iterator[Attempt]:
        """Enter an attempt, to be found by others until the end of the block."""
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
        """Return a stored message as it stands now: an answer in work is ahead of its row."""
        attempt = self._by_question.get(message.question_id)
        if (
            attempt is None
            or attempt.answer is None
            or (attempt.answer.id, attempt.answer.attempt) != (message.id, message.attempt)
            or message.state not in UNFINISHED
        ):
            return message
        state = State.STREAMING if attempt.text else State.WAITING
        return msgspec.structs.replace(attempt.answer, text=attempt.text, state=state)
