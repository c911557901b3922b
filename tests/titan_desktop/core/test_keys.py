"""`titan key`: exit codes, sentences, and never the key itself."""

import getpass
import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from titan_desktop import settings
from titan_desktop.adapters.key_file.store import KeyFile
from titan_desktop.core import keys

OPENAI = settings.DEFAULT_BASE_URL
PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"


@pytest.fixture(autouse=True)
def file_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", PLAINTEXT)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("TITAN_HOME", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def run(*arguments: str, given: str = "", monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    return keys.main(arguments)


def test_a_key_is_set_told_and_deleted_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("status", monkeypatch=monkeypatch) == keys.DONE
    assert "There is no key" in capsys.readouterr().out
    assert run("set", given="  sk-secret\n", monkeypatch=monkeypatch) == keys.DONE
    assert run("status", monkeypatch=monkeypatch) == keys.DONE
    assert run("delete", monkeypatch=monkeypatch) == keys.DONE
    assert run("delete", monkeypatch=monkeypatch) == keys.DONE
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"The key for {OPENAI} is in the keyring.",
        f"The key for {OPENAI} is in the keyring.",
        f"The key for {OPENAI} is no longer stored.",
        f"There was no key for {OPENAI}.",
    ]
    assert "sk-secret" not in said.out + said.err


def test_it_speaks_the_language_of_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of the settings; where they cannot be read, the locale's."""
    settings.save(tmp_path / "settings.toml", settings.Settings(language="ru"))
    run("status", monkeypatch=monkeypatch)
    assert capsys.readouterr().out.startswith("Ключа для")
    (tmp_path / "settings.toml").write_text("language = ", "utf-8")
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    assert run("status", monkeypatch=monkeypatch) == keys.USAGE
    assert "Исправьте строку" in capsys.readouterr().err


def test_a_key_belongs_to_the_endpoint_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key stored for one endpoint is no other's, and `--endpoint` names one that is not in the settings."""
    assert run("set", given="sk-openai\n", monkeypatch=monkeypatch) == keys.DONE
    chosen = settings.Settings(model=settings.ModelSettings(base_url="https://other.example/v1"))
    settings.save(tmp_path / "settings.toml", chosen)
    capsys.readouterr()
    assert run("status", monkeypatch=monkeypatch) == keys.DONE
    assert "no key for https://other.example/v1" in capsys.readouterr().out
    assert run("--endpoint", OPENAI, "status", monkeypatch=monkeypatch) == keys.DONE
    assert f"The key for {OPENAI} is in the keyring." in capsys.readouterr().out


def test_settings_that_make_no_sense_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.toml").write_text("model = 1", "utf-8")
    assert run("set", given="sk-1", monkeypatch=monkeypatch) == keys.USAGE
    assert "settings.toml" in capsys.readouterr().err


def test_the_environment_is_named_as_the_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    assert run("status", monkeypatch=monkeypatch) == keys.DONE
    assert "OPENAI_API_KEY" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["", " \n", "ключ", "two words", "x" * 5000])
def test_what_is_no_key_is_refused(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("set", given=given, monkeypatch=monkeypatch) == keys.USAGE
    assert capsys.readouterr().err.startswith("titan key: ")


@pytest.mark.parametrize("arguments", [(), ("show",), ("set", "sk-on-the-command-line")])
def test_wrong_usage_is_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*arguments, monkeypatch=monkeypatch) == keys.USAGE


def test_help_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--help", monkeypatch=monkeypatch) == keys.DONE


def test_without_a_keyring_it_is_3_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    assert run("set", given="sk-1", monkeypatch=monkeypatch) == keys.NO_KEYRING
    assert "OPENAI_API_KEY" in capsys.readouterr().err


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setattr(keys, "KeyFile", partial(KeyFile, memory_kib=8_192))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_keyring_a_terminal_asks_for_a_password(
    no_keyring: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Twice, as nobody sees what is typed; then status and delete know the key. Nothing typed keeps nothing."""
    typed: list[str] = []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: typed.pop(0))
    for words, status in ((["sk-1", ""], keys.USAGE), (["sk-1", "pw", "pW"], keys.USAGE)):
        typed[:] = words
        assert keys.main(["set"]) == status
        assert not (tmp_path / "data" / "keys.json").exists()
    typed[:] = ["sk-1", "pw", "pw"]
    assert keys.main(["set"]) == keys.DONE
    capsys.readouterr()
    assert [keys.main([action]) for action in ("status", "delete")] == [keys.DONE] * 2
    assert capsys.readouterr().out.splitlines() == [
        f"The key for {OPENAI} is in a file under your password.",
        f"The key for {OPENAI} is no longer stored.",
    ]


def test_the_window_gives_key_and_password_as_two_lines(
    no_keyring: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there already stays under its own password."""
    address = ("--endpoint", "http://gpu.lan/v1", "set", "--file")
    assert run(*address, given="sk-1\n", monkeypatch=monkeypatch) == keys.USAGE
    assert run(*address, given="sk-1\nmy own\n", monkeypatch=monkeypatch) == keys.DONE
    assert run(*address, given="sk-2\nanother\n", monkeypatch=monkeypatch) == keys.WRONG_PASSWORD
    said = capsys.readouterr()
    assert KeyFile(tmp_path / "data" / "keys.json").unlock("my own") == {"http://gpu.lan": "sk-1"}
    assert not {"sk-1", "sk-2", "my own", "another"} & set((said.out + said.err).split())


def test_the_environments_key_is_said_to_be_a_local_servers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, and it can be taken back; no key is read."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    local = ("--endpoint", "http://localhost:4000/v1")
    for action in (["status"], ["set", "--environment"], ["status"], ["delete"], ["status"]):
        assert run(*local, *action, monkeypatch=monkeypatch) == keys.DONE
    url, told = local[1], capsys.readouterr().out.splitlines()
    shared = f"The key for {url} is from the environment variable OPENAI_API_KEY."
    assert [told[1], told[2], told[3]] == [shared, shared, f"The key for {url} is no longer stored."]
    assert told[0] == told[4] != shared


@pytest.mark.parametrize("address", ["http://user:secret@h/v1", "https://h/v1?key=secret", "h"])
def test_an_address_with_a_secret_has_no_key(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could not be used, and the secret would stand beside the key."""
    assert run("--endpoint", address, "set", given="sk-1", monkeypatch=monkeypatch) == keys.USAGE
    assert "secret" not in capsys.readouterr().err


def test_the_window_can_write_the_key_to_a_childs_pipe() -> None:
    code = "import sys; from titan_desktop.core.keys import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "set"], input=b"sk-piped\n", capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
