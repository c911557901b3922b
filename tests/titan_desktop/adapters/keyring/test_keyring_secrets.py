"""The key in the keyring: stored, read, deleted, and what is said where there is no keyring."""

import threading
from pathlib import Path

import keyring.backend
import pytest

from titan_desktop.adapters.keyring.secrets import SERVICE, KeyringSecrets, entry_of
from titan_desktop.ports.secrets import Key, SecretsUnavailableError

OPENAI = "https://api.openai.com/v1"
OTHER = "https://other.example/v1"
PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"


@pytest.fixture
def file_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """keyrings.alt's backend, chosen by keyring's own configuration file, its data in a folder of the test's."""
    config = tmp_path / "config" / "python_keyring"
    config.mkdir(parents=True)
    (config / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={PLAINTEXT}\n", "utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    return tmp_path


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


async def test_a_key_is_stored_read_and_deleted(file_keyring: Path) -> None:
    secrets = KeyringSecrets({})
    assert await secrets.key(OPENAI) is None
    await secrets.store("sk-1", OPENAI)
    await secrets.store("sk-2", OPENAI)
    assert await secrets.key(OPENAI) == Key("sk-2", "keyring")
    assert await secrets.delete(OPENAI)
    assert not await secrets.delete(OPENAI)
    assert await secrets.key(OPENAI) is None


async def test_the_environment_wins_and_needs_no_keyring(no_keyring: None) -> None:
    assert await KeyringSecrets({"OPENAI_API_KEY": " sk-env\n"}).key(OPENAI) == Key("sk-env", "environment")


async def test_a_key_is_sent_to_its_own_endpoint_alone(file_keyring: Path) -> None:
    """Neither the stored key nor the environment's follows a change of the address; a change of path is none."""
    secrets = KeyringSecrets({})
    await secrets.store("sk-1", OPENAI)
    assert await secrets.key("https://API.openai.com/v2/") == Key("sk-1", "keyring")
    assert await secrets.key(OTHER) is None
    assert await secrets.key("http://api.openai.com/v1") is None
    environment = {"OPENAI_API_KEY": "sk-env"}
    assert await KeyringSecrets(environment).key(OTHER) is None
    environment["OPENAI_BASE_URL"] = OTHER
    assert await KeyringSecrets(environment).key(OTHER) == Key("sk-env", "environment")
    assert await KeyringSecrets(environment).key(OPENAI) == Key("sk-1", "keyring")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_the_environments_key_serves_a_server_on_this_machine(no_keyring: None, host: str) -> None:
    """A proxy or a local model that asks for a key gets it; a host that only begins like one does not."""
    secrets = KeyringSecrets({"OPENAI_API_KEY": "sk-env"})
    assert await secrets.key(f"http://{host}:8000/v1") == Key("sk-env", "environment")
    with pytest.raises(SecretsUnavailableError):
        await secrets.key(f"http://{host.strip('[]')}.example.org/v1")


async def test_an_empty_variable_is_no_key(file_keyring: Path) -> None:
    await KeyringSecrets({}).store("sk-ring", OPENAI)
    assert await KeyringSecrets({"OPENAI_API_KEY": " "}).key(OPENAI) == Key("sk-ring", "keyring")


async def test_without_a_keyring_the_sentence_names_the_cure(no_keyring: None) -> None:
    secrets = KeyringSecrets({})
    with pytest.raises(SecretsUnavailableError, match=r"has none.*OPENAI_API_KEY"):
        await secrets.key(OPENAI)
    with pytest.raises(SecretsUnavailableError):
        await secrets.store("sk-1", OPENAI)
    with pytest.raises(SecretsUnavailableError):
        await secrets.delete(OPENAI)


async def test_a_plain_text_file_is_never_chosen_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """keyrings.alt is installed here; nobody has configured it."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SecretsUnavailableError):
        await KeyringSecrets({}).store("sk-1", OPENAI)
    assert not any(tmp_path.rglob("*"))  # noqa: ASYNC240 - a folder of the test's own


async def test_a_keyring_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Event(), threading.Event()

    class Silent(keyring.backend.KeyringBackend):
        priority = 0  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            assert (service, username) == (SERVICE, entry_of(OPENAI))
            asked.set()
            answer.wait(10)
            return None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    monkeypatch.setattr("titan_desktop.adapters.keyring.secrets._backend", Silent)
    with pytest.raises(SecretsUnavailableError, match="did not answer"):
        await KeyringSecrets({}, timeout_s=0.05).key(OPENAI)
    answer.set()
    assert asked.is_set()


def test_the_key_is_not_in_its_repr() -> None:
    assert "sk-1" not in repr(Key("sk-1", "keyring"))
