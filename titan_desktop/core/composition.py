"""Composes the core: opens the stores after the bus, then the services, and closes them in reverse.

`build_services` is the only place that imports every service and adapter. Slow imports happen there, in a thread,
after the bus is up, so that no client waits for them.
"""

import asyncio
import importlib
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from titan_bus import Bus, BusError
from titan_bus.backoff import Backoff
from titan_desktop import __version__
from titan_desktop.adapters.extraction.charset import encoding_of
from titan_desktop.adapters.files_root.root import LocalFilesRoot
from titan_desktop.contracts.message import event_type, publish
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.system import (
    CoreReady,
    RootStatus,
    Status,
    StoreChanged,
    StoreStatus,
)
from titan_desktop.core import former_topics
from titan_desktop.core.archiving import archive_problems
from titan_desktop.core.chain import Chain
from titan_desktop.core.folder_consent import consented, folder_problems
from titan_desktop.core.health import Health, Look
from titan_desktop.core.model_choice import Models
from titan_desktop.core.serving import serving
from titan_desktop.core.settings_service import SettingsService
from titan_desktop.ports.graph import OpenGraph
from titan_desktop.provision.places import Provision
from titan_desktop.services.files.browsing import BrowsingService
from titan_desktop.system.paths import Paths, allowed_roots

if TYPE_CHECKING:
    from titan_desktop.adapters.postgres.database import Database
    from titan_desktop.ports.embedder import Embedder
    from titan_desktop.ports.facts import Facts
    from titan_desktop.ports.graph import Graph
    from titan_desktop.services.files.acting import FileActionsService
    from titan_desktop.services.recall import RecallService

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0


@dataclass(slots=True)
class Foundation:
    """What services are built on, and what they register once they run.

    Attributes:
        paths: the folders of this installation.
        busy: callables that return whether a service is working.
        roots: returns the state of the folders; blocking. None before the files service runs.
        look_at_roots: has the files service look at them now. None before it runs.
        scan_roots: has it compare all of them with the index. None before it runs.
        open_graph: the graph while it is open.
        graph_notice: what the person should know of how it opened.
    """

    bus: Bus
    provision: Provision
    redis_url: str = field(repr=False)
    health: Health
    models: Models
    files_root: LocalFilesRoot
    chain: Chain
    paths: Paths
    busy: list[Callable[[], bool]] = field(default_factory=list)
    roots: Callable[[], tuple[RootStatus, ...]] | None = None
    look_at_roots: Callable[[], None] | None = None
    scan_roots: Callable[[], None] | None = None
    open_graph: OpenGraph = field(default_factory=OpenGraph)
    graph_notice: Problem | None = None


async def build_services(stack: AsyncExitStack, foundation: Foundation) -> None:
    """Open PostgreSQL and enter every service that needs it. What is entered last is closed first.

    Raises:
        StoreUnavailableError, DatabaseUnavailableError: not now; `Composition` tries again.
    """
    await _import_beside_the_loop(
        "titan_desktop.adapters.postgres.database", "titan_desktop.adapters.redis.recent_cache"
    )
    from titan_desktop.adapters.extraction.limits import Limits
    from titan_desktop.adapters.extraction.pool import PooledExtractor
    from titan_desktop.adapters.openai.model import OpenAIChatModel
    from titan_desktop.adapters.postgres import (
        erasures,
        facts,
        history,
        passages,
        schema,
        vectors,
    )
    from titan_desktop.adapters.postgres.database import Database
    from titan_desktop.adapters.redis.recent_cache import RedisRecentCache
    from titan_desktop.core.backup.making import BackupService
    from titan_desktop.services.chat import ChatService
    from titan_desktop.services.facts import FactsService
    from titan_desktop.services.files import FilesService
    from titan_desktop.services.forgetting import ForgettingService
    from titan_desktop.services.graph import GraphFiller
    from titan_desktop.services.indexing import IndexingService
    from titan_desktop.services.search import SearchService

    bus = foundation.bus
    database = Database(await foundation.provision.postgres_dsn())
    await database.open()
    stack.push_async_callback(database.close)
    await database.migrate(schema.MIGRATIONS)
    version = await database.version()

    index = passages.PostgresPassages(database)
    extractor = await stack.enter_async_context(
        PooledExtractor(
            foundation.files_root,
            foundation.paths.run / "extraction",
            Limits(file_bytes=foundation.models.settings.folders.largest_mb * 1024 * 1024),
        )
    )
    meanings = vectors.PostgresVectors(database)
    indexing = IndexingService(bus, index, meanings, extractor, foundation.files_root)
    search = SearchService(index, meanings, indexing.serving_embedder)

    cache = RedisRecentCache(foundation.redis_url)
    stack.push_async_callback(cache.close)
    model = OpenAIChatModel()
    stack.push_async_callback(model.close)
    chat = ChatService(bus, history.PostgresHistory(database), cache, model, facts.PostgresFacts(database))

    forgetting = ForgettingService(
        bus, erasures.PostgresErasures(database), facts.PostgresMemoryErasures(database)
    )
    files = FilesService(bus, foundation.files_root, index)
    backup = BackupService(bus, database, foundation.paths)
    known = facts.PostgresFacts(database)
    filler = GraphFiller(index, foundation.open_graph, lambda: foundation.files_root.roots)
    facts_service = FactsService(
        bus, known, foundation.open_graph, foundation.models.settings.memory.facts, filler.refill
    )
    actions = _actions(foundation, database)

    await stack.enter_async_context(serving(bus, foundation.chain, indexing))
    await foundation.models.serve(chat, indexing)
    stack.push_async_callback(foundation.models.forget)
    recall = await _recall(stack, foundation, known, indexing.serving_embedder)
    for service in (search, chat, facts_service, forgetting, files, backup, actions, recall):
        await stack.enter_async_context(serving(bus, foundation.chain, service))
    await stack.enter_async_context(filler)
    foundation.roots = files.roots_status
    foundation.look_at_roots, foundation.scan_roots = files.look_at_roots, files.scan_roots
    foundation.busy[:] = [one.busy for one in (chat, indexing, files, forgetting, backup, actions, recall)]
    # Last, because an attempt that fails at a service would otherwise report the store as up and down at each try.
    foundation.health.mark_serving("postgres", "PostgreSQL", version, database.look)
    stack.callback(foundation.health.mark_closed, "postgres")


