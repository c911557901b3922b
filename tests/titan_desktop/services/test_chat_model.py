"""When a model counts as configured, and what is told of it."""

import pytest

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.secrets import Key, SecretsLockedError, SecretsUnavailableError
from titan_desktop.services.chat.model import resolve
from titan_desktop.settings import DEFAULT_BASE_URL, DEFAULT_MODEL, ModelSettings

OLLAMA = "http://localhost:11434/v1"


ABSENT = SecretsUnavailableError("this system has none", absent=True)


class Ring:
    """A keyring with this key; None in it, or no keyring at all."""

    def __init__(self, key: Key | None = None, *, fault: SecretsUnavailableError | None = None) -> None:
        self._key = key
        self._fault = fault

    async def key(self, base_url: str) -> Key | None:
        if self._fault is not None:
            raise self._fault
        return self._key

    async def store(self, value: str, base_url: str) -> None:
        raise NotImplementedError

    async def delete(self, base_url: str) -> bool:
        raise NotImplementedError


async def test_a_key_is_enough() -> None:
    model = await resolve(ModelSettings(), Ring(Key("sk-1", "keyring")))
    assert model.endpoint == Endpoint(DEFAULT_BASE_URL, DEFAULT_MODEL, "sk-1")
    assert (model.status.configured, model.status.key, model.status.name) == (True, "keyring", DEFAULT_MODEL)
    assert "sk-1" not in repr(model)


@pytest.mark.parametrize("ring", [Ring(), Ring(fault=ABSENT)])
async def test_a_local_server_needs_no_key(ring: Ring) -> None:
    model = await resolve(ModelSettings(base_url=OLLAMA, name="llama3.2"), ring)
    assert model.endpoint == Endpoint(OLLAMA, "llama3.2", "")
    assert (model.status.configured, model.status.key) == (True, "none")


@pytest.mark.parametrize("base_url", ["", DEFAULT_BASE_URL, DEFAULT_BASE_URL + "/"])
async def test_openai_without_a_key_is_not_configured(base_url: str) -> None:
    model = await resolve(ModelSettings(base_url=base_url), Ring(fault=ABSENT))
    assert model.endpoint is None
    assert not model.status.configured


async def test_a_server_is_not_asked_while_its_key_waits_for_a_password() -> None:
    """Not a local one either: it has a key because it wants one, and would refuse the question without it."""
    model = await resolve(
        ModelSettings(base_url=OLLAMA, name="llama3.2"), Ring(fault=SecretsLockedError("under a password"))
    )
    assert (model.endpoint, model.status.configured) == (None, False)
    assert model.problem == Problem(Code.KEYS_LOCKED)


async def test_a_keyring_that_cannot_be_used_is_a_problem_to_show() -> None:
    """A locked one may hold the key; a system without one holds none, and most people need none."""
    locked = await resolve(ModelSettings(), Ring(fault=SecretsUnavailableError("it is locked")))
    assert locked.problem == Problem(Code.KEYRING_UNUSABLE, {"reason": "it is locked"})
    assert (await resolve(ModelSettings(), Ring(fault=ABSENT))).problem is None


async def test_a_password_in_the_address_is_told_to_nobody() -> None:
    """The address is refused, by name and before a question is asked; what goes over the bus is without it."""
    model = await resolve(ModelSettings(base_url="https://anna:se@cret@host:8443/v1?key=secret"), Ring())
    assert model.status.base_url == "https://host:8443/v1"
    assert model.problem == Problem(Code.MODEL_ADDRESS, {"address": "https://host:8443/v1"})
    assert "cret" not in repr(model)
