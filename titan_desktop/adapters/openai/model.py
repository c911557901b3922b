"""Any endpoint that speaks OpenAI's Chat Completions: `ports.model.ChatModel` over the `openai` package.

See https://platform.openai.com/docs/api-reference/chat-streaming.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from titan_desktop.adapters.openai import request, structure
from titan_desktop.adapters.openai.client import OpenAIClient
from titan_desktop.adapters.openai.errors import known_code
from titan_desktop.adapters.openai.reply import Reply
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError, Part, Structure, Text, Tool, Turn

if TYPE_CHECKING:
    import openai

DRAIN_TIMEOUT_S = 1.0
"""How long to wait for the end of a stream after the answer is complete."""

_FORMATS = ("json_schema", "json_object")
"""The formats of a structured answer, the strictest first."""


class OpenAIChatModel:
    """Keeps the connections to the endpoint used last, and what each endpoint refuses.

    Args:
        connect_timeout_s: until the connection is established.
        first_token_timeout_s: from the question to the first part of an answer; a local server may have to load
            its model first.
        idle_timeout_s: between two parts.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float = 10.0,
        first_token_timeout_s: float = 120.0,
        idle_timeout_s: float = 60.0,
    ) -> None:
        self._client = OpenAIClient(connect_timeout_s=connect_timeout_s)
        self._first_token_timeout_s = first_token_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._not_taken: dict[tuple[str, str], set[str]] = defaultdict(set)

    async def warm(self) -> None:
        """See `ChatModel.warm`."""
        await self._client.warm()

    async def close(self) -> None:
        """See `ChatModel.close`."""
        await self._client.close()

    async def stream(
        self, endpoint: Endpoint, turns: Sequence[Turn], tools: Sequence[Tool] = ()
    ) -> AsyncGenerator[Part, None]:
        """See `ChatModel.stream`. A connection that breaks before the answer begins is retried once."""
        body: dict[str, Any] = {"messages": request.messages(turns)}
        if tools:
            body["tools"] = request.tools(tools)
        async with contextlib.aclosing(self._answer(endpoint, body, Reply())) as parts:
            async for part in parts:
                yield part

    async def structured(
        self, endpoint: Endpoint, turns: Sequence[Turn], schema: type[Structure]
    ) -> Structure:
        """See `ChatModel.structured`. An endpoint that cannot enforce the form is asked for it in the prompt."""
        form = structure.schema_of(schema)
        body: dict[str, Any] = {
            "messages": request.messages(request.with_schema(turns, form)),
            "response_format": [structure.response_format(kind, schema.__name__, form) for kind in _FORMATS],
        }
        reply, said = Reply(), ""
        async with contextlib.aclosing(self._answer(endpoint, body, reply)) as parts:
            async for part in parts:
                said += part.text if isinstance(part, Text) else ""
        if reply.declined:
            raise ModelError(Fault.REFUSED, said)
        if reply.finish == "length":
            raise ModelError(Fault.MALFORMED, "finish_reason: length")
        return structure.read(said, schema)

    async def _answer(
        self, endpoint: Endpoint, body: dict[str, Any], reply: Reply
    ) -> AsyncGenerator[Part, None]:
        async with self._client.client_for(endpoint) as client:
            first_sign_by = asyncio.get_running_loop().time() + self._first_token_timeout_s
            async with asyncio.timeout_at(first_sign_by):
                chunks = await self._open(client, endpoint, body)
            async with chunks, contextlib.aclosing(self._parts(chunks, reply, first_sign_by)) as parts:
                async for part in parts:
                    yield part

    async def _open(
        self, client: "openai.AsyncOpenAI", endpoint: Endpoint, body: dict[str, Any]
    ) -> "openai.AsyncStream[Any]":
        """Send the request, omitting step by step what the endpoint refuses; an answer makes that remembered."""
        import openai as package

        known = self._not_taken[endpoint.base_url, endpoint.model]
        refused = set(known)
        while True:
            asked = _without(body, refused)
            try:
                chunks = await _create(client, endpoint.model, asked)
            except package.APIStatusError as error:
                culprit = _culprit(error, asked)
                if culprit is None:
                    raise
                refused.add(culprit)
            else:
                known |= refused
                return chunks

    async def _parts(
        self, chunks: "openai.AsyncStream[Any]", reply: Reply, first_sign_by: float
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of the chunks; raise for a stream that ends with an error."""
        sign_by = first_sign_by
        while not reply.finish:
            async with asyncio.timeout_at(sign_by):
                chunk = await anext(chunks, None)
            if chunk is None:
                raise ModelError(Fault.UNREACHABLE, "the stream ended without a finish_reason")
            sign_by = asyncio.get_running_loop().time() + self._idle_timeout_s
            for part in reply.take(chunk):
                yield part
        await _drain(chunks, reply)
        calls = reply.calls()
        if not (
            calls and reply.finish == "length"
        ):  # the last one may be half a call, which must never be made
            for call in calls:
                yield call
        if reply.usage is not None:
            yield reply.usage
        if reply.finish == "content_filter":
            raise ModelError(Fault.REFUSED, "finish_reason: content_filter")
        if calls and reply.finish == "length":
            raise ModelError(Fault.MALFORMED, "finish_reason: length")
        if not reply.said and not calls:
            raise ModelError(Fault.SERVER_ERROR, "the answer is empty")


async def _create(
    client: "openai.AsyncOpenAI", model: str, body: dict[str, Any]
) -> "openai.AsyncStream[Any]":
    import openai as package

    create: Any = client.chat.completions.create
    try:
        chunks: openai.AsyncStream[Any] = await create(model=model, stream=True, **body)
    except package.APITimeoutError:
        raise
    except package.APIConnectionError:  # perhaps a kept connection that the endpoint had closed meanwhile
        chunks = await create(model=model, stream=True, **body)
    return chunks


def _without(body: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """Return the request without what the endpoint refuses, and with the strictest form that it accepts."""
    asked = dict(body)
    if "stream_options" not in refused:
        asked["stream_options"] = {"include_usage": True}
    forms = [form for form in asked.pop("response_format", ()) if form["type"] not in refused]
    if forms:
        asked["response_format"] = forms[0]
    return asked


def _culprit(error: "openai.APIStatusError", asked: dict[str, Any]) -> str | None:
    """Return which of the optional parameters an endpoint refuses, None if it refuses something else.

    `stream_options` is always named in the refusal. The form of an answer is not: a server may fail at a schema
    in words of its own, so any refusal without a code that we know is put down to it.
    """
    if error.status_code not in {400, 422} or known_code(error) is not None:
        return None
    if "stream_options" in asked and "stream_options" in error.response.text:
        return "stream_options"
    form = asked.get("response_format")
    return form["type"] if form else None


async def _drain(chunks: "openai.AsyncStream[Any]", reply: Reply) -> None:
    """Read to the end: the usage may come there, and the connection can be used again.

    Errors are ignored, because the answer is complete.
    """
    import openai as package

    with contextlib.suppress(TimeoutError, package.APIError, json.JSONDecodeError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            async for chunk in chunks:
                for _ in reply.take(chunk):
                    pass
