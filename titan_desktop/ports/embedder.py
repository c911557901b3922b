"""Turns texts into vectors."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError

ABOUT_THE_TEXT = frozenset({Fault.REFUSED, Fault.CONTEXT_TOO_LONG, Fault.MALFORMED, Fault.CRASHED})
"""Faults that may concern one text only, such as one of which a local server makes a vector of NaN."""
PROBE = "Titan"
"""A text that no working embedder refuses."""

_log = logging.getLogger(__name__)


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


async def embedded(embedder: Embedder, texts: Sequence[str]) -> Mapping[str, Sequence[float] | None]:
    """Return the vector of each text, None for one that the model refuses.

    Raises:
        ModelError: the endpoint fails, or refuses everything.
    """
    try:
        return dict(zip(texts, await embedder.embed_passages(texts), strict=True))
    except ModelError as error:
        if error.fault not in ABOUT_THE_TEXT:
            raise
    # Either one of the texts is refused, or everything: then the probe raises.
    await embedder.embed_passages([PROBE])
    return {text: await _embedded_alone(embedder, text) for text in texts}


async def _embedded_alone(embedder: Embedder, text: str) -> Sequence[float] | None:
    try:
        return (await embedder.embed_passages([text]))[0]
    except ModelError as error:
        if error.fault not in ABOUT_THE_TEXT:
            raise
        _log.warning("%s refuses a passage of %d characters: %s", embedder.model, len(text), error.detail)
        return None
