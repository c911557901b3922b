"""Any endpoint that speaks OpenAI's Chat Completions: `ports.model.ChatModel` over the `openai` package.

See https://platform.openai.com/docs/api-reference/chat-streaming. The package sends the request and reads errors'
statuses; the answer's body is read here (`answer_body`), because the package's own decoder is at a loss with much
that servers send (`server_events`).
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from titan_desktop.adapters.openai import concessions, context_window, request, structure
from titan_desktop.adapters.openai.addresses import addresses
from titan_desktop.adapters.openai.answer_body import AnswerBody
from titan_desktop.adapters.openai.client import OpenAIClient
from titan_desktop.adapters.openai.errors import ToldError, refusal_of
from titan_desktop.adapters.openai.reply import Ending, Reply
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import (
    Endpoint,
    ModelError,
    Part,
    Structure,
    Text,
    Tool,
    Turn,
    WereThoughts,
)
from titan_desktop.settings import DEFAULT_BASE_URL, shown_url

if TYPE_CHECKING:
    import openai

DRAIN_TIMEOUT_S = 1.0
"""How long to wait for the end of a stream, or for more of it, behind the finish reason."""

SILENCE_SHARE = 5
"""A stream of objects that say nothing, as of a model whose thoughts are kept back, is read for so many times as
long as one of nothing at all."""

CONTEXT_TIMEOUT_S = 2.0
"""How long to wait for a server to tell how much its model takes; the question waits for it."""

_FORMATS = ("json_schema", "json_object")
"""The formats of a structured answer, the strictest first."""
_NOBODY_THERE = frozenset({Fault.WRONG_ADDRESS, Fault.UNREACHABLE, Fault.TIMED_OUT})

_log = logging.getLogger(__name__)


class _Response(Protocol):
    """The package's response with its body unread."""

    def iter_bytes(self) -> AsyncIterator[bytes]: ...

    async def close(self) -> None: ...


@dataclass
class _Learned:
    """What the answers of a model at an address have shown.

    Attributes:
        base_url: where it answers, None while that is not known.
        refused: see `concessions`.
        opened: its answers begin within thoughts.
        context_tokens: how many tokens prompt and answer may have together, None when nobody has told.
        is_context_known: it need not be asked for.
    """

    base_url: str | None = None
    refused: set[str] = field(default_factory=set)
    opened: bool = False
    context_tokens: int | None = None
    is_context_known: bool = False

    def settle(self, base_url: str) -> None:
        """Note that a model's server answers at this address."""
        if self.base_url != base_url:
            self.base_url = base_url
            _log.info("the model's server answers at %s", shown_url(base_url))


