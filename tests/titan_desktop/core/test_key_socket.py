"""Keys that are given to a running core: for as long as it runs, or by the password of their file."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator

import pytest

from tests import servers
from titan_bus import Bus, BusConfig
from titan_desktop import settings
from titan_desktop.adapters.key_file.store import KeyFile
from titan_desktop.adapters.keyring.secrets import KeyringSecrets
from titan_desktop.client.key_socket import Hold, Outcome, Unlock, give, socket_of
from titan_desktop.contracts.message import Kinds
from titan_desktop.contracts.problem import Code
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.contracts.system import ModelStatus, SettingsChanged
from titan_desktop.core import key_socket, keys
from titan_desktop.core.held_keys import HeldKeys
from titan_desktop.core.model_choice import Models
from titan_desktop.system.paths import Paths

OPENAI = settings.DEFAULT_BASE_URL


@pytest.fixture
async def paths(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Paths]:
    """A home on a system without a keyring."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with servers.short_folder() as home:
        monkeypatch.setenv("TITAN_HOME", str(home))
        yield Paths.from_environment()


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test", streams=STREAMS)) as bus:
        yield bus


@pytest.fixture
async def models(paths: Paths, bus: Bus) -> AsyncIterator[Models]:
    """The models of a core that takes keys."""
    held = HeldKeys(KeyringSecrets(), KeyFile(paths.key_file))
    models = Models(paths.settings_file, settings.Settings(), held)
    await models.look()
    async with key_socket.listening(paths, held, models, bus):
        yield models


async def test_a_key_is_held_for_this_run(paths: Paths, models: Models, bus: Bus) -> None:
    """The model is connected when the answer comes, everybody hears of it, and nothing of it is on a disk."""
    assert models.problems == ()
    heard = Kinds(SettingsChanged)
    tail = bus.tail(heard.topics, start="$")
    await tail.start()
    assert await give(paths, Hold(OPENAI, "sk-run")) is Outcome.DONE
    assert models.model == ModelStatus(
        configured=True, name=settings.DEFAULT_MODEL, base_url=OPENAI, key="memory"
    )
    assert heard.read(await anext(aiter(tail))) == SettingsChanged()
    await tail.close()
    assert not paths.key_file.exists()


async def test_a_locked_key_is_a_problem_until_its_password_is_given(paths: Paths, bus: Bus) -> None:
    """A wrong password changes nothing; a key of another address locks nothing."""
    file = KeyFile(paths.key_file, memory_kib=8_192)
    file.store("pw", "sk-file", OPENAI)
    held = HeldKeys(KeyringSecrets(), file)
    models = Models(paths.settings_file, settings.Settings(), held)
    await models.look()
    assert [problem.code for problem in models.problems] == [Code.KEYS_LOCKED]
    async with key_socket.listening(paths, held, models, bus):
        assert await give(paths, Unlock("PW")) is Outcome.WRONG_PASSWORD
        assert not models.model.configured
        assert await give(paths, Unlock("pw")) is Outcome.DONE
        assert (models.model.key, models.problems) == ("file", ())
    file.delete(OPENAI)
    file.store("pw", "sk-file", "https://other.example/v1")
    assert await HeldKeys(KeyringSecrets({"OPENAI_API_KEY": "k"}), file).key(OPENAI) is not None


@pytest.mark.parametrize("words", [("set",), ("delete",)])
async def test_a_stored_key_takes_the_place_of_a_held_one(
    paths: Paths, models: Models, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """At once, in the core that runs: `titan key` tells it, whichever window or terminal that was typed in."""
    assert await give(paths, Hold(OPENAI, "sk-run")) is Outcome.DONE
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.alt.file.PlaintextKeyring")
    monkeypatch.setenv("XDG_DATA_HOME", str(paths.data))
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-ring\n"))
    assert await asyncio.to_thread(keys.main, words) == keys.DONE
    assert models.model.key == ("keyring" if words == ("set",) else "none")


async def test_a_damaged_file_is_told(paths: Paths, models: Models) -> None:
    """With its path, for it has to be deleted."""
    paths.key_file.parent.mkdir(parents=True)
    paths.key_file.write_text("no json")
    assert await give(paths, Unlock("pw")) is Outcome.DAMAGED
    await models.refresh()
    [problem] = models.problems
    assert (problem.code, problem.fields) == (Code.KEYS_DAMAGED, {"path": str(paths.key_file)})


@pytest.mark.parametrize(
    "said", [b"\n", b"no json\n", b'{"type":"hold","base_url":"no address","key":"k"}\n', b"x" * 100_000]
)
async def test_nonsense_harms_nothing(paths: Paths, models: Models, said: bytes) -> None:
    """Nor does a client that says nothing and leaves."""
    reader, writer = await asyncio.open_unix_connection(socket_of(paths))
    writer.write(said)
    assert await reader.read() in (b"not_understood\n", b"")
    writer.close()
    _, silent = await asyncio.open_unix_connection(socket_of(paths))
    silent.close()
    assert not models.model.configured
    assert await give(paths, Hold(OPENAI, "sk-run")) is Outcome.DONE


async def test_only_its_user_can_open_the_socket(paths: Paths, models: Models) -> None:
    """Its folder is nobody else's."""
    assert os.stat(socket_of(paths).parent).st_mode & 0o077 == 0  # noqa: PTH116
    assert "sk-run" not in repr(Hold(OPENAI, "sk-run"))
    assert "pw" not in repr(Unlock("pw"))


async def test_without_a_core_nothing_is_taken(paths: Paths) -> None:
    """As after its end."""
    with pytest.raises(OSError):  # noqa: PT011  # whichever
        await give(paths, Unlock("pw"))


async def test_a_killed_cores_socket_is_replaced(paths: Paths, models: Models, bus: Bus) -> None:
    """It lies there until the next core listens."""
    async with key_socket.listening(paths, HeldKeys(KeyringSecrets(), KeyFile(paths.key_file)), models, bus):
        assert await give(paths, Hold(OPENAI, "sk-run")) is Outcome.DONE


@pytest.mark.logs("no key can be given to this core")
async def test_a_core_that_cannot_listen_does_its_work_all_the_same(paths: Paths, bus: Bus) -> None:
    """Where something stands in the socket's place."""
    socket_of(paths).mkdir(parents=True)
    held = HeldKeys(KeyringSecrets(), KeyFile(paths.key_file))
    models = Models(paths.settings_file, settings.Settings(), held)
    async with key_socket.listening(paths, held, models, bus):
        await models.look()
    assert not models.model.configured
