"""Publishes an answer while it grows: deltas for the windows, and a stored copy in case of a crash.

Tokens come too often to be an event each, so deltas are published at most 20 times a second. Neither a bus that is
away nor a slow store blocks the model: the reader only appends to the text, and two loops publish and store it.
"""

import asyncio
import logging
from types import TracebackType
from typing import Self

from titan_bus import Bus, BusError
from titan_desktop.contracts.chat import AssistantDelta, Message
from titan_desktop.contracts.message import publish
from titan_desktop.ports.history import History, HistoryUnavailableError
from titan_desktop.services.chat.attempts import Attempt
from titan_desktop.system.outage import Outage

DELTA_PAUSE_S = 0.05
SAVE_PAUSE_S = 1.0
THOUGHTS_CHARS_MAX = 200_000
DELTA_CHARS_MAX = 4_000
"""They fit into an event, even as \\u escapes."""

_log = logging.getLogger(__name__)


class DeltaPublisher:
    """Within the block, `add` text; `attempt.text` and the windows follow, the history at most a second later.

    Of thoughts the windows hear only that there are some: they are long, and folded away.
    """

    def __init__(self, bus: Bus, history: History, attempt: Attempt, answer: Message) -> None:
        self._bus = bus
        self._history = history
        self._attempt = attempt
        self._answer = answer
        self._begins_at = len(attempt.text)
        self._thought: list[str] = []
        self._has_thought = self._thinks = self._restarts = False
        self._pieces: list[str] = []
        self._fresh = asyncio.Event()
        self._unsaid = Outage(_log, f"answer {answer.id}: saying it piece by piece")
        self._loops: list[asyncio.Task[None]] = []

    def add(self, piece: str) -> None:
        """Append a piece of the answer."""
        self._pieces.append(piece)
        self._fresh.set()

    def think(self, piece: str) -> None:
        """Append a piece of the thoughts. Beyond THOUGHTS_CHARS_MAX they are not kept."""
        self._thought.append(piece)
        if not self._has_thought and piece.strip():
            self._has_thought = self._thinks = True
            self._fresh.set()

    def were_thoughts(self) -> None:
        """Take all text of this attempt for thoughts, also what the windows show already."""
        said = self._attempt.text[self._begins_at :] + "".join(self._pieces)
        self._pieces.clear()
        self._attempt.text = self._attempt.text[: self._begins_at]
        self.think(said)
        self._restarts = True
        self._fresh.set()

    async def __aenter__(self) -> Self:
        for loop in (self._say_in_time, self._save_in_time):
            self._loops.append(asyncio.create_task(loop(), name=f"chat {loop.__name__} {self._answer.id}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for loop in self._loops:
            loop.cancel()
        await asyncio.wait(self._loops)
        self._take()

    def _take(self) -> str:
        """Move the appended pieces into the attempt and return the text among them."""
        text = "".join(self._pieces)
        self._attempt.text += text
        self._attempt.thoughts = (self._attempt.thoughts + "".join(self._thought))[:THOUGHTS_CHARS_MAX]
        self._pieces.clear()
        self._thought.clear()
        return text

    async def _say_in_time(self) -> None:
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            offset = len(self._attempt.text)
            text = self._take()
            if self._thinks or self._restarts:
                restarts, self._thinks, self._restarts = self._restarts, False, False
                await self._say(offset, "", thoughts=len(self._attempt.thoughts), restarts=restarts)
            for start in range(0, len(text), DELTA_CHARS_MAX):
                await self._say(offset + start, text[start : start + DELTA_CHARS_MAX])
            await asyncio.sleep(DELTA_PAUSE_S)

    async def _say(self, offset: int, text: str, *, thoughts: int = 0, restarts: bool = False) -> None:
        """Publish one delta. The window detects a lost one by the next one's offset."""
        delta = AssistantDelta(
            conversation_id=self._attempt.conversation_id,
            question_id=self._attempt.question_id,
            answer_id=self._answer.id,
            attempt=self._answer.attempt,
            offset=offset,
            text=text,
            thoughts=thoughts,
            restarts=restarts,
        )
        try:
            await publish(self._bus, delta)
        except BusError as error:
            self._unsaid.begins(error, foreseen=True)
        else:
            self._unsaid.ends()

    async def _save_in_time(self) -> None:
        saved = 0
        outage = Outage(_log, f"answer {self._answer.id}: saving it so far")
        while True:
            await asyncio.sleep(SAVE_PAUSE_S)
            text = self._attempt.text
            if len(text) == saved:
                continue
            try:
                is_ours = await self._history.save(self._answer.id, self._answer.attempt, text)
            except HistoryUnavailableError as error:
                outage.begins(error, foreseen=True)
                continue
            outage.ends()
            if not is_ours:  # stopped through another core, begun again there, or deleted
                self._attempt.stop()
                return
            saved = len(text)
