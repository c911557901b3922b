"""How many tokens a model takes, as each server tells it; and what a refusal teaches."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.openai_server import OpenAIServer, Raw, serve
from titan_desktop.adapters.openai import model as openai_model
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.ports.model import Endpoint, ModelError, Turn

MODEL = "qwen3:8b"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text="yes", models=(MODEL, "another")) as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(connect_timeout_s=2, first_token_timeout_s=2, idle_timeout_s=2)
    yield model
    await model.close()


def endpoint(server: OpenAIServer) -> Endpoint:
    return Endpoint(server.base_url, MODEL, "k")


@pytest.mark.parametrize(
    ("listed", "pages", "tokens"),
    [
        ({"owned_by": "vllm", "max_model_len": 4096}, {}, 4096),
        ({"context_length": 131072}, {}, 131072),
        ({"context_window": 8192}, {}, 8192),
        ({"max_context_length": 32768}, {}, 32768),
        (
            {"owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}},
            {"GET /props": {"default_generation_settings": {"n_ctx": 4096}}},
            4096,
        ),
        (
            {"owned_by": "organization_owner"},
            {f"GET /api/v0/models/{MODEL}": {"max_context_length": 32768, "loaded_context_length": 4096}},
            4096,
        ),
        (
            {"owned_by": "library"},
            {"GET /api/ps": {"models": [{"name": MODEL, "context_length": 16384}]}},
            16384,
        ),
        (
            {"owned_by": "library"},
            {
                "GET /api/ps": {"models": []},
                "POST /api/show": {"parameters": 'stop "x"\nnum_ctx                        8192'},
            },
            8192,
        ),
        (
            {"owned_by": "library"},
            {"GET /api/ps": {"models": [{"name": "another", "context_length": 16384}]}, "POST /api/show": {}},
            4096,
        ),
        ({}, {}, None),
        ({"context_length": "many", "max_model_len": -1}, {}, None),
        ({"owned_by": "llamacpp"}, {"GET /props": {"default_generation_settings": None}}, None),
    ],
)
async def test_each_server_tells_it_in_its_own_way(
    model: OpenAIChatModel,
    server: OpenAIServer,
    listed: dict[str, Any],
    pages: dict[str, Any],
    tokens: int | None,
) -> None:
    server.lists, server.pages = listed, pages
    assert await model.context_tokens(endpoint(server)) == tokens


async def test_what_is_known_is_not_asked_for_again(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """That a server tells nothing is known, too. Ollama loads a model with another length when it is told to."""
    for listed, asked in (({"max_model_len": 4096}, 1), ({}, 1)):
        server.lists = listed
        server.requests.clear()
        for _ in range(3):
            await model.context_tokens(endpoint(server))
        assert len(server.requests) <= asked
    other = Endpoint(server.base_url, "another", "k")
    server.lists = {"owned_by": "library"}
    assert await model.context_tokens(other) == 4096
    server.pages = {"GET /api/ps": {"models": [{"model": "another", "context_length": 8192}]}}
    assert await model.context_tokens(other) == 8192


async def test_it_is_found_below_the_version(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.lists = {"max_model_len": 4096}
    base_url = server.base_url.removesuffix("/v1")
    assert await model.context_tokens(Endpoint(base_url, MODEL, "k")) == 4096


async def test_a_refusal_teaches_it(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """What the server says when it refuses holds more than its list."""
    assert await model.context_tokens(endpoint(server)) is None
    server.fault = "context_length_exceeded"
    with pytest.raises(ModelError) as caught:
        async for _ in model.stream(endpoint(server), [Turn("user", "?")]):
            pass
    assert caught.value.context_tokens == 8192
    assert await model.context_tokens(endpoint(server)) == 8192


async def test_a_server_that_says_nothing_of_it_costs_little_and_once(
    model: OpenAIChatModel, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_model, "CONTEXT_TIMEOUT_S", 0.1)
    server.hang_lists = True
    assert await model.context_tokens(endpoint(server)) is None
    server.hang_lists = False
    assert await model.context_tokens(endpoint(server)) is None
    assert len(server.requests) == 1


async def test_nobody_at_the_address_is_no_fault_yet(model: OpenAIChatModel) -> None:
    """The question will say so."""
    assert await model.context_tokens(Endpoint("http://127.0.0.1:9/v1", MODEL)) is None
    assert await model.context_tokens(Endpoint("", MODEL)) is None


async def test_a_list_that_is_none_tells_nothing(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.elsewhere = Raw(b"<html></html>", 200, "text/html")
    assert (
        await model.context_tokens(Endpoint(server.base_url.removesuffix("/v1") + "/v2", MODEL, "k")) is None
    )
