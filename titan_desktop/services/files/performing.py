"""Performs one action: prepares it, writes it into the ledger, has it take place, writes down what came of it.

A core that is killed anywhere leaves the command unacknowledged. Delivered again it finds the entry: ended, then
the end is only told once more; begun, then the disk tells whether it has taken place; none, then it begins anew.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from titan_bus import Bus, Event
from titan_desktop.contracts.file_actions import (
    Action,
    ActionEnded,
    ActionKind,
    ActionState,
    OnExists,
    Refusal,
)
from titan_desktop.contracts.message import publish
from titan_desktop.ports.contents import Contents
from titan_desktop.ports.file_changes import ChangeRefusedError, FileChanges
from titan_desktop.ports.files_root import PATH_BYTES_MAX
from titan_desktop.ports.ledger import Entry, Ledger, LedgerUnavailableError
from titan_desktop.services.files.plans import Plan, Ready, has_taken_place, names, prepare
from titan_desktop.services.waiting import until_there

T = TypeVar("T")


class Performer:
    """Performs actions, one at a time. Waits for a ledger that is away: nothing is changed without it."""

    def __init__(self, bus: Bus, changes: FileChanges, contents: Contents, ledger: Ledger) -> None:
        self._bus = bus
        self._changes = changes
        self._contents = contents
        self._ledger = ledger

    async def perform(self, event: Event, plan: Plan) -> Action:
        """Do it, or find that it has been done, and tell how it ended.

        Raises:
            BusError: it could not be told; the command is delivered again.
        """
        action = await self._ended_before(plan.id)
        if action is None:
            action = await self._perform(event, plan)
        if plan.discard_source is not None:
            await in_thread(plan.discard_source)
        await publish(self._bus, ActionEnded(action=action))
        return action

    async def refuse(self, event: Event, plan: Plan, refusal: Refusal, detail: str = "") -> Action:
        """Write down and tell that nothing was done."""
        action = await self._ended_before(plan.id)
        if action is None:
            action = await self._refuse(event, plan, ChangeRefusedError(str(plan.path), refusal, detail))
        await publish(self._bus, ActionEnded(action=action))
        return action

    async def _ended_before(self, action_id: str) -> Action | None:
        """Return an action that has ended, now or before; None: it is to be begun, or begun anew."""
        entry = await self.waiting(lambda: self._ledger.entry_of(action_id))
        if entry is None:
            return None
        if entry.action.state is not ActionState.BEGUN:
            return entry.action
        if await in_thread(functools.partial(has_taken_place, entry, self._changes)):
            return await self._end(_done(entry.action, entry))
        return None

    async def _perform(self, event: Event, plan: Plan) -> Action:
        try:
            plan = await in_thread(functools.partial(self._spelled, plan))
        except ChangeRefusedError as error:
            return await self._refuse(event, plan, error)
        made = plan.target if plan.kind in {ActionKind.MOVE, ActionKind.COPY_OUT} else plan.path
        if made is None:
            raise AssertionError("a move has a target")
        refused = ChangeRefusedError(str(made), Refusal.EXISTS)
        for name in names(made, plan.on_exists):
            try:
                ready = await in_thread(functools.partial(prepare, plan, name, self._changes, self._contents))
                return await self._take_place(event, plan, ready)
            except ChangeRefusedError as error:
                refused = error
                if error.refusal is not Refusal.EXISTS or plan.on_exists is not OnExists.NUMBER:
                    break
        return await self._refuse(event, plan, refused)

    def _spelled(self, plan: Plan) -> Plan:
        """Return the plan with its paths as the index and the ledger spell them."""
        target = plan.target
        if plan.kind is ActionKind.MOVE and target is not None:
            target = self._changes.canonical(target)
        return replace(plan, path=self._changes.canonical(plan.path), target=target)

    async def _take_place(self, event: Event, plan: Plan, ready: Ready) -> Action:
        try:
            entry = _entry(event, plan, ready)
            await self.waiting(lambda: self._ledger.begin(entry))
            await in_thread(ready.change.take_place)
        finally:
            await in_thread(functools.partial(ready.change.__exit__))
        return await self._end(_done(entry.action, entry))

    async def _refuse(self, event: Event, plan: Plan, error: ChangeRefusedError) -> Action:
        action = msgspec.structs.replace(
            _asked(event, plan), state=ActionState.REFUSED, refusal=error.refusal, detail=error.detail
        )
        await self.waiting(lambda: self._ledger.begin(Entry(action=action, event_id=event.event_id)))
        return await self._end(action)

    async def _end(self, action: Action) -> Action:
        await self.waiting(lambda: self._ledger.end(action))
        return action

    @staticmethod
    async def waiting(ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the ledger, waiting while it is away."""
        return await until_there(ask, LedgerUnavailableError)


async def in_thread(work: Callable[[], T]) -> T:
    """Run a step in a thread, and be cancelled only after it: what it works on must not be closed meanwhile."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _asked(event: Event, plan: Plan) -> Action:
    return Action(
        id=plan.id,
        run_id=plan.run_id or plan.id,
        kind=plan.kind,
        path=_clipped(str(plan.path)),
        target=_clipped(str(plan.target or "")),
        requested_by=event.meta.source,
        asked_at=datetime.now(UTC).isoformat(),
        undoes=plan.undoes,
    )


def _clipped(path: str) -> str:
    """Return a path as an event can carry it: a longer one is refused anyway."""
    return path if len(path) <= PATH_BYTES_MAX else f"{path[: PATH_BYTES_MAX - 1]}…"


def _entry(event: Event, plan: Plan, ready: Ready) -> Entry:
    target = ready.target or plan.target
    action = msgspec.structs.replace(
        _asked(event, plan), path=str(ready.path), target=str(target or ""), size=ready.change.size
    )
    return Entry(
        action=action,
        event_id=event.event_id,
        before=ready.before,
        replaced=ready.replaced,
        after=ready.change.digest or ready.digest,
        trashed=ready.change.trashed,
        inode=ready.inode,
    )


def _done(action: Action, entry: Entry) -> Action:
    """Return it as done; `undoable` by what is kept."""
    match action.kind:
        case ActionKind.COPY_OUT:
            undoable = False
        case ActionKind.WRITE | ActionKind.COPY_IN:
            undoable = bool(entry.before) or not entry.replaced
        case ActionKind.DELETE:
            undoable = bool(entry.trashed)
        case _:
            undoable = True
    return msgspec.structs.replace(action, state=ActionState.DONE, undoable=undoable)
