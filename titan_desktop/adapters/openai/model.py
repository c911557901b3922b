"""Any endpoint that speaks OpenAI's Chat Completions: `ports.model.Llm` over the `openai` package.

The package takes a second to import, so it is loaded in a thread, warmed by the core after its start. Its errors
are told apart by class, status and code, never by their words, which differ from endpoint to endpoint.
See https://platform.openai.com/docs/api-reference/chat-streaming and /docs/guides/error-codes.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from titan_desktop.contracts.chat import Fault
from titan_desktop.ports.model import Endpoint, LlmError, Turn

if TYPE_CHECKING:
    import openai

NO_KEY = "none"
"""What a local server that wants no key is sent: the package insists on one."""

DETAIL_CHARS_MAX = 500
DRAIN_TIMEOUT_S = 1.0

_CODES = {
    "context_length_exceeded": Fault.CONTEXT_TOO_LONG,
    "exceed_context_size_error": Fault.CONTEXT_TOO_LONG,  # llama.cpp, as the error's type
    "insufficient_quota": Fault.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": Fault.QUOTA_EXCEEDED,
    "rate_limit_exceeded": Fault.RATE_LIMITED,
    "invalid_api_key": Fault.WRONG_KEY,
    "model_not_found": Fault.MODEL_NOT_FOUND,
    "content_filter": Fault.REFUSED,
    "content_policy_violation": Fault.REFUSED,
}
_STATUSES = {
    401: Fault.WRONG_KEY,
    402: Fault.QUOTA_EXCEEDED,
    403: Fault.REFUSED,
    408: Fault.TIMED_OUT,
    413: Fault.CONTEXT_TOO_LONG,
    429: Fault.RATE_LIMITED,
}
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key)-[\w*.-]{6,}")


@dataclass
class _Pool:
    """The connections to one endpoint with one key, and how many answers are being read from them."""

    client: "openai.AsyncOpenAI"
    base_url: str
    key: str = field(repr=False)
    readers: int = 0


class OpenAiLlm:
    """Keeps the connections to the endpoint that was asked last.

    Args:
        connect_timeout_s: until the endpoint has taken the connection.
        first_token_timeout_s: from the question to the first sign of an answer; a local server may have to load
            its model first.
        idle_timeout_s: between two signs.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float = 10.0,
        first_token_timeout_s: float = 120.0,
        idle_timeout_s: float = 60.0,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._first_token_timeout_s = first_token_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._pool: _Pool | None = None
        self._changing = asyncio.Lock()

    async def warm(self) -> None:
        """See `Llm.warm`."""
        await asyncio.to_thread(_package)

    async def close(self) -> None:
        """See `Llm.close`."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.client.close()

    async def stream(self, endpoint: Endpoint, turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
        """See `Llm.stream`. A connection that breaks before the answer begins is tried once more, nothing else."""
        _check(endpoint)
        await self.warm()
        first_sign_by = asyncio.get_running_loop().time() + self._first_token_timeout_s
        with _translated(endpoint):
            async with self._client(endpoint) as client:
                async with asyncio.timeout_at(first_sign_by):
                    chunks = await _open(client, endpoint, turns)
                async with chunks, contextlib.aclosing(self._pieces(chunks, first_sign_by)) as pieces:
                    async for piece in pieces:
                        yield piece

    @contextlib.asynccontextmanager
    async def _client(self, endpoint: Endpoint) -> AsyncIterator["openai.AsyncOpenAI"]:
        """Lend the client for an endpoint. After a change of settings the former closes with its last reader."""
        async with self._changing:
            pool = self._pool
            if pool is None or (pool.base_url, pool.key) != (endpoint.base_url, endpoint.key):
                client = await asyncio.to_thread(self._make_client, endpoint)
                self._pool, former = _Pool(client, endpoint.base_url, endpoint.key), pool
                if former is not None and not former.readers:
                    await former.client.close()
                pool = self._pool
            pool.readers += 1
        try:
            yield pool.client
        finally:
            pool.readers -= 1
            if pool is not self._pool and not pool.readers:
                await pool.client.close()

    def _make_client(self, endpoint: Endpoint) -> "openai.AsyncOpenAI":
        """Read the certificates and build the pool: tens of milliseconds, so not on the loop."""
        package = _package()
        client: openai.AsyncOpenAI = package.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key or NO_KEY,
            max_retries=0,  # a rate limit shall be said at once, not after three silent waits
            timeout=package.Timeout(None, connect=self._connect_timeout_s),
        )
        return client

    async def _pieces(
        self, chunks: "openai.AsyncStream[Any]", first_sign_by: float
    ) -> AsyncGenerator[str, None]:
        """Yield the text of the chunks; raise for a stream that ends otherwise than well."""
        finish, said, sign_by = "", False, first_sign_by
        while not finish:
            async with asyncio.timeout_at(sign_by):
                chunk = await anext(chunks, None)
            if chunk is None:
                raise LlmError(Fault.UNREACHABLE, "The stream ended before the answer did.")
            sign_by = asyncio.get_running_loop().time() + self._idle_timeout_s
            for choice in getattr(chunk, "choices", None) or ():
                finish = choice.finish_reason or finish
                if piece := _text(choice.delta):
                    said = True
                    yield piece
        await _drain(chunks)
        if finish == "content_filter":
            raise LlmError(Fault.REFUSED, "The endpoint's content filter ended the answer.")
        if not said:
            raise LlmError(Fault.SERVER_ERROR, "The model ended its answer without a word.")


async def _open(
    client: "openai.AsyncOpenAI", endpoint: Endpoint, turns: Sequence[Turn]
) -> "openai.AsyncStream[Any]":
    package = _package()
    messages: Any = [{"role": turn.role, "content": turn.text} for turn in turns]

    async def create() -> "openai.AsyncStream[Any]":
        return await client.chat.completions.create(model=endpoint.model, messages=messages, stream=True)

    try:
        return await create()
    except package.APITimeoutError:
        raise
    except package.APIConnectionError:  # perhaps a kept connection that the endpoint had closed meanwhile
        return await create()


async def _drain(chunks: "openai.AsyncStream[Any]") -> None:
    """Read to the end, so that the connection can be used again; the answer is whole whatever happens here."""
    with contextlib.suppress(TimeoutError, _package().APIError, json.JSONDecodeError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            async for _ in chunks:
                pass


def _package() -> Any:
    import openai

    return openai


def _text(delta: Any) -> str:
    """Return a delta's words; a lone surrogate, half of a character that was cut, becomes a question mark."""
    text = getattr(delta, "content", None) or getattr(delta, "refusal", None) or ""
    return str(text).encode("utf-8", "replace").decode()


