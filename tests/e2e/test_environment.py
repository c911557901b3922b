"""Claims about settings in the environment: those of the terminal that asks count, not an earlier core's."""

import json

import pytest

from tests.e2e.harness import Titan
from tests.openai_server import serve


def test_a_command_with_other_settings_gets_a_core_of_its_own(
    titan: Titan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after a command without a model, one that names a model in its environment is answered by it."""
    (titan.desktop / "lease.txt").write_text("The deposit is 900 euro.", "utf-8")
    assert titan.command("search", "deposit").returncode == 0
    first = titan.core_pid()
    with serve(text="Nine hundred.") as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        asked = titan.command("ask", "What is the deposit?", "--json")
    assert json.loads(asked.stdout)["answer"] == "Nine hundred."
    assert asked.stderr == ""
    assert titan.core_pid() != first


async def test_where_the_core_has_to_stay_the_command_says_what_does_not_count(
    titan: Titan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a window keeps its core, a command with other settings uses that core, and says so."""
    async with titan.link():
        monkeypatch.setenv("TITAN_MODEL", "another")
        asked = titan.command("search", "deposit")
        assert "TITAN_MODEL" in asked.stderr
