"""The key in the keyring: stored, read, deleted, and what is said where there is no keyring."""

import threading
from pathlib import Path

import keyring.backend
import pytest

from titan_desktop import settings
from titan_desktop.adapters.keyring.secrets import SERVICE, KeyringSecrets, entry_of
from titan_desktop.ports.secrets import Key, SecretsUnavailableError

OPENAI = "https://api.openai.com/v1"


OTHER = "https://other.example/v1"


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


async def test_the_environments_key_is_for_whom_the_person_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said once, in the settings, for a server on this machine or elsewhere; what cannot be read says nothing."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    local, file = "http://127.0.0.1:4000/v1", tmp_path / "settings.toml"
    secrets = KeyringSecrets({"OPENAI_API_KEY": "sk-env", "OPENAI_BASE_URL": local}, file)
    assert await secrets.key(local) is None
    settings.save(file, settings.Settings(keys=settings.KeySettings(("http://127.0.0.1:4000",))))
    assert await secrets.key(local) == Key("sk-env", "environment")
    assert await secrets.key("http://127.0.0.1:4001/v1") is None
    file.write_text("keys = ", "utf-8")
    assert await secrets.key(local) is None
