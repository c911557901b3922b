"""The background tasks of a bus: trimming its streams, archiving, serving metrics.

`bus` starts them when it opens and ends them when it closes; the configuration decides which there are.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from titan_bus.archive.archive import Archive
from titan_bus.archive.archiver import Archiver
from titan_bus.archive.restore import Restorer
from titan_bus.config import BusConfig
from titan_bus.connections.connection import Connection
from titan_bus.connections.server_info import eviction_policy, eviction_warning
from titan_bus.erasure.eraser import Eraser
from titan_bus.errors import BusError
from titan_bus.later import Later
from titan_bus.observability.counters import Counters
from titan_bus.publisher import Publisher
from titan_bus.supervisor import keep_going
from titan_bus.trimmer import Trimmer

if TYPE_CHECKING:
    from titan_bus.observability.metrics.exporter import Exporter

logger = logging.getLogger("titan_bus")
NO_ARCHIVE = "the configuration has no archive: set its `archive.target`"


class Maintenance:
    """The background tasks of one bus. Call `prepare` before it connects, `start` and `close` once each.

    Attributes:
        archive: None when the configuration has none.
    """

    def __init__(
        self, connection: Connection, publisher: Publisher, config: BusConfig, counters: Counters
    ) -> None:
        self._connection = connection
        self._config = config
        self._counters = counters
        self.archive = Archive.open(config.archive) if config.archive is not None else None
        ensure_group = self.archiver().ensure_group if self.archive is not None else None
        self._later = Later(connection)
        publisher.on_later, publisher.on_grown = self._later.look_at, self._later.look_once
        self._trimmer = Trimmer(connection, publisher, config, counters, ensure_group)
        self._archiver: Archiver | None = None
        self._exporter: Exporter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def metrics_port(self) -> int | None:
        """The port of the Prometheus metrics; None when none is configured, or it could not be opened."""
        return self._exporter.port if self._exporter is not None else None

    @property
    def archive_failure(self) -> BusError | None:
        """Why the archive cannot be written; None when it can, as far as is known."""
        return None if self._archiver is None else self._archiver.failure

    def prepare(self) -> None:
        """Check that the packages which the configuration needs are installed.

        Raises:
            ExtraMissingError: one is missing.
        """
        if self._config.metrics is not None:
            from titan_bus.observability.metrics.exporter import Exporter  # imports prometheus_client

            self._exporter = Exporter(self._config.metrics, self._connection, self._counters)

    async def start(self) -> None:
        """Warn of a server that deletes keys, and start the tasks."""
        if warning := eviction_warning(await eviction_policy(self._connection)):
            logger.warning("%s", warning)
        self._keep_going(self._trimmer.round, "titan_bus trimming")
        if self.archive is not None:
            self._archiver = self.archiver()
            self._keep_going(self._archiver.archive_if_due, "titan_bus archiving")
        if self._exporter is not None:
            await self._exporter.open()
            if self._closed:  # closed meanwhile
                await self._exporter.close()
            else:
                self._keep_going(self._exporter.round, "titan_bus metrics")

    async def close(self) -> None:
        """Stop at once: a half-written object is written again by the next round of any program."""
        self._closed = True
        await self._later.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._exporter is not None:
            await self._exporter.close()

    def archiver(self) -> Archiver:
        """Return the archiver.

        Raises:
            ValueError: the configuration has no archive.
        """
        if self.archive is None or self._config.archive is None:
            raise ValueError(NO_ARCHIVE)
        return Archiver(self._connection, self.archive, self._config.archive, self._counters)

    def restorer(self) -> Restorer:
        """Return the restorer of the archive.

        Raises:
            ValueError: the configuration has no archive.
        """
        if self.archive is None:
            raise ValueError(NO_ARCHIVE)
        return Restorer(self._connection, self.archive, self._config)

    def eraser(self) -> Eraser:
        """Return the eraser of the server and of the archive, if there is one."""
        return Eraser(self._connection, self.archive)

    def _keep_going(self, step: Callable[[], Awaitable[object]], name: str) -> None:
        self._tasks.append(asyncio.create_task(keep_going(step, name), name=name))
