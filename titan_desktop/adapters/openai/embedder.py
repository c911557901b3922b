"""Vectors from any endpoint that speaks OpenAI's embeddings API: OpenAI itself, or a local Ollama.

See https://platform.openai.com/docs/api-reference/embeddings.
"""

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from titan_bus.backoff import Backoff
from titan_desktop.adapters.openai import refusal
from titan_desktop.adapters.openai.addresses import addresses
from titan_desktop.adapters.openai.client import OpenAIClient
from titan_desktop.adapters.openai.errors import fault_told, wrong_address
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError

if TYPE_CHECKING:
    import openai

BATCH_INPUTS = 64
BATCH_CHARACTERS = 64_000
"""Characters of one request: in the worst case (a token each) well below OpenAI's 300,000 tokens."""
LONGEST_INPUT = 6_000
"""Characters of one text that are sent: below the 8,192 tokens of the usual models for any script."""
PASSAGES_TIMEOUT_S = 60.0
QUERY_TIMEOUT_S = 2.0
TRIES = 5
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0

# https://huggingface.co/nomic-ai/nomic-embed-text-v1.5, "Task instruction prefixes"
_NOMIC = "nomic-embed-text"
_PREFIXES = ("search_document: ", "search_query: ")

_RETRIED = frozenset({Fault.UNREACHABLE, Fault.TIMED_OUT, Fault.RATE_LIMITED, Fault.SERVER_ERROR})


class OpenAIEmbedder:
    """An `Embedder` over HTTP. A model called "nomic-embed-text" gets the prefixes that it was trained with."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._known: str | None = None
        self._client = OpenAIClient()
        nomic = _NOMIC in endpoint.model.lower()
        self._passage_prefix, self._query_prefix = _PREFIXES if nomic else ("", "")

    @property
    def model(self) -> str:
        """See `ports.embedder`."""
        return self._endpoint.model

    @property
    def at_once(self) -> int:
        """See `ports.embedder`."""
        return BATCH_INPUTS

    async def open(self) -> None:
        """See `ports.embedder`."""
        async with self._client.client_for(self._endpoint):
            pass

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """See `ports.embedder`."""
        prefixed = [self._passage_prefix + text[:LONGEST_INPUT] for text in texts]
        vectors: list[Sequence[float]] = []
        for batch in _batches(prefixed):
            vectors.extend(await self._patiently(batch))
        return vectors

    async def embed_query(self, text: str) -> Sequence[float]:
        """See `ports.embedder`."""
        vectors = await self._embed(
            [self._query_prefix + text[:LONGEST_INPUT]], QUERY_TIMEOUT_S, bound_s=QUERY_TIMEOUT_S
        )
        return vectors[0]

    async def close(self) -> None:
        """See `ports.embedder`."""
        await self._client.close()

    async def _patiently(self, batch: Sequence[str]) -> list[Sequence[float]]:
        backoff = Backoff(FIRST_DELAY_S, LONGEST_DELAY_S)
        for left in reversed(range(TRIES)):
            try:
                return await self._embed(batch, PASSAGES_TIMEOUT_S)
            except ModelError as error:
                if error.fault not in _RETRIED or not left:
                    raise
                wait_s = error.retry_after_s or backoff.next_s()
                if wait_s > LONGEST_DELAY_S:
                    raise
            await asyncio.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    async def _embed(
        self, batch: Sequence[str], timeout_s: float, *, bound_s: float | None = None
    ) -> list[Sequence[float]]:
        """Ask where the server answered last, then as for chat: as set, then at /v1 below."""
        first: ModelError | None = None
        for base_url in addresses(self._endpoint.base_url, self._known):
            try:
                # The bound stands around the package's own timeout, which begins anew with each step of a request,
                # and behind the opening of the client, which may have to import the package.
                async with (
                    self._client.client_for(replace(self._endpoint, base_url=base_url)) as client,
                    asyncio.timeout(bound_s),
                ):
                    vectors = await self._embed_by(client, batch, timeout_s)
            except ModelError as error:
                if error.fault is not Fault.WRONG_ADDRESS:
                    raise
                first = first or error
            else:
                self._known = base_url
                return vectors
        assert first is not None  # noqa: S101 - there is an address, and it was asked
        raise first

    async def _embed_by(
        self, client: "openai.AsyncOpenAI", batch: Sequence[str], timeout_s: float
    ) -> list[Sequence[float]]:
        answered = await client.embeddings.with_raw_response.create(
            model=self._endpoint.model, input=list(batch), timeout=timeout_s
        )
        try:
            answer = answered.parse()
            vectors = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        except (ValueError, TypeError, AttributeError) as error:
            # What an endpoint that is not an embeddings API answers with 200 fails inside of the package's
            # parser.
            raise self._said(answered.text, error) from error
        return _checked(vectors, batch)

    def _said(self, body: str, error: Exception) -> ModelError:
        """Return the error for a 200 without vectors: what it says, if it says anything.

        A page in place of vectors may be about one text, where the address is known to be right.
        """
        told = refusal.read_any(body)
        if told is not None:
            return fault_told(self._endpoint, told)
        is_open = self._known is None and len(addresses(self._endpoint.base_url)) > 1
        if is_open and body.lstrip().startswith("<"):
            return wrong_address(self._endpoint, refusal.read(body).message)
        return ModelError(Fault.MALFORMED, type(error).__name__)


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH_INPUTS or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _checked(vectors: list[list[float]], batch: Sequence[str]) -> list[Sequence[float]]:
    if len(vectors) != len(batch):
        raise ModelError(Fault.MALFORMED, f"{len(vectors)} vectors for {len(batch)} texts")
    sizes = {len(vector) for vector in vectors}
    if len(sizes) != 1 or not sizes.pop():
        raise ModelError(Fault.MALFORMED, "vectors of different sizes")
    if not all(math.isfinite(sum(vector)) for vector in vectors):
        raise ModelError(Fault.MALFORMED, "a vector holds what is not a number")
    return list(vectors)
