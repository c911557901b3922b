"""When a model counts as configured, and what is told of it."""

import pytest

from titan_desktop.ports.llm import Endpoint
from titan_desktop.ports.secrets import Key, SecretsUnavailableError
from titan_desktop.services.chat.model import resolve
from titan_desktop.settings import DEFAULT_BASE_URL, DEFAULT_MODEL, ModelSettings

OLLAMA = "http://localhost:11434/v1"


class Ring:
    """A keyring with this key; None in it, or no keyring at all."""

    def __init__(self, key: Key | None = None, *, is_there: bool = True) -> None:
        self._key = key
        self._is_there = is_there

    async def key(self) -> Key | None:
        if not self._is_there:
            raise SecretsUnavailableError("this system has none")
        return self._key

    async def store(self, value: str) -> None:
        raise NotImplementedError

    async def delete(self) -> bool:
        raise NotImplementedError


async def test_a_key_is_enough() -> None:
    model = await resolve(ModelSettings(), Ring(Key("sk-1", "keyring")))
    assert model.endpoint == Endpoint(DEFAULT_BASE_URL, DEFAULT_MODEL, "sk-1")
    assert (model.status.configured, model.status.key, model.status.name) == (True, "keyring", DEFAULT_MODEL)
    assert "sk-1" not in repr(model)


@pytest.mark.parametrize("ring", [Ring(), Ring(is_there=False)])
async def test_a_local_server_needs_no_key(ring: Ring) -> None:
    model = await resolve(ModelSettings(base_url=OLLAMA, name="llama3.2"), ring)
    assert model.endpoint == Endpoint(OLLAMA, "llama3.2", "")
    assert (model.status.configured, model.status.key) == (True, "none")


@pytest.mark.parametrize("base_url", ["", DEFAULT_BASE_URL, DEFAULT_BASE_URL + "/"])
async def test_openai_without_a_key_is_not_configured(base_url: str) -> None:
    model = await resolve(ModelSettings(base_url=base_url), Ring(is_there=False))
    assert model.endpoint is None
    assert not model.status.configured
