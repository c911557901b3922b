"""The models that the services use: read from settings and key at the start, and again when either has changed."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from titan_desktop import settings
from titan_desktop.adapters import local_embedder
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.system import ModelStatus
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.secrets import Secrets
from titan_desktop.services.chat.model import find_key, resolve
from titan_desktop.settings import DEFAULT_BASE_URL, NO_EMBEDDER, shown_url

if TYPE_CHECKING:
    from titan_desktop.ports.embedder import Embedder
    from titan_desktop.services.chat.service import ChatService
    from titan_desktop.services.indexing.service import IndexingService

BUILT_IN = Endpoint("", local_embedder.MODEL)
"""The embedder that is reached at no address."""

log = logging.getLogger(__name__)


class Models:
    """Resolves settings and key, publishes what is configured, and passes the models to the services.

    Two locks, because a locked keyring may take a minute to answer and services must be able to stop meanwhile.

    Args:
        settings_file: read again on changes.
        chosen: the settings at the start.
        secrets: has the key.

    Attributes:
        settings_file, settings: the file, and what it said when it was last read.
        model, embedder: the configured models, without secrets.
    """

    def __init__(self, settings_file: Path, chosen: settings.Settings, secrets: Secrets) -> None:
        self.settings_file = settings_file
        self.settings = chosen
        self._secrets = secrets
        self._model = self.embedder = ModelStatus(configured=False)
        self._settings_problem: Problem | None = None
        self._key_problem: Problem | None = None
        self._resolving = asyncio.Lock()
        self._known = False
        self._chat: Endpoint | None = None
        self._embedding: Endpoint | None = None
        self._handing_over = asyncio.Lock()
        self._services: tuple[ChatService, IndexingService] | None = None
        self._embedding_in_use: Endpoint | None = None

    @property
    def model(self) -> ModelStatus:
        """The chat model, and where it answers."""
        found = self._services[0].answers_at() if self._services else ""
        return msgspec.structs.replace(self._model, answers_at=shown_url(found)) if found else self._model

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the settings or the key."""
        return tuple(filter(None, (self._settings_problem, self._key_problem)))

    async def look(self) -> None:
        """Resolve the models at the start, while the stores open."""
        async with self._resolving:
            if not self._known:
                self._log_unknown()
                await self._resolve()

    async def serve(self, chat: "ChatService", indexing: "IndexingService") -> None:
        """Give both services their models, and every changed one from now on.

        Await it before the services are entered: otherwise a waiting question would be answered without a model.
        """
        await self.look()
        async with self._handing_over:
            self._services = (chat, indexing)
            self._embedding_in_use = None
            await self._hand_over()

    async def forget(self) -> None:
        """Stop updating the services, because they are being closed."""
        async with self._handing_over:
            self._services = None

    async def refresh(self) -> None:
        """Read the settings and the key again. A service whose model is the same keeps it, and ends its pause."""
        async with self._resolving:
            self._read_settings()
            await self._resolve()
        async with self._handing_over:
            await self._hand_over()

    async def _hand_over(self) -> None:
        if self._services is None:
            return
        chat, indexing = self._services
        chat.set_model(self._chat)
        wanted = self._embedding
        if wanted == self._embedding_in_use:
            indexing.try_embedding_again()
            return
        await indexing.set_embedder(None if wanted is None else _embedder(wanted))
        self._embedding_in_use = wanted

    def _read_settings(self) -> None:
        """Read the settings. An invalid file leaves the old ones, and is recorded as a problem."""
        try:
            self.settings = settings.load(self.settings_file)
            self._settings_problem = None
            self._log_unknown()
        except settings.SettingsError as error:
            fields = {"path": str(error.path), "reason": error.reason}
            self._settings_problem = Problem(Code.SETTINGS_UNREADABLE, fields)
            log.warning("settings: %s", error)

    def _log_unknown(self) -> None:
        if unknown := settings.unknown_keys(self.settings_file):
            log.info("settings: unknown here and kept: %s", ", ".join(unknown))

    async def _resolve(self) -> None:
        chosen = self.settings
        chat = await resolve(chosen.model, self._secrets)
        self._chat, self._model, self._key_problem = chat.endpoint, chat.status, chat.problem
        await self._resolve_embedder(chosen.embedder)
        self._known = True

    async def _resolve_embedder(self, chosen: settings.EmbedderSettings) -> None:
        name = chosen.name.strip()
        if name == NO_EMBEDDER:
            self._embedding, self.embedder = None, ModelStatus(configured=False)
        elif name in ("", local_embedder.MODEL):
            is_here = await asyncio.to_thread(local_embedder.is_available)
            self._embedding = BUILT_IN if is_here else None
            self.embedder = ModelStatus(configured=is_here, name=BUILT_IN.model)
        else:
            base_url = chosen.base_url.strip() or DEFAULT_BASE_URL
            key, problem = await find_key(base_url, self._secrets)
            self._key_problem = self._key_problem or problem
            self._embedding = Endpoint(base_url, name, key.value if key else "")
            self.embedder = ModelStatus(
                configured=True, name=name, base_url=shown_url(base_url), key=key.source if key else "none"
            )


def _embedder(endpoint: Endpoint) -> "Embedder":
    if endpoint == BUILT_IN:
        from titan_desktop.adapters.local_embedder.embedder import LocalEmbedder

        return LocalEmbedder()
    from titan_desktop.adapters.openai.embedder import OpenAIEmbedder

    return OpenAIEmbedder(endpoint)