def _actions(foundation: Foundation, database: "Database") -> "FileActionsService":
    """Return the service that changes files, with its ledger and the former contents."""
    from titan_desktop.adapters.contents import FolderContents
    from titan_desktop.adapters.files_root.changing import LocalFileChanges
    from titan_desktop.adapters.postgres.forgotten_texts import PostgresForgottenTexts
    from titan_desktop.adapters.postgres.ledger import PostgresLedger
    from titan_desktop.services.files.acting import FileActionsService

    return FileActionsService(
        foundation.bus,
        foundation.files_root,
        LocalFileChanges(foundation.files_root),
        FolderContents(foundation.paths.contents, foundation.paths.handed),
        PostgresLedger(database),
        PostgresForgottenTexts(database),
    )


async def _recall(
    stack: AsyncExitStack, foundation: Foundation, facts: "Facts", embedder: "Callable[[], Embedder | None]"
) -> "RecallService":
    """Open the index of messages, whose tables are in a schema of their own."""
    from titan_desktop.adapters.postgres import turns, vectors
    from titan_desktop.adapters.postgres.database import Database
    from titan_desktop.services.recall import RecallService

    database = Database(await foundation.provision.postgres_dsn(), size=4, schema=turns.SCHEMA)
    await database.open()
    stack.push_async_callback(database.close)
    await database.migrate(turns.MIGRATIONS)
    index, meanings = turns.PostgresTurns(database), vectors.PostgresVectors(database)
    return RecallService(foundation.bus, index, meanings, facts, embedder)


async def open_graph(stack: AsyncExitStack, foundation: Foundation) -> None:
    """Open the graph and its service, separately, because everything else works without it.

    Raises:
        StoreUnavailableError, GraphError: not now; `Composition` tries again.
    """
    from titan_desktop.services.graph import GraphService

    endpoint = await foundation.provision.graph()
    graph: Graph
    look: Look | None = None  # a store in this process cannot go away
    if endpoint.folder is not None:
        await _import_beside_the_loop("ladybug")
        from titan_desktop.adapters.graph.ladybug import LadybugGraph

        graph = embedded = LadybugGraph(endpoint.folder)
    else:
        from titan_desktop.adapters.graph.neo4j import Neo4jGraph

        graph = server = Neo4jGraph(endpoint.url)
        embedded = None
        look = server.look
    await graph.open()
    if embedded is not None and embedded.moved_aside is not None:
        foundation.graph_notice = Problem(Code.GRAPH_REMADE, {"folder": str(embedded.moved_aside)})
    stack.push_async_callback(graph.close)
    product = await graph.product_version()
    await stack.enter_async_context(serving(foundation.bus, foundation.chain, GraphService(graph)))
    foundation.open_graph.use(graph)
    stack.callback(foundation.open_graph.drop)
    foundation.health.mark_serving("graph", product.name, product.version, look)
    stack.callback(foundation.health.mark_closed, "graph")


async def _import_beside_the_loop(*names: str) -> None:
    """Import slow modules in a thread; the import statement that follows is then fast."""
    for name in names:
        await asyncio.to_thread(importlib.import_module, name)


