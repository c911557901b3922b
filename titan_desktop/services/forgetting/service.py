"""The forgetting service: is notified of deletions, and erases what is due, including what a killed core left."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from titan_bus import Bus, BusError, Handlers
from titan_bus.backoff import Backoff
from titan_desktop.contracts.chat import CommandVoid, ConversationChanged
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.forgetting import ConversationForgotten
from titan_desktop.contracts.memory import MemoryErased, MemoryForgotten
from titan_desktop.contracts.message import publish
from titan_desktop.ports.erasures import Erasures, ErasuresUnavailableError, MemoryErasures
from titan_desktop.services.forgetting import remembering
from titan_desktop.services.forgetting.erasing import FilesUnwrittenError, erase
from titan_desktop.services.waiting import until_there
from titan_desktop.system.outage import Outage

GROUP = "forgetting"
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0
"""Each try reads everything; a full disk may last."""

_log = logging.getLogger(__name__)


class ForgettingService:
    """Erases in the background. The store has what is due; events only wake the task."""

    drain_s = 1.0

    def __init__(self, bus: Bus, erasures: Erasures, memory_erasures: MemoryErasures) -> None:
        self._bus = bus
        self._erasures = erasures
        self._memory_erasures = memory_erasures
        self._due = asyncio.Event()
        self._is_erasing = False
        self._working: asyncio.Task[None] | None = None
        self.handlers = Handlers()
        # Events published before this group existed are found in the store.
        take(
            self.handlers,
            GROUP,
            self.conversation_changed,
            self.command_void,
            self.memory_forgotten,
            start="$",
        )
        tell(self.handlers, ConversationForgotten, MemoryErased)

    async def __aenter__(self) -> Self:
        self._due.set()
        self._working = asyncio.create_task(self._work(), name="forgetting")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})

    def busy(self) -> bool:
        """Whether something is being erased: it may be interrupted, but would wait for the next start."""
        return self._is_erasing

    async def conversation_changed(self, changed: ConversationChanged) -> None:
        """Start when a conversation was deleted."""
        if changed.deleted:
            self._due.set()

    async def command_void(self, void: CommandVoid) -> None:
        """Erase a deleted conversation once more: a late question to it is on the bus."""
        await until_there(lambda: self._erasures.again(void.conversation_id), ErasuresUnavailableError)
        self._due.set()

    async def memory_forgotten(self, _forgotten: MemoryForgotten) -> None:
        """Start when facts were forgotten."""
        self._due.set()

    async def _work(self) -> None:
        """Erase what is due, until cancelled: the supervisor of the erasing."""
        outage = Outage(_log, "forgetting")
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            await self._due.wait()
            self._due.clear()
            self._is_erasing = True
            try:
                await self._erase_all()
            except Exception as error:  # noqa: BLE001 - a supervisor: every error is retried
                foreseen = isinstance(error, BusError | ErasuresUnavailableError | FilesUnwrittenError)
                outage.begins(error, foreseen=foreseen)
            else:
                outage.ends()
                backoff.reset()
                continue
            finally:
                self._is_erasing = False
            await backoff.pause()
            self._due.set()

    async def _erase_all(self) -> None:
        await self._erase_conversations()
        await self._erase_memory()

    async def _erase_memory(self) -> None:
        while unerased := await self._memory_erasures.unerased():
            receipts = await remembering.erase(self._bus, self._memory_erasures, unerased)
            for one, receipt in zip(unerased, receipts, strict=True):
                # Told first: a receipt that is told twice counts once, one that a kill left out is missed.
                await publish(self._bus, receipt)
                await self._memory_erasures.done(one, complete=receipt.complete)
                _log.info("what was forgotten is erased: %s", one.subject_id)

    async def _erase_conversations(self) -> None:
        while unerased := await self._erasures.unerased():
            is_complete = await erase(self._bus, self._erasures, unerased)
            if left := await self._erasures.rewrite():
                _log.warning("something of what was erased may be left in the store's files: %s", left)
                is_complete = False
            for one in unerased:
                events = await self._erasures.done(one, complete=is_complete)
                if events is None:
                    continue
                _log.info("conversation %s is forgotten: %d events", one.conversation_id, events)
                forgotten = ConversationForgotten(
                    conversation_id=one.conversation_id, events=events, complete=is_complete
                )
                await publish(self._bus, forgotten)
