"""The embedder against a real HTTP server."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from tests import openai_server
from titan_desktop.adapters.openai import embedder as openai_embedder
from titan_desktop.adapters.openai.embedder import BATCH_INPUTS, OpenAIEmbedder
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError


@pytest.fixture
def server() -> Iterator[openai_server.OpenAIServer]:
    with openai_server.serve() as server:
        yield server


@pytest.fixture
async def embedder(
    server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenAIEmbedder]:
    monkeypatch.setattr(openai_embedder, "FIRST_DELAY_S", 0.01)
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "text-embedding-3-large", "k"))
    await embedder.open()
    yield embedder
    await embedder.close()


async def test_many_texts_come_back_in_order(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer
) -> None:
    """However many texts: as many vectors, in their order, in bounded requests."""
    texts = [f"text {number}" for number in range(BATCH_INPUTS * 2 + 1)]
    vectors = await embedder.embed_passages(texts)
    assert [list(vector) for vector in vectors] == [
        pytest.approx(openai_server.embedding(text), abs=1e-6) for text in texts
    ]
    assert [len(request.body["input"]) for request in server.requests] == [64, 64, 1]


async def test_long_texts_go_in_smaller_requests(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer
) -> None:
    """No request carries more characters than the bound, no text more than its own."""
    await embedder.embed_passages(["я" * 10_000] * 25)
    sizes = [sum(map(len, request.body["input"])) for request in server.requests]
    assert max(sizes) <= openai_embedder.BATCH_CHARACTERS
    assert sum(sizes) == 25 * openai_embedder.LONGEST_INPUT


async def test_nomic_gets_its_prefixes(server: openai_server.OpenAIServer) -> None:
    """`nomic-embed-text` is told what is a document and what is a query."""
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "nomic-embed-text:v1.5"))
    await embedder.embed_passages(["кошка"])
    await embedder.embed_query("кошка")
    await embedder.close()
    assert [request.body["input"] for request in server.requests] == [
        ["search_document: кошка"],
        ["search_query: кошка"],
    ]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("invalid_api_key", Fault.WRONG_KEY),
        ("permission_denied", Fault.WRONG_KEY),
        ("model_not_found", Fault.MODEL_NOT_FOUND),
        ("no_route", Fault.WRONG_ADDRESS),
        ("rate_limit", Fault.RATE_LIMITED),
        ("insufficient_quota", Fault.QUOTA_EXCEEDED),
        ("context_length_exceeded", Fault.CONTEXT_TOO_LONG),
        ("bad_request", Fault.REFUSED),
        ("server_error", Fault.SERVER_ERROR),
        ("html", Fault.MALFORMED),
    ],
)
async def test_faults_are_told_apart(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer, fault: str, expected: Fault
) -> None:
    """Each fault of an endpoint has its code, a question is tried once, and the key is never in the error."""
    server.fault = fault
    with pytest.raises(ModelError) as caught:
        await embedder.embed_query("кошка")
    assert caught.value.fault is expected
    assert "sk-" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("elsewhere", [b'{"error":"Unexpected endpoint or method."}', b"<html></html>"])
async def test_an_address_without_its_version_is_mended_once_and_remembered(
    server: openai_server.OpenAIServer, elsewhere: bytes
) -> None:
    """As for chat."""
    server.elsewhere = openai_server.Raw(elsewhere)
    embedder = OpenAIEmbedder(Endpoint(server.base_url.removesuffix("/v1"), "m"))
    for _ in range(2):
        assert len(await embedder.embed_query("кошка")) == openai_server.DIMENSIONS
    assert [request.path for request in server.requests] == [
        "/embeddings",
        "/v1/embeddings",
        "/v1/embeddings",
    ]
    await embedder.close()


async def test_an_error_with_status_200_is_told_in_its_own_words(server: openai_server.OpenAIServer) -> None:
    server.pages = {"POST /v1/embeddings": {"error": "the model is loading"}}
    embedder = OpenAIEmbedder(Endpoint(server.base_url, "m"))
    with pytest.raises(ModelError) as caught:
        await embedder.embed_query("кошка")
    assert (caught.value.fault, caught.value.detail) == (Fault.SERVER_ERROR, "the model is loading")
    await embedder.close()


async def test_nobody_listens() -> None:
    """An endpoint that is down is unreachable, and a question hears it at once."""
    embedder = OpenAIEmbedder(Endpoint("http://127.0.0.1:9/v1", "m"))
    with pytest.raises(ModelError) as caught:
        await embedder.embed_query("кошка")
    assert caught.value.fault is Fault.UNREACHABLE
    await embedder.close()


async def test_a_question_waits_for_a_short_time(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint that hangs costs a question the bound and no more."""
    monkeypatch.setattr(openai_embedder, "QUERY_TIMEOUT_S", 0.2)
    server.fault = "hang"
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        await embedder.embed_query("кошка")
    assert caught.value.fault is Fault.TIMED_OUT
    assert time.monotonic() - began < 10  # it hangs for longer


async def test_passages_are_tried_again(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the background a fault that passes costs a pause and nothing else; a wrong key is not tried again."""
    server.faults = ["server_error", "server_error"]
    assert len(await embedder.embed_passages(["кошка"])) == 1
    assert len(server.requests) == 3
    server.requests.clear()
    server.fault = "invalid_api_key"
    with pytest.raises(ModelError):
        await embedder.embed_passages(["кошка"])
    assert len(server.requests) == 1


async def test_a_limit_is_respected(
    embedder: OpenAIEmbedder, server: openai_server.OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked to wait longer than a call may take, the embedder hands the time on instead of trying again."""
    monkeypatch.setattr(openai_embedder, "LONGEST_DELAY_S", 5.0)
    server.fault = "rate_limit"
    with pytest.raises(ModelError) as caught:
        await embedder.embed_passages(["кошка"])
    assert caught.value.retry_after_s == 20.0
    assert len(server.requests) == 1


async def test_cancelling_ends_the_call(embedder: OpenAIEmbedder, server: openai_server.OpenAIServer) -> None:
    """A cancelled call lets its connection go, and the embedder is good for the next."""
    server.faults = ["hang"]
    call = asyncio.create_task(embedder.embed_passages(["кошка"]))
    await asyncio.to_thread(_arrived, server)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(await embedder.embed_query("кошка")) == openai_server.DIMENSIONS


def _arrived(server: openai_server.OpenAIServer) -> None:
    with server.arrived:
        assert server.arrived.wait_for(lambda: server.requests, 10)
