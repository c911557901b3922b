"""The client of an OpenAI-compatible endpoint, for chat and embeddings: created, shared and closed here alone.

The `openai` package takes a second to import, and a client tens of milliseconds to create (certificates,
connection pool), so both happen in a thread.
"""

import asyncio
import contextlib
import importlib
import os
import platform
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from titan_desktop.adapters.openai.errors import translated
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError
from titan_desktop.settings import is_endpoint, origin, origin_of_key, shown_url

if TYPE_CHECKING:
    import openai

NO_KEY = "none"
"""Sent to a local server that needs no key, because the package requires one."""


@dataclass
class _Pool:
    """The connections to one endpoint with one key, and the number of running requests.

    Attributes:
        proxy: the one that leads there, as it may be told; "" for none.
    """

    client: "openai.AsyncOpenAI"
    proxy: str
    base_url: str = field(repr=False)
    key: str = field(repr=False)
    readers: int = 0


class OpenAIClient:
    """Keeps the connections to the endpoint used last. It never retries; the callers do.

    Args:
        connect_timeout_s: until the connection is established.
    """

    def __init__(self, *, connect_timeout_s: float = 10.0) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._pool: _Pool | None = None
        self._changing = asyncio.Lock()

    async def warm(self) -> None:
        """Load the package."""
        await asyncio.to_thread(_package)

    async def close(self) -> None:
        """Close all connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.client.close()

    @contextlib.asynccontextmanager
    async def client_for(self, endpoint: Endpoint) -> AsyncIterator["openai.AsyncOpenAI"]:
        """Yield the package's client for an endpoint. Its errors leave the block as ModelError.

        After a change of settings the former client is closed after its last request.

        Raises:
            ModelError: BAD_ADDRESS, the base URL is invalid or holds a secret; WRONG_KEY, the key cannot be in a
                header; PROXY_UNUSABLE and CERTIFICATES_UNUSABLE, the environment names what cannot be used.
        """
        _check(endpoint)
        async with self._changing:
            pool = self._pool
            if pool is None or (pool.base_url, pool.key) != (endpoint.base_url, endpoint.key):
                client, proxy = await asyncio.to_thread(self._make, endpoint)
                self._pool, former = _Pool(client, proxy, endpoint.base_url, endpoint.key), pool
                if former is not None and not former.readers:
                    await former.client.close()
                pool = self._pool
            pool.readers += 1
        try:
            with translated(endpoint, proxy=pool.proxy):
                yield pool.client
        finally:
            pool.readers -= 1
            if pool is not self._pool and not pool.readers:
                await pool.client.close()

    def _make(self, endpoint: Endpoint) -> tuple["openai.AsyncOpenAI", str]:
        package = _package()
        from titan_desktop.adapters.openai.transport import http_client

        http, proxy = http_client(endpoint.base_url)
        client: openai.AsyncOpenAI = package.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key or NO_KEY,
            max_retries=0,  # a rate limit must be reported at once, not after three silent waits
            timeout=package.Timeout(None, connect=self._connect_timeout_s),
            http_client=http,
        )
        if origin(endpoint.base_url) != origin_of_key(os.environ) or not endpoint.key:
            # OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS are somebody else's, as the key is.
            client.organization = client.project = None
            client._custom_headers = {}  # noqa: SLF001  # there is no argument for it
        _ = (
            client.chat.completions,
            client.embeddings,
        )  # each imports its part of the package when first touched
        return client, proxy


def _package() -> Any:
    """Return the package, with what its first request would otherwise load on the loop or start a process for."""
    import openai

    importlib.import_module("anyio._backends._asyncio")
    platform.platform()  # for a header; Python keeps the answer
    return openai


def _check(endpoint: Endpoint) -> None:
    """Check what the HTTP client would report in ten different ways."""
    if not is_endpoint(endpoint.base_url):
        raise ModelError(Fault.BAD_ADDRESS, shown_url(endpoint.base_url))
    if not (endpoint.key.isascii() and endpoint.key.isprintable()) or " " in endpoint.key:
        raise ModelError(Fault.WRONG_KEY, "key: characters that cannot stand in a header")
