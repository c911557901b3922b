"""The key in the keyring: stored, read, deleted, and what is said where there is no keyring."""

import threading
from pathlib import Path

import keyring.backend
import pytest

from titan_desktop.adapters.keyring.secrets import SERVICE, KeyringSecrets, entry_of
from titan_desktop.ports.secrets import SecretsUnavailableError

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
