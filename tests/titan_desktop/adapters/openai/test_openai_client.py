"""What chat and embeddings share: how the client is made, and how long an endpoint asks to wait."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import openai
import pytest

from tests.openai_server import OpenAIServer, serve
from titan_desktop.adapters.openai.embedder import OpenAIEmbedder
from titan_desktop.adapters.openai.errors import retry_after_s
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.ports.model import Endpoint, Text, Turn


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text="yes") as server:
        yield server


async def test_no_client_is_built_on_the_loop(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading certificates and building a pool takes tens of milliseconds: a thread does it, for both adapters."""
    built: list[int] = []

    class Watched(openai.AsyncOpenAI):
        def __init__(self, **given: Any) -> None:
            built.append(threading.get_ident())
            super().__init__(**given)

    monkeypatch.setattr(openai, "AsyncOpenAI", Watched)
    endpoint = Endpoint(server.base_url, "m", "k")
    model, embedder = OpenAIChatModel(), OpenAIEmbedder(endpoint)
    parts = [part async for part in model.stream(endpoint, [Turn("user", "?")])]
    await embedder.embed_query("кошка")
    await embedder.close()
    await model.close()
    assert parts[0] == Text("yes")
    assert len(built) == 2
    assert threading.get_ident() not in built


def test_how_long_to_wait_is_read_in_every_form() -> None:
    """Seconds, a date, or milliseconds; what is none of these says nothing, and no wait is negative or endless."""
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    long_ago = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert retry_after_s({"retry-after": "20"}) == 20.0
    assert retry_after_s({"retry-after": "20", "retry-after-ms": "1500"}) == 1.5
    assert 50 < retry_after_s({"retry-after": in_a_minute}) <= 60
    for nonsense in ("", "-5", "nan", "inf", "soon", long_ago):
        assert retry_after_s({"retry-after": nonsense}) == 0.0
    assert retry_after_s({}) == 0.0
