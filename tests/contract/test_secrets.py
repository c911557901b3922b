"""One suite for every Secrets: each key for its own endpoint, and a sentence where no key can be kept."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from titan_desktop.ports.secrets import Key, Secrets, SecretsUnavailableError

SecretsOf = Callable[[Mapping[str, str]], Secrets]

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


async def test_a_key_is_stored_read_and_deleted(file_keyring: Path, secrets_of: SecretsOf) -> None:
    secrets = secrets_of({})
    assert await secrets.key(OPENAI) is None
    await secrets.store("sk-1", OPENAI)
    await secrets.store("sk-2", OPENAI)
    assert await secrets.key(OPENAI) == Key("sk-2", "keyring")
    assert await secrets.delete(OPENAI)
    assert not await secrets.delete(OPENAI)
    assert await secrets.key(OPENAI) is None


async def test_the_environment_wins_and_needs_no_keyring(no_keyring: None, secrets_of: SecretsOf) -> None:
    assert await secrets_of({"OPENAI_API_KEY": " sk-env\n"}).key(OPENAI) == Key("sk-env", "environment")


async def test_a_key_is_sent_to_its_own_endpoint_alone(file_keyring: Path, secrets_of: SecretsOf) -> None:
    """Neither the stored key nor the environment's follows a change of the address; a change of path is none."""
    secrets = secrets_of({})
    await secrets.store("sk-1", OPENAI)
    assert await secrets.key("https://API.openai.com/v2/") == Key("sk-1", "keyring")
    assert await secrets.key(OTHER) is None
    assert await secrets.key("http://api.openai.com/v1") is None
    environment = {"OPENAI_API_KEY": "sk-env"}
    assert await secrets_of(environment).key(OTHER) is None
    environment["OPENAI_BASE_URL"] = OTHER
    assert await secrets_of(environment).key(OTHER) == Key("sk-env", "environment")
    assert await secrets_of(environment).key(OPENAI) == Key("sk-1", "keyring")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_the_environments_key_goes_to_no_port_of_this_machine(
    file_keyring: Path, secrets_of: SecretsOf, host: str
) -> None:
    """It is OpenAI's, and any program may listen there, also where OPENAI_BASE_URL names the port."""
    local = f"http://{host}:8000/v1"
    environment = {"OPENAI_API_KEY": "sk-env"}
    secrets = secrets_of(environment)
    assert await secrets.key(local) is None
    await secrets.store("sk-local", local)
    assert await secrets.key(local) == Key("sk-local", "keyring")
    assert await secrets.key(f"http://{host}:8001/v1") is None
    environment["OPENAI_BASE_URL"] = f"http://{host}:8001/v1"
    assert await secrets_of(environment).key(f"http://{host}:8001/v1") is None


async def test_one_origin_has_one_key_however_it_is_written(
    file_keyring: Path, secrets_of: SecretsOf
) -> None:
    """Case, the scheme's own port and what stands before "@" make no other one; another port does."""
    secrets = secrets_of({})
    await secrets.store("sk-1", "https://HOST.example:443/v1")
    assert await secrets.key("https://host.example") == Key("sk-1", "keyring")
    assert await secrets.key("https://user:pass@host.example/v2?x=1") == Key("sk-1", "keyring")
    assert await secrets.key("https://host.example:8443/v1") is None
    assert await secrets.key("https://host.example.org/v1") is None


async def test_an_empty_variable_is_no_key(file_keyring: Path, secrets_of: SecretsOf) -> None:
    await secrets_of({}).store("sk-ring", OPENAI)
    assert await secrets_of({"OPENAI_API_KEY": " "}).key(OPENAI) == Key("sk-ring", "keyring")


async def test_without_a_keyring_the_sentence_names_the_cure(no_keyring: None, secrets_of: SecretsOf) -> None:
    secrets = secrets_of({})
    with pytest.raises(SecretsUnavailableError, match=r"has none.*OPENAI_API_KEY"):
        await secrets.key(OPENAI)
    with pytest.raises(SecretsUnavailableError):
        await secrets.store("sk-1", OPENAI)
    with pytest.raises(SecretsUnavailableError):
        await secrets.delete(OPENAI)


def test_the_key_is_not_in_its_repr() -> None:
    assert "sk-1" not in repr(Key("sk-1", "keyring"))
