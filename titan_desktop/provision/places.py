"""Combines the places of the stores: embedded, Docker or external, in any mixture. The core's entry point."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Protocol, Self

from titan_desktop.provision.docker import Docker
from titan_desktop.provision.embedded import Embedded, OnChange
from titan_desktop.provision.endpoints import Endpoints, GraphEndpoint
from titan_desktop.provision.external import External
from titan_desktop.settings import StoreSettings
from titan_desktop.system.paths import Paths


class Source(Protocol):
    """One place. `url` waits for the store and may be called again after StoreUnavailableError."""

    async def url(self, store: str) -> str:
        """Return the store's URL."""
        ...


class Provision:
    """Starts what is necessary while it is entered.

    Args:
        chosen: the place of each store.
        paths: the folders of embedded servers and Docker.
        on_change: called when an embedded server fails or is back.
        environment: names the external servers.
    """

    def __init__(
        self,
        chosen: StoreSettings,
        paths: Paths,
        on_change: OnChange,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._chosen = chosen
        self._paths = paths
        self._on_change = on_change
        self._environment = environment
        self._stack = AsyncExitStack()
        self._embedded: Embedded | None = None
        self._sources: dict[str, Source] = {}

    async def __aenter__(self) -> Self:
        chosen = {"redis": self._chosen.redis, "postgres": self._chosen.postgres, "graph": self._chosen.graph}

        def stores_from(place: str) -> list[str]:
            return [store for store, its_place in chosen.items() if its_place == place]

        if embedded := [store for store in stores_from("embedded") if store != "graph"]:
            self._embedded = Embedded(self._paths, embedded, self._on_change)
            await self._stack.enter_async_context(self._embedded)
            self._sources |= dict.fromkeys(embedded, self._embedded)
        if in_docker := stores_from("docker"):
            self._sources |= dict.fromkeys(in_docker, Docker(self._paths, in_docker))
        self._sources |= dict.fromkeys(stores_from("external"), External(self._environment))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop what was started."""
        await self._stack.aclose()

    @property
    def lost(self) -> "asyncio.Task[None] | None":
        """Ends when the embedded servers are lost; None when there are none."""
        return self._embedded.lost if self._embedded is not None else None

    async def redis_url(self) -> str:
        """Return the transport's URL as soon as it answers. Raises StoreUnavailableError."""
        return await self._sources["redis"].url("redis")

    async def postgres_dsn(self) -> str:
        """Return PostgreSQL's DSN as soon as it answers. Raises StoreUnavailableError."""
        return await self._sources["postgres"].url("postgres")

    async def graph(self) -> GraphEndpoint:
        """Return the graph's folder, or its URL and credentials. Raises StoreUnavailableError."""
        place = self._chosen.graph
        if place == "embedded":
            return GraphEndpoint(place=place, folder=self._paths.data / "graph")
        return GraphEndpoint(place=place, url=await self._sources["graph"].url("graph"))

    async def endpoints(self) -> Endpoints:
        """Return all three, started concurrently. Raises StoreUnavailableError."""
        redis_url, postgres_dsn, graph = await asyncio.gather(
            self.redis_url(), self.postgres_dsn(), self.graph()
        )
        return Endpoints(redis_url, postgres_dsn, graph)
