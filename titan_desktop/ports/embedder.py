"""Turns texts into vectors."""

from collections.abc import Sequence
from typing import Protocol


class Embedder(Protocol):
    """Vectors of one model: one for each text, in their order, all of one size.

    Embedding raises `ports.model.ModelError`; REFUSED, CONTEXT_TOO_LONG, MALFORMED and CRASHED may concern one of
    the texts, all other faults the endpoint. Cancelling ends the call.
    """

    @property
    def model(self) -> str:
        """The model's name, which is stored with every vector."""
        ...

    @property
    def at_once(self) -> int:
        """How many passages are best given at once; a kill loses at most their vectors."""
        ...

    async def open(self) -> None:
        """Load what is slow to load, so that the first question need not wait. Uses no network."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Embed any number of passages for storing; retries where waiting helps, so it may take minutes."""
        ...

    async def embed_query(self, text: str) -> Sequence[float]:
        """Embed a question; one try of at most two seconds."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
