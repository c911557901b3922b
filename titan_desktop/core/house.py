"""Puts the house together: opens the stores behind the bus, then the services, and closes them in reverse.

`build_services` is the one place that knows every service and every adapter. Whatever is heavy is imported there, in
a thread, after the bus is up, so that a client never waits for it.
"""

import asyncio
import importlib
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from titan_bus import Bus, BusError, Event
from titan_desktop import __version__
from titan_desktop.adapters.keyring_secrets import KeyringSecrets
from titan_desktop.adapters.vault.root_vault import RootVault
from titan_desktop.contracts import topics
from titan_desktop.contracts.system import CoreFailed, CoreReady, SettingsChanged
from titan_desktop.core.board import Board
from titan_desktop.paths import Paths, allowed_roots
from titan_desktop.ports.graph import Graph, GraphError
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.places import Provision

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0


@dataclass(slots=True)
class Ground:
    """What services are built on. `busy` collects those that can say whether work is in hand."""

    paths: Paths
    board: Board
    bus: Bus
    provision: Provision
    redis_url: str = field(repr=False)
    secrets: KeyringSecrets
    vault: RootVault
    busy: list[Callable[[], bool]] = field(default_factory=list)


async def build_services(stack: AsyncExitStack, ground: Ground) -> None:
    """Open PostgreSQL and enter every service that needs it. What is entered last is left first.

    Raises:
        StoreUnavailableError, DatabaseUnavailableError: not now; `House` asks again.
    """
    await asyncio.to_thread(importlib.import_module, "titan_desktop.adapters.postgres.database")
    from titan_desktop.adapters.postgres import history, passages, vectors
    from titan_desktop.adapters.postgres.database import Database

    database = Database(await ground.provision.postgres_dsn())
    await database.open()
    stack.push_async_callback(database.close)
    await database.migrate((*history.MIGRATIONS, *passages.MIGRATIONS, *vectors.MIGRATIONS))
    ground.board.serves("postgres", "PostgreSQL", await database.version())


async def open_graph(stack: AsyncExitStack, ground: Ground) -> None:
    """Open the graph and its service: by itself, because everything else serves without it.

    Raises:
        StoreUnavailableError, GraphError: not now; `House` asks again.
    """
    from titan_desktop.services.graph import GraphService

    endpoint = await ground.provision.graph()
    graph: Graph
    if endpoint.folder is not None:
        await asyncio.to_thread(importlib.import_module, "ladybug")
        from titan_desktop.adapters.ladybug_graph import LadybugGraph

        graph = LadybugGraph(endpoint.folder)
    else:
        from titan_desktop.adapters.neo4j_graph import Neo4jGraph

        graph = Neo4jGraph(endpoint.url)
    await graph.open()
    stack.push_async_callback(graph.close)
    product = await graph.product_version()
    ground.board.serves("graph", product.name, product.version)
    await stack.enter_async_context(GraphService(ground.bus, graph))


class House:
    """Builds in the background while it is entered, tries again what failed, and says on the bus how it went."""

    def __init__(self, paths: Paths, board: Board, bus: Bus, provision: Provision, redis_url: str) -> None:
        self._board = board
        self._bus = bus
        vault = board.vault = RootVault(allowed_roots())
        self._ground = Ground(paths, board, bus, provision, redis_url, KeyringSecrets(), vault)
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        board = self._board
        place = board.settings.stores.redis
        board.serves("redis", "Valkey" if place == "embedded" else "Redis", "reachable")
        self._stack.callback(
            self._bus.on_connection(
                lambda there: board.ails("redis", "" if there else "The transport does not answer.")
            )
        )
        subscription = await self._bus.subscribe(topics.SYSTEM, "system", self._on_system)
        self._stack.push_async_callback(subscription.stop)
        for name, work in (
            ("services", self._build("postgres", build_services)),
            ("graph", self._build("graph", open_graph)),
            ("key", board.look_for_key(self._ground.secrets)),
        ):
            self._tasks.append(asyncio.create_task(work, name=name))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._stack.aclose()

    def is_busy(self) -> bool:
        """Say whether a service has work in hand that should not be cut."""
        return any(busy() for busy in self._ground.busy)

    async def _build(self, store: str, build: Callable[[AsyncExitStack, Ground], Awaitable[None]]) -> None:
        """Build one part, trying again with growing pauses; a part that failed leaves nothing of itself behind."""
        delay_s, said = FIRST_DELAY_S, ""
        while True:
            async with AsyncExitStack() as attempt:
                try:
                    await build(attempt, self._ground)
                except Exception as error:  # noqa: BLE001  # the supervisor: whatever it is, the core stays up
                    sentence = self._sentence(store, error)
                else:
                    self._stack.push_async_callback(attempt.pop_all().aclose)
                    break
            self._board.ails(store, sentence)
            if sentence != said:
                said = sentence
                await self._say(CoreFailed(store=store, sentence=sentence))
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)
        log.info("%s: open", store)
        if store == "postgres":
            self._board.ready = True
            await self._say(CoreReady(pid=os.getpid(), version=__version__))

    @staticmethod
    def _sentence(store: str, error: Exception) -> str:
        if isinstance(error, StoreUnavailableError):
            return error.sentence
        if isinstance(error, GraphError):
            return str(error)
        from titan_desktop.adapters.postgres.database import DatabaseUnavailableError

        if isinstance(error, DatabaseUnavailableError):
            return f"{error}. See that the server runs, and that its address and password are right."
        log.error("%s could not be opened", store, exc_info=error)
        return f"{store} could not be opened: {type(error).__name__}. The details are in core.log."

    async def _say(self, said: CoreReady | CoreFailed) -> None:
        try:
            await self._bus.publish(topics.SYSTEM, topics.type_of(said), said)
        except BusError as error:
            log.warning("could not say %s: %s", topics.type_of(said), error)

    async def _on_system(self, event: Event) -> None:
        if event.event_type == topics.type_of(SettingsChanged):
            self._board.read_settings()
            await self._board.look_for_key(self._ground.secrets)
