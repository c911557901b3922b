"""Which models the services use: read from settings and key at the start, and again when either has changed."""

import asyncio
from typing import TYPE_CHECKING

from titan_desktop.contracts.system import ModelStatus
from titan_desktop.core.board import Board
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.secrets import Secrets
from titan_desktop.services.chat.model import find_key, resolve
from titan_desktop.settings import DEFAULT_BASE_URL, shown_url

if TYPE_CHECKING:
    from titan_desktop.services.chat.service import ChatService
    from titan_desktop.services.memory.service import MemoryService


class Models:
    """Puts settings and key together, shows the result on the board and hands it to the services.

    Args:
        board: has the settings, and shows which models are configured.
        secrets: has the key. A locked keyring may take a minute to answer.
    """

    def __init__(self, board: Board, secrets: Secrets) -> None:
        self._board = board
        self._secrets = secrets
        self._lock = asyncio.Lock()
        self._known = False
        self._chat: Endpoint | None = None
        self._embedding: Endpoint | None = None
        self._services: tuple[ChatService, MemoryService] | None = None

    async def look(self) -> None:
        """Find out at the start, beside the stores' opening."""
        async with self._lock:
            if not self._known:
                await self._resolve()

    async def serve(self, chat: "ChatService", memory: "MemoryService") -> None:
        """Give both services their models, and from now on every new one.

        To be awaited before they are entered: a question that waits on the bus would be answered without a model.
        """
        await self.look()
        self._services = (chat, memory)
        chat.set_model(self._chat)
        await self._use_embedder(memory)

    def forget(self) -> None:
        """Stop serving: the services are being left."""
        self._services = None

    async def refresh(self) -> None:
        """Read the settings and the key again; a service whose model is the same notices nothing."""
        self._board.read_settings()
        async with self._lock:
            before = self._embedding
            await self._resolve()
            if self._services is None:
                return
            chat, memory = self._services
            chat.set_model(self._chat)
            if self._embedding != before:
                await self._use_embedder(memory)

    async def _resolve(self) -> None:
        chosen = self._board.settings
        chat = await resolve(chosen.model, self._secrets)
        self._chat, self._board.model, self._board.key_problem = chat.endpoint, chat.status, chat.problem
        name = chosen.embedder.name.strip()
        base_url = chosen.embedder.base_url.strip() or DEFAULT_BASE_URL
        key = (await find_key(base_url, self._secrets))[0] if name else None
        self._embedding = Endpoint(base_url, name, key.value if key else "") if name else None
        self._board.embedder = ModelStatus(
            configured=bool(name), name=name, base_url=shown_url(base_url), key=key.source if key else "none"
        )
        self._known = True

    async def _use_embedder(self, memory: "MemoryService") -> None:
        from titan_desktop.adapters.openai.embedder import OpenAIEmbedder

        wanted = self._embedding
        await memory.set_embedder(
            None
            if wanted is None
            else OpenAIEmbedder(wanted.model, base_url=wanted.base_url, api_key=wanted.key)
        )