class Composition:
    """Builds the parts in the background, retries those that failed, and publishes the results."""

    def __init__(
        self,
        bus: Bus,
        chain: Chain,
        provision: Provision,
        health: Health,
        models: Models,
        redis_url: str,
        paths: Paths,
    ) -> None:
        self._bus = bus
        self._health = health
        self._models = models
        files_root = LocalFilesRoot(
            allowed_roots(), consented=consented(models.settings), hidden=models.settings.folders.hidden
        )
        self._foundation = Foundation(bus, provision, redis_url, health, models, files_root, chain, paths)
        self._is_ready = False
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._telling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        health = self._health
        health.on_change(self._tell)
        health.mark_serving("redis", "Redis", "-")
        self._stack.callback(
            self._bus.on_connection(
                lambda there: health.server_changed(
                    "redis", None if there else Problem(Code.TRANSPORT_SILENT)
                )
            )
        )
        chain = self._foundation.chain
        browsing = BrowsingService(self._foundation.files_root, encoding_of)
        await self._stack.enter_async_context(serving(self._bus, chain, browsing))
        await self._stack.enter_async_context(
            serving(self._bus, chain, SettingsService(self._bus, self._models, self._consent))
        )
        for name, work in (
            ("former topics", former_topics.settle(self._bus, chain)),
            ("services", self._build("postgres", build_services)),
            ("graph", self._build("graph", open_graph)),
            ("models", self._models.look()),
            ("redis", self._look_at_redis()),
            ("health", health.watch()),
        ):
            self._tasks.append(asyncio.create_task(work, name=name))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._tasks, *self._telling):
            task.cancel()
        await asyncio.wait({*self._tasks, *self._telling})
        await self._stack.aclose()

    def _consent(self) -> None:
        """Look at the folders anew, because the person may allow others now, or hidden files."""
        files_root, settings = self._foundation.files_root, self._models.settings
        files_root.consent(consented(settings))
        if files_root.read_hidden(hidden=settings.folders.hidden) and self._foundation.scan_roots:
            self._foundation.scan_roots()
        if look := self._foundation.look_at_roots:
            look()

    async def status(self) -> Status:
        """Collect the status of everything."""
        stores, roots, dead_letters = await asyncio.gather(
            self._health.stores(), asyncio.to_thread(self._roots), self._bus.dead_letters.count()
        )
        return Status(
            version=__version__,
            pid=os.getpid(),
            ready=self._is_ready,
            stores=stores,
            model=self._models.model,
            embedder=self._models.embedder,
            roots=roots,
            problems=(
                *self._models.problems,
                *([notice] if (notice := self._foundation.graph_notice) else []),
                *archive_problems(self._bus),
                *folder_problems(self._foundation.files_root, self._models.settings_file),
            ),
            dead_letters=dead_letters,
        )

    def is_busy(self) -> bool:
        """Whether a service has work that should not be interrupted."""
        return any(busy() for busy in self._foundation.busy)

    async def _look_at_redis(self) -> None:
        """Find the product and version of the transport's server."""

        def ask() -> tuple[str, str]:
            import redis

            try:
                with redis.Redis.from_url(self._foundation.redis_url) as server:
                    info = server.info("server")
            except (redis.RedisError, OSError) as error:  # INFO may be forbidden; nothing depends on it
                log.info("the transport does not say its version: %s", error)
                info = {}
            product = "Valkey" if "valkey_version" in info else "Redis"
            return product, str(info.get(f"{product.lower()}_version", "-"))

        self._health.mark_serving("redis", *await asyncio.to_thread(ask))

    def _roots(self) -> tuple[RootStatus, ...]:
        if ask := self._foundation.roots:
            return ask()
        files_root = self._foundation.files_root
        return tuple(
            RootStatus(path=str(root), exists=files_root.pinned(root) is not None)
            for root in files_root.roots
        )

    async def _build(
        self, store: str, build: Callable[[AsyncExitStack, Foundation], Awaitable[None]]
    ) -> None:
        """Build one part, retrying with growing pauses; a failed attempt leaves nothing open."""
        backoff = Backoff(FIRST_DELAY_S, LONGEST_DELAY_S, jitter=False)
        while True:
            async with AsyncExitStack() as attempt:
                try:
                    await build(attempt, self._foundation)
                except Exception as error:  # noqa: BLE001  # a supervisor: the core stays up after any error
                    failure = error
                else:
                    self._stack.push_async_callback(attempt.pop_all().aclose)
                    break
            self._health.mark_failed(store, failure)
            await backoff.pause()
        if store == "postgres":
            self._is_ready = True
            await self._say(CoreReady(pid=os.getpid(), version=__version__))

    def _tell(self, store: StoreStatus) -> None:
        telling = asyncio.create_task(self._say(StoreChanged(store=store)), name=f"tell of {store.name}")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _say(self, said: CoreReady | StoreChanged) -> None:
        try:
            await publish(self._bus, said)
        except BusError as error:
            log.warning("%s could not be published: %s", event_type(type(said)), error)