class OpenAIChatModel:
    """Keeps the connections to the endpoint used last, and what each endpoint has shown of itself.

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
        self._learned: dict[tuple[str, str], _Learned] = defaultdict(_Learned)

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
        async with contextlib.aclosing(self._answer(endpoint, body)) as parts:
            async for part in parts:
                yield part

    async def context_tokens(self, endpoint: Endpoint) -> int | None:
        """See `ChatModel.context_tokens`. OpenAI's own list tells no lengths and is not asked."""
        learned = self._learned[endpoint.base_url, endpoint.model]
        if not learned.is_context_known and endpoint.base_url.rstrip("/") != DEFAULT_BASE_URL:
            try:
                async with asyncio.timeout(CONTEXT_TIMEOUT_S):
                    await self._learn_context(endpoint, learned)
            except TimeoutError:
                learned.is_context_known = True  # it would not be answered the next time either
            except ModelError as error:
                _log.info("the length of the model's context is not told: %s", error)
        return learned.context_tokens

    def answers_at(self, endpoint: Endpoint) -> str | None:
        """See `ChatModel.answers_at`."""
        return self._learned[endpoint.base_url, endpoint.model].base_url

    async def _learn_context(self, endpoint: Endpoint, learned: _Learned) -> None:
        for base_url in addresses(endpoint.base_url, learned.base_url):
            async with self._client.client_for(replace(endpoint, base_url=base_url)) as client:
                told = await context_window.told_by(client, base_url, endpoint.model)
            if told is not None:
                learned.context_tokens, learned.is_context_known = told
                return
        learned.is_context_known = True

    async def structured(
        self, endpoint: Endpoint, turns: Sequence[Turn], schema: type[Structure]
    ) -> Structure:
        """See `ChatModel.structured`. An endpoint that cannot enforce the form is asked for it in the prompt."""
        form = structure.schema_of(schema)
        body: dict[str, Any] = {
            "messages": request.messages(request.with_schema(turns, form)),
            "response_format": [structure.response_format(kind, schema.__name__, form) for kind in _FORMATS],
        }
        said = ""
        try:
            async with contextlib.aclosing(self._answer(endpoint, body)) as parts:
                async for part in parts:
                    if isinstance(part, Text):
                        said += part.text
                    elif isinstance(part, WereThoughts):
                        said = ""
        except ModelError as error:
            if error.fault is not Fault.CUT_OFF:
                raise
            raise ModelError(Fault.MALFORMED, error.detail) from error
        return structure.read(said, schema)

    async def _answer(self, endpoint: Endpoint, body: dict[str, Any]) -> AsyncGenerator[Part, None]:
        """Yield an answer; from the address with /v1 if nothing like a model's server is at the one that is set.

        Which one answered is remembered as long as the core runs, and asked first.
        """
        learned = self._learned[endpoint.base_url, endpoint.model]
        await self._client.warm()  # what loading takes is not the model's time
        first_sign_by = asyncio.get_running_loop().time() + self._first_token_timeout_s
        first: ModelError | None = None
        is_answered = False
        for base_url in addresses(endpoint.base_url, learned.base_url):
            try:
                at = replace(endpoint, base_url=base_url)
                async with contextlib.aclosing(self._ask(at, body, learned, first_sign_by)) as parts:
                    async for part in parts:
                        is_answered = True
                        learned.settle(base_url)
                        yield part
            except ModelError as error:
                if error.context_tokens is not None:
                    learned.context_tokens, learned.is_context_known = error.context_tokens, True
                if first is not None and error.fault not in _NOBODY_THERE:
                    learned.settle(base_url)
                    raise
                if is_answered or (first is None and error.fault is not Fault.WRONG_ADDRESS):
                    raise
                first = first or error
            else:
                return
        if first is not None:
            raise first

    async def _ask(
        self, endpoint: Endpoint, body: dict[str, Any], learned: _Learned, first_sign_by: float
    ) -> AsyncGenerator[Part, None]:
        """Ask an endpoint, omitting step by step what it refuses; an answer makes that remembered."""
        import openai as package

        refused = set(learned.refused)
        is_answered = False
        async with self._client.client_for(endpoint) as client:
            while True:
                asked = concessions.without(body, refused)
                try:
                    reading = self._read(client, endpoint, asked, learned, first_sign_by)
                    async with contextlib.aclosing(reading) as parts:
                        async for part in parts:
                            is_answered = True
                            learned.refused |= refused
                            yield part
                except (package.APIStatusError, ToldError) as error:
                    told = error.told if isinstance(error, ToldError) else refusal_of(error)
                    culprit = None if is_answered else concessions.culprit(told, asked)
                    if culprit is None or culprit in refused:
                        raise
                    refused.add(culprit)
                else:
                    return

    async def _read(
        self,
        client: "openai.AsyncOpenAI",
        endpoint: Endpoint,
        asked: dict[str, Any],
        learned: _Learned,
        first_sign_by: float,
    ) -> AsyncGenerator[Part, None]:
        """Send one request and yield its answer."""
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout_at(first_sign_by):
                response = await _create(client, endpoint.model, asked)
            stack.push_async_callback(response.close)
            reply = Reply(opened=learned.opened, has_tools="tools" in asked)
            try:
                answer = AnswerBody(endpoint, response.iter_bytes())
                async with contextlib.aclosing(self._parts(answer, reply, first_sign_by)) as parts:
                    async for part in parts:
                        yield part
            finally:
                learned.opened = reply.opened

    async def _parts(
        self, answer: AnswerBody, reply: Reply, first_sign_by: float
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of an answer; raise for one that ends with an error."""
        async with contextlib.aclosing(answer.objects()) as objects:
            try:
                async with contextlib.aclosing(
                    self._to_the_end(objects, answer, reply, first_sign_by)
                ) as parts:
                    async for part in parts:
                        yield part
            except (ModelError, TimeoutError):
                for part in reply.rest(is_whole=False):
                    yield part
                raise
            async with contextlib.aclosing(_behind_the_end(objects, reply)) as parts:
                async for part in parts:
                    yield part
        is_whole = reply.ending is Ending.DONE or (reply.ending is Ending.NOT_YET and answer.is_complete)
        for part in reply.rest(is_whole=is_whole):
            yield part
        calls = reply.calls()
        if not (calls and reply.ending is Ending.LENGTH):
            for call in calls:  # of a cut answer the last one may be half a call, which must never be made
                yield call
        if reply.usage is not None:
            yield reply.usage
        _check(answer, reply, has_calls=bool(calls))

    async def _to_the_end(
        self,
        objects: AsyncGenerator[Mapping[str, Any], None],
        answer: AnswerBody,
        reply: Reply,
        first_sign_by: float,
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of an answer until it says that it is complete."""
        clock = asyncio.get_running_loop().time
        sign_by, word_by = first_sign_by, clock() + self._first_token_timeout_s * SILENCE_SHARE
        while reply.ending is Ending.NOT_YET and not answer.is_complete:
            async with asyncio.timeout_at(min(sign_by, word_by)):
                found = await anext(objects, None)
            if found is None:
                return
            sign_by, heard = clock() + self._idle_timeout_s, reply.heard
            for part in reply.take(found):
                yield part
            if reply.heard > heard:
                word_by = clock() + self._idle_timeout_s * SILENCE_SHARE


def _check(answer: AnswerBody, reply: Reply, *, has_calls: bool) -> None:
    """Raise for an answer that is not whole."""
    reason = f"finish_reason: {reply.finish}"
    match reply.ending:
        case Ending.NOT_YET if not answer.is_complete:
            raise ModelError(Fault.UNREACHABLE, "the stream ended without a finish_reason")
        case Ending.LENGTH if has_calls:
            raise ModelError(Fault.MALFORMED, reason)
        case Ending.LENGTH:
            raise ModelError(Fault.CUT_OFF, reason)
        case Ending.FILTERED:
            raise ModelError(Fault.FILTERED, reason)
        case Ending.BROKEN:
            raise ModelError(Fault.SERVER_ERROR, reason)
    if reply.declined:
        raise ModelError(Fault.REFUSED, reply.declined)
    if not reply.said and not has_calls:
        raise ModelError(Fault.EMPTY)


async def _create(client: "openai.AsyncOpenAI", model: str, body: dict[str, Any]) -> _Response:
    """Send the request; return the response with its body unread, to be closed by the caller."""
    import openai as package

    create: Any = client.chat.completions.with_streaming_response.create
    try:
        response: _Response = await create(model=model, stream=True, **body).__aenter__()
    except package.APITimeoutError:
        raise
    except package.APIConnectionError:  # perhaps a kept connection that the endpoint had closed meanwhile
        response = await create(model=model, stream=True, **body).__aenter__()
    return response


async def _behind_the_end(
    objects: AsyncGenerator[Mapping[str, Any], None], reply: Reply
) -> AsyncGenerator[Part, None]:
    """Read to the end: the usage comes there, the connection can be used again, and some servers have more to say.

    They name a finish reason too early or with every piece. Errors are ignored, because the answer is complete.
    """
    clock = asyncio.get_running_loop().time
    end_by = clock() + DRAIN_TIMEOUT_S
    while True:
        try:
            async with asyncio.timeout_at(end_by):
                found = await anext(objects, None)
        except (TimeoutError, ModelError):
            return
        if found is None:
            return
        heard = reply.heard
        for part in reply.take(found):
            yield part
        if reply.heard > heard:
            end_by = clock() + DRAIN_TIMEOUT_S
