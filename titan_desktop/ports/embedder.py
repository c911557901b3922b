"""Text into vectors."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class EmbedderFault(StrEnum):
    """Why an embedder gave no vectors.

    REFUSED is about the text that was sent (too long, empty to the model); all others are about the endpoint.
    """

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    WRONG_KEY = "wrong_key"
    NO_MODEL = "no_model"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    REFUSED = "refused"
    MALFORMED = "malformed"


class EmbedderError(Exception):
    """No vectors came.

    Attributes:
        code: what kind of fault.
        detail: one line, without the key.
        retry_after_s: how long the endpoint asked us to wait, 0 when it did not say.
    """

    def __init__(self, code: EmbedderFault, detail: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class Embedder(Protocol):
    """Vectors of one model: as many as texts, in their order, all of one size.

    Embedding raises EmbedderError; cancelling ends the call.
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
