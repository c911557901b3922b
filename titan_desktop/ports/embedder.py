"""Text into vectors."""

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """Vectors of one model: as many as texts, in their order, all of one size.

    Embedding raises `ports.model.ModelError`; REFUSED and CONTEXT_TOO_LONG are about the texts that were sent, all
    other faults about the endpoint. Cancelling ends the call.
    """

    @property
    def model(self) -> str:
        """The model's name, which every stored vector carries."""
        ...

    async def open(self) -> None:
        """Load what is slow to load, so that the first question need not wait for it. Reaches for no network."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Embed passages for storing, however many; tries again where waiting helps, so it may take minutes."""
        ...

    async def embed_query(self, text: str) -> Sequence[float]:
        """Embed a question; one try, answered or failed within two seconds."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...
