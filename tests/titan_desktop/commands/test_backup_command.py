"""A backup as a person makes it and puts it back: child processes, a real core, real stores."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes
from tests.e2e.harness import Titan, cleaned

pytestmark = pytest.mark.e2e


@pytest.fixture
def titan(titan_home: Path, new_cluster: Path | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Titan]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with cleaned(titan_home) as started:
        homes.install(started.paths, new_cluster)
        yield started


async def run(titan: Titan, *words: str, password: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command with what is typed for it."""
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "titan_desktop", *words], input=f"{password}\n",
        cwd=titan.home, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


async def test_a_backup_brings_everything_back(
    titan: Titan, new_cluster: Path | None, tmp_path: Path
) -> None:
    """Made under a password while Titan works, restored where Titan never ran: what was asked and read is there,
    though the file is not. Another password changes nothing.
    """
    note, file = titan.desktop / "rent.txt", tmp_path / "titan.backup"
    note.write_text("The deposit in the rental agreement is 900 euro.", "utf-8")
    asked = await run(titan, "ask", "--json", "What is the deposit?")
    assert asked.returncode == 0, asked.stderr
    made = await run(titan, "backup", "--json", "--password", str(file), password="pass word")
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    assert (said["encrypted"], said["conversations"], said["messages"], said["files"]) == (True, 1, 2, 1)
    assert b"deposit" not in file.read_bytes()
    again = await run(titan, "backup", str(file))
    assert again.returncode == 3
    assert "already" in again.stderr

    titan.kill_everything()
    shutil.rmtree(titan.paths.config)
    homes.install(titan.paths, new_cluster)
    before = {path.name for path in titan.paths.data.iterdir()}
    refused = await run(titan, "restore", "--yes", str(file), password="another")
    assert refused.returncode == 1
    assert "Nothing was changed" in refused.stderr
    assert {path.name for path in titan.paths.data.iterdir()} == before

    restored = await run(titan, "restore", "--yes", str(file), password="pass word")
    assert restored.returncode == 0, restored.stderr
    assert "Restored" in restored.stdout
    note.unlink()
    note.parent.rename(tmp_path / "unplugged")  # so that what is found can only be from the backup
    found = await run(titan, "search", "--json", "deposit")
    assert [hit["path"] for hit in json.loads(found.stdout)] == [str(note)], found.stderr
    second = json.loads((await run(titan, "backup", "--json", str(tmp_path / "second"))).stdout)
    assert (second["conversations"], second["messages"], second["files"]) == (1, 2, 1)
