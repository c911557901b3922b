"""Keys under a password: nothing is readable in the file, and none can be moved to another address."""

import json
import stat
import sys
from pathlib import Path

import pytest

from titan_desktop.adapters.key_file import store
from titan_desktop.adapters.key_file.store import KeyFile, KeyFileDamagedError, WrongPasswordError

OPENAI = "https://api.openai.com/v1"
LOCAL = "http://127.0.0.1:8000/v1"


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "data" / "keys.json", memory_kib=8_192)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.json"


def test_a_key_comes_back_with_its_password_alone(file: KeyFile, path: Path) -> None:
    """Whose keys there are can be told without it; one password is for all."""
    assert file.unlock("anything") == {}
    file.store("пароль", "sk-1", OPENAI)
    file.store("пароль", "sk-2", LOCAL)
    assert file.origins() == {"https://api.openai.com", "http://127.0.0.1:8000"}
    assert file.unlock("пароль") == {"https://api.openai.com": "sk-1", "http://127.0.0.1:8000": "sk-2"}
    with pytest.raises(WrongPasswordError):
        file.unlock("Пароль")
    with pytest.raises(WrongPasswordError):
        file.store("Пароль", "sk-3", OPENAI)
    assert "sk-" not in path.read_text()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_taken_out_without_a_password(file: KeyFile, path: Path) -> None:
    """Who has forgotten it begins anew; with the last key the file goes, and the next password is free."""
    file.store("one", "sk-1", OPENAI)
    assert not file.delete(LOCAL)
    assert file.delete("https://API.openai.com:443/v2")
    assert not path.exists()
    assert not file.delete(OPENAI)
    file.store("two", "sk-2", OPENAI)
    assert file.unlock("two") == {"https://api.openai.com": "sk-2"}


def test_a_key_cannot_be_moved_to_another_address(file: KeyFile, path: Path) -> None:
    """By whoever can write the file, and waits for its owner to unlock it."""
    file.store("pw", "sk-1", OPENAI)
    path.write_text(path.read_text().replace("https://api.openai.com", "https://evil.example.com"))
    with pytest.raises(WrongPasswordError):
        file.unlock("pw")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"keys": []},
        {"argon2id": {"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "memory_kib": 2**40}},
        {"argon2id": {"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "iterations": 10**9}},
        {"argon2id": {"salt": ""}},
        {"keys": {"https://api.openai.com": {"nonce": "AAAA", "text": "AAAA"}}},
    ],
)
def test_a_damaged_file_is_told_as_that(file: KeyFile, path: Path, change: dict[str, object]) -> None:
    """And asks for no gigabytes of memory."""
    path.parent.mkdir()
    sealed = store._Content(store._Stretching(bytes(16), memory_kib=8_192, iterations=1))
    path.write_text(json.dumps(json.loads(store.msgspec.json.encode(sealed)) | change))
    with pytest.raises(KeyFileDamagedError):
        file.unlock("pw")
    path.write_text("no json")
    with pytest.raises(KeyFileDamagedError):
        file.origins()
