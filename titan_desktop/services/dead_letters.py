"""Lists, redrives and drops the dead letters of the services, and publishes changes of their number.

The bus writes them (`titan_bus.deadletter`); this service does not interpret why an event failed.
"""

import asyncio
import logging
import re
from types import TracebackType
from typing import Self

import msgspec

from titan_bus import Bus, BusError, Event, Handlers, RequestRefused
from titan_bus.deadletter import DeadLetter as Letter
from titan_bus.errors import PayloadMismatchError
from titan_desktop.contracts.dead_letters import (
    DeadLetter,
    DeadLetterPage,
    DeadLettersChanged,
    DropDeadLetters,
    ListDeadLetters,
    RedriveDeadLetters,
)
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.message import publish
from titan_desktop.system.outage import Outage

GROUP = "dead_letters"
LOOK_S = 2.0
"""How often changes are looked for: any program's consumer may have written a dead letter."""
SHOWN_MAX = 200
SUBJECT_CHARS_MAX = 200
MESSAGE_CHARS_MAX = 1_000
_LETTER_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")

_log = logging.getLogger(__name__)


class _Subject(msgspec.Struct):
    """The fields by which the application's events name their subject."""

    text: str = ""
    path: str = ""
    title: str = ""


class DeadLetterService:
    """Handles the requests and commands on dead letters, and publishes changes."""

    drain_s = 1.0

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._watching: asyncio.Task[None] | None = None
        self._said = (0, "")
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.list_dead_letters)
        take(self.handlers, GROUP, self.redrive_dead_letters, self.drop_dead_letters)
        tell(self.handlers, DeadLettersChanged)

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch(), name="dead letters")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def _watch(self) -> None:
        outage = Outage(_log, "dead letters: watch")
        while True:
            try:
                await self._say_if_others()
            except BusError as error:
                outage.begins(error, foreseen=True)
            else:
                outage.ends()
            await asyncio.sleep(LOOK_S)

    async def list_dead_letters(self, wanted: ListDeadLetters) -> DeadLetterPage:
        """Return one page, the newest first, and the number of dead letters.

        Raises:
            RequestRefused: `not_found`, for an invalid cursor.
        """
        limit, cursor = max(1, min(wanted.limit, SHOWN_MAX)), wanted.cursor
        if cursor and not _LETTER_ID.fullmatch(cursor):
            raise RequestRefused("not_found", cursor)
        count = await self._bus.dead_letters.count()
        found = await self._bus.dead_letters.list(limit + 1, before=cursor or None)
        letters = found[:limit]
        return DeadLetterPage(
            count=max(count, len(found)),  # one more may have been added meanwhile
            letters=tuple(_shown(letter) for letter in letters),
            more=len(found) > limit,
            cursor=letters[-1].letter_id if letters else "",
        )

    async def redrive_dead_letters(self, wanted: RedriveDeadLetters) -> None:
        """Redrive some to the groups that failed."""
        for letter_id in wanted.letter_ids:
            try:
                await self._bus.dead_letters.redrive(letter_id)
            except ValueError as error:  # its origin is no topic: another program wrote it
                _log.warning("%s stays a dead letter: %s", letter_id, error)
        await self._say()

    async def drop_dead_letters(self, wanted: DropDeadLetters) -> None:
        """Remove some for good."""
        await self._bus.dead_letters.drop(*wanted.letter_ids)
        await self._say()

    async def _say_if_others(self) -> None:
        if await self._newest() != self._said:
            await self._say()

    async def _say(self) -> None:
        newest = await self._newest()
        await publish(self._bus, DeadLettersChanged(count=newest[0]))
        self._said = newest

    async def _newest(self) -> tuple[int, str]:
        """Return the number of dead letters and the newest id: every change changes one of the two."""
        letters = await self._bus.dead_letters.list(1)
        return await self._bus.dead_letters.count(), letters[0].letter_id if letters else ""


def _shown(letter: Letter) -> DeadLetter:
    origin = letter.origin
    return DeadLetter(
        letter_id=letter.letter_id,
        event_type=letter.event.event_type if letter.event is not None else "",
        group=origin.group,
        subject=_subject_of(letter.event) if letter.event is not None else "",
        error=origin.error,
        message=origin.message[:MESSAGE_CHARS_MAX],
        at=origin.at,
    )


def _subject_of(event: Event) -> str:
    try:
        named = event.payload_as(_Subject)
    except PayloadMismatchError:  # perhaps the reason why it is a dead letter
        return ""
    line = " ".join((named.text or named.path or named.title).split())
    if len(line) <= SUBJECT_CHARS_MAX:
        return line
    if named.path and not named.text:
        return "…" + line[1 - SUBJECT_CHARS_MAX :]  # a file's name is at the end
    return line[: SUBJECT_CHARS_MAX - 1] + "…"
