"""The model's adapter against a real HTTP server: what streams, what fails and how it is called, what hangs up."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.openai_server import OpenAIServer, serve
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.ports.model import Endpoint, ModelError, Text, Turn

TURNS = (Turn("system", "Be brief."), Turn("user", "Сколько?"))


TEXT = "one two three four five six"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text=TEXT) as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(connect_timeout_s=2, first_token_timeout_s=2, idle_timeout_s=2)
    yield model
    await model.close()


def endpoint(server: OpenAIServer, key: str = "k") -> Endpoint:
    return Endpoint(base_url=server.base_url, model="m", key=key)


async def read(model: OpenAIChatModel, where: Endpoint) -> tuple[str, ModelError | None]:
    """All that was said, and what ended it."""
    said = ""
    try:
        async for part in model.stream(where, TURNS):
            said += part.text if isinstance(part, Text) else ""
    except ModelError as error:
        return said, error
    return said, None


async def test_an_answer_streams_and_the_prompt_arrives(model: OpenAIChatModel, server: OpenAIServer) -> None:
    assert await read(model, endpoint(server)) == (TEXT, None)
    [request] = server.chats
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Сколько?"},
    ]
    assert request.body["model"] == "m"
    assert request.headers["authorization"] == "Bearer k"


async def test_a_server_without_a_key_is_asked_with_none(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    await read(model, endpoint(server, key=""))
    assert server.chats[0].headers["authorization"] == "Bearer none"


async def test_no_key_stands_in_what_the_endpoint_said(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.fault = "invalid_api_key"
    _, error = await read(model, endpoint(server, key="You"))
    assert error is not None
    assert "sk-wrong" not in error.detail
    assert "You" not in error.detail
    assert "Incorrect API key" in error.detail


async def test_a_kept_connection_that_was_closed_costs_nobody_an_answer(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.faults = ["hangup"]
    assert await read(model, endpoint(server)) == (TEXT, None)
    assert len(server.chats) == 2


async def test_a_server_that_never_says_done_does_not_hold_a_whole_answer_back(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.fault = "no_done"
    assert await read(model, endpoint(server)) == (TEXT, None)