def _check(endpoint: Endpoint) -> None:
    """Say in our own words what the HTTP client would say in ten different ways.

    Raises:
        LlmError: the base URL is none, or the key cannot stand in a header.
    """
    try:
        parts = urlsplit(endpoint.base_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise LlmError(Fault.UNREACHABLE, f"{endpoint.base_url} is not the address of an endpoint.")
    if not (endpoint.key.isascii() and endpoint.key.isprintable()) or " " in endpoint.key:
        raise LlmError(Fault.WRONG_KEY, "The key contains characters that no key has.")


@contextlib.contextmanager
def _translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn what the package and our own deadlines raise into LlmError."""
    package = _package()
    try:
        yield
    except TimeoutError as error:
        raise LlmError(Fault.TIMED_OUT, "The endpoint kept silent for too long.") from error
    except package.APIConnectionError as error:
        cause = error.__cause__ or error
        raise LlmError(Fault.UNREACHABLE, _said(endpoint, str(cause) or type(cause).__name__)) from error
    except package.APIError as error:
        raise LlmError(_fault(error), _said(endpoint, error.message)) from error
    except (
        package.OpenAIError,
        json.JSONDecodeError,
    ) as error:  # the package lets a chunk that is no JSON through
        raise LlmError(Fault.SERVER_ERROR, _said(endpoint, str(error))) from error


def _fault(error: "openai.APIError") -> Fault:
    status: int | None = getattr(error, "status_code", None)
    for code in (error.code, error.type):
        if code in _CODES:
            return _CODES[code]
    if status == 404:  # noqa: PLR2004
        # Ollama names no code. A 404 without an error object is no OpenAI-compatible endpoint at all.
        known = isinstance(error.body, dict) and "message" in error.body
        return Fault.MODEL_NOT_FOUND if known else Fault.UNREACHABLE
    if status in _STATUSES:
        return _STATUSES[status]
    if status is not None and 400 <= status < 500:  # noqa: PLR2004
        return Fault.REFUSED
    return Fault.SERVER_ERROR


def _said(endpoint: Endpoint, detail: str) -> str:
    """Return what the endpoint said, short and without a key: OpenAI's own 401 repeats a part of it."""
    if endpoint.key:
        detail = detail.replace(endpoint.key, "…")
    return _KEY_LIKE.sub("…", detail)[:DETAIL_CHARS_MAX]
