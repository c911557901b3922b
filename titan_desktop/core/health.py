"""The state of each store: checked on request and every few seconds, and published once when it changes.

It must be checked, because an idle connection pool does not notice that its server has gone, and no driver notices
one that hangs. Only the transport reports by itself, and a request has just come through it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import msgspec

from titan_desktop.client import problems
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.system import StoreStatus
from titan_desktop.ports.graph import GraphError, GraphUnavailableError
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.settings import StoreSettings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
LOOK_PATIENCE_S = 5.0
"""A store that does not answer within this time has failed."""
ANSWER_S = 1.0
"""A request does not wait longer for a check; clients allow 1.5 s for the whole answer (`client.connect`)."""

Look = Callable[[], Awaitable[None]]
"""Checks an open store; raises what is wrong with it."""


@dataclass(slots=True)
class _Store:
    status: StoreStatus
    look: Look | None = None
    looking: asyncio.Task[None] | None = None


class Health:
    """The states of the three stores. Call it on the loop.

    Args:
        places: where each store comes from.
    """

    def __init__(self, places: StoreSettings) -> None:
        self._on_change: Callable[[StoreStatus], None] = lambda _status: None
        self._stores = {
            name: _Store(
                StoreStatus(name=name, place=place, ok=False, problem=Problem(Code.STARTING), opening=True)
            )
            for name, place in {
                "redis": places.redis,
                "postgres": places.postgres,
                "graph": places.graph,
            }.items()
        }

    def on_change(self, tell: Callable[[StoreStatus], None]) -> None:
        """Call `tell` once for each change of a store's state."""
        self._on_change = tell

    def mark_serving(self, store: str, product: str, version: str, look: Look | None = None) -> None:
        """Record that a store is open; `look` checks it until `mark_closed`."""
        self._stores[store].look = look
        self._change(store, ok=True, product=product, version=version, problem=None)

    def mark_failed(self, store: str, error: Exception) -> None:
        """Record why a store cannot be used. The same error again is neither published nor logged."""
        if self._change(store, ok=False, problem=_problem(store, error)) and not _is_foreseen(error):
            log.error("%s failed", store, exc_info=error)

    def mark_closed(self, store: str) -> None:
        """Record that a store was closed: it is not checked any more."""
        self._stores[store].look = None

    def server_changed(self, store: str, problem: Problem | None) -> None:
        """Record that a store's server has failed, or with None that it runs."""
        if problem is not None:
            self._change(store, ok=False, problem=problem)
        elif self._stores[store].status.version:  # else opening the store shows whether it can be used
            self._change(store, ok=True, problem=None)

    async def stores(self) -> tuple[StoreStatus, ...]:
        """Check every open store and return all states, within ANSWER_S."""
        looks = self._begin_looks()
        if looks:
            await asyncio.wait(looks.values(), timeout=ANSWER_S)
        return tuple(
            _unanswered(store.status) if name in looks and not looks[name].done() else store.status
            for name, store in self._stores.items()
        )

    async def watch(self) -> None:
        """Check every open store repeatedly, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if looks := self._begin_looks():
                await asyncio.wait(looks.values())

    def _begin_looks(self) -> dict[str, asyncio.Task[None]]:
        """Return a running check of each open store; concurrent callers share it."""
        looks = {}
        for name, store in self._stores.items():
            if store.look is None:
                continue
            if store.looking is None or store.looking.done():
                store.looking = asyncio.create_task(self._look(name, store.look), name=f"look at {name}")
            looks[name] = store.looking
        return looks

    async def _look(self, name: str, look: Look) -> None:
        store = self._stores[name]
        try:
            async with asyncio.timeout(LOOK_PATIENCE_S):
                await look()
        except Exception as error:  # noqa: BLE001  # a supervisor: after any error the store has failed
            if store.look is look and store.status.ok:  # else it was closed, or a better reason is known
                self.mark_failed(name, error)
        else:
            if store.look is look:
                self._change(name, ok=True, problem=None)

    def _change(self, store: str, **fields: object) -> bool:
        """Update a store's state. Returns whether it changed."""
        was = self._stores[store].status
        now = self._stores[store].status = msgspec.structs.replace(was, opening=False, **fields)
        if _gist(now) == _gist(was):
            return False
        if now.ok:
            log.info("%s: %s %s serves", store, now.product, now.version)
        elif now.problem is not None:
            log.warning("%s: %s", store, problems.say("en", now.problem))
        self._on_change(now)
        return True


def _gist(status: StoreStatus) -> StoreStatus:
    """Remove the detail: the last lines of a log differ at each try."""
    if status.problem is None:
        return status
    return msgspec.structs.replace(status, problem=replace(status.problem, detail=""))


def _unanswered(status: StoreStatus) -> StoreStatus:
    """Return the state of a store whose check is still running: it does not answer."""
    if not status.ok:
        return status
    return msgspec.structs.replace(status, ok=False, problem=_silent(status.product, ANSWER_S))


def _silent(product: str, seconds: float) -> Problem:
    return Problem(Code.SILENT, {"product": product, "seconds": f"{seconds:g}"})


def _is_foreseen(error: Exception) -> bool:
    from titan_desktop.adapters.postgres.database import DatabaseUnavailableError

    return isinstance(error, StoreUnavailableError | GraphError | DatabaseUnavailableError | TimeoutError)


def _problem(store: str, error: Exception) -> Problem:
    """Return why a store cannot be used."""
    if isinstance(error, StoreUnavailableError | GraphUnavailableError):
        return error.problem
    if isinstance(error, TimeoutError):
        return _silent(store, LOOK_PATIENCE_S)
    from titan_desktop.adapters.postgres.database import DatabaseUnavailableError

    if isinstance(error, DatabaseUnavailableError):
        return Problem(Code.REFUSED, {"reason": error.reason})
    return Problem(Code.UNUSABLE, {"store": store, "error": type(error).__name__})
