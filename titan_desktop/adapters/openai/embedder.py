"""Vectors from any endpoint that speaks OpenAI's embeddings API: OpenAI itself, or a local Ollama.

The `openai` package is imported on the first call and in a thread: its import takes a second.
"""

import asyncio
import importlib
import math
import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from titan_desktop.ports.embedder import EmbedderError, EmbedderFault
from titan_desktop.settings import DEFAULT_BASE_URL

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

_RETRIED = frozenset(
    {
        EmbedderFault.UNREACHABLE,
        EmbedderFault.TIMED_OUT,
        EmbedderFault.RATE_LIMITED,
        EmbedderFault.SERVER,
    }
)


class OpenAIEmbedder:
    """An `Embedder` over HTTP.

    Args:
        model: its name; "nomic-embed-text" gets the prefixes that it was trained with.
        base_url: "" means OpenAI's own.
        api_key: "" where the endpoint wants none.
    """

    def __init__(self, model: str, *, base_url: str = "", api_key: str = "") -> None:
        self._model = model
        self._base_url = base_url
        self._api_key = api_key
        self._client: openai.AsyncOpenAI | None = None
        self._opening = asyncio.Lock()
        nomic = _NOMIC in model.lower()
        self._passage_prefix, self._query_prefix = _PREFIXES if nomic else ("", "")

    @property
    def model(self) -> str:
        """See `ports.embedder`."""
        return self._model

    async def open(self) -> None:
        """See `ports.embedder`."""
        await self._opened()

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """See `ports.embedder`."""
        prefixed = [self._passage_prefix + text[:LONGEST_INPUT] for text in texts]
        vectors: list[Sequence[float]] = []
        for batch in _batches(prefixed):
            vectors.extend(await self._patiently(batch))
        return vectors

    async def embed_query(self, text: str) -> Sequence[float]:
        """See `ports.embedder`."""
        await self._opened()
        try:
            # Around the package's own timeout, which begins anew with each step of a request.
            async with asyncio.timeout(QUERY_TIMEOUT_S):
                return (await self._embed([self._query_prefix + text[:LONGEST_INPUT]], QUERY_TIMEOUT_S))[0]
        except TimeoutError as error:
            raise EmbedderError(EmbedderFault.TIMED_OUT, f"no answer in {QUERY_TIMEOUT_S:g} s") from error

    async def close(self) -> None:
        """See `ports.embedder`."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _patiently(self, batch: Sequence[str]) -> list[Sequence[float]]:
        delay_s = FIRST_DELAY_S
        for left in reversed(range(TRIES)):
            try:
                return await self._embed(batch, PASSAGES_TIMEOUT_S)
            except EmbedderError as error:
                if error.code not in _RETRIED or not left:
                    raise
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
                wait_s = error.retry_after_s or delay_s * jitter
                if wait_s > LONGEST_DELAY_S:
                    raise
            await asyncio.sleep(wait_s)
            delay_s *= 2
        raise AssertionError("the last try returns or raises")

    async def _embed(self, batch: Sequence[str], timeout_s: float) -> list[Sequence[float]]:
        client = await self._opened()
        import openai

        try:
            answer = await client.embeddings.create(model=self._model, input=list(batch), timeout=timeout_s)
            return _checked(
                [item.embedding for item in sorted(answer.data, key=lambda item: item.index)], batch
            )
        except openai.APIError as error:
            raise _translated(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            # What an endpoint that is not an embeddings API answers with 200 fails inside of the package's
            # parser.
            raise EmbedderError(EmbedderFault.MALFORMED, type(error).__name__) from error

    async def _opened(self) -> "openai.AsyncOpenAI":
        async with self._opening:
            client = self._client
            if not client:
                package: Any = await asyncio.to_thread(importlib.import_module, "openai")
                # An empty key is refused by the package, not by Ollama. Retries are ours: a question has
                # none.
                client = package.AsyncOpenAI(
                    api_key=self._api_key or "none",
                    base_url=self._base_url or DEFAULT_BASE_URL,
                    max_retries=0,
                )
                self._client = client
            return client


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
        raise EmbedderError(EmbedderFault.MALFORMED, f"{len(vectors)} vectors for {len(batch)} texts")
    sizes = {len(vector) for vector in vectors}
    if len(sizes) != 1 or not sizes.pop():
        raise EmbedderError(EmbedderFault.MALFORMED, "vectors of different sizes")
    if not all(math.isfinite(sum(vector)) for vector in vectors):
        raise EmbedderError(EmbedderFault.MALFORMED, "a vector holds what is not a number")
    return list(vectors)


def _translated(error: "openai.APIError") -> EmbedderError:
    import openai

    match error:
        case openai.APITimeoutError():
            return EmbedderError(EmbedderFault.TIMED_OUT)
        case openai.APIConnectionError():
            return EmbedderError(EmbedderFault.UNREACHABLE)
        case openai.APIStatusError(status_code=status):
            code = _fault(status, error.code or "")
            return EmbedderError(code, f"HTTP {status}", retry_after_s=_retry_after_s(error))
        case _:
            return EmbedderError(EmbedderFault.MALFORMED, type(error).__name__)


def _fault(status: int, code: str) -> EmbedderFault:
    match status:
        case 401 | 403:
            return EmbedderFault.WRONG_KEY
        case 404:
            return EmbedderFault.NO_MODEL
        case 408:
            return EmbedderFault.TIMED_OUT
        case 429:
            return EmbedderFault.RATE_LIMITED
        case _ if status >= 500:  # noqa: PLR2004 - HTTP's own classes (RFC 9110, 15)
            return EmbedderFault.SERVER
        case _:
            return EmbedderFault.NO_MODEL if code == "model_not_found" else EmbedderFault.REFUSED


def _retry_after_s(error: "openai.APIStatusError") -> float:
    try:
        return max(float(error.response.headers.get("retry-after", 0)), 0.0)
    except ValueError:  # a date (RFC 9110, 10.2.3); then our own delay serves
        return 0.0
