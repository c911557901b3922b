"""The commands as a person runs them: child processes, a real core, real stores, real files."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes
from tests.e2e.harness import Titan, cleaned, until
from titan_desktop.contracts.security import Act

pytestmark = pytest.mark.e2e


@pytest.fixture
def titan(titan_home: Path, new_cluster: Path | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Titan]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with cleaned(titan_home) as started:
        homes.install(started.paths, new_cluster)
        yield started


def write(titan: Titan) -> None:
    desktop = titan.home / "Desktop"
    (desktop / "rent.txt").write_text("The deposit in the rental agreement is 900 euro.", "utf-8")
    (desktop / "договор.md").write_text("# Договор аренды\n\nЗалог составляет 900 евро.", "utf-8")
    (desktop / "broken.pdf").write_bytes(b"%PDF-1.7 nothing of the kind")
    (desktop / "empty.txt").write_text("")


async def test_a_first_question_is_answered_from_the_files(titan: Titan) -> None:
    """On a machine that has never run Titan, `titan ask` waits for the files instead of finding nothing."""
    write(titan)
    ended = await asyncio.to_thread(titan.command, "ask", "--json", "What is the deposit?")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["kind"] == "passages"
    assert "900 euro" in said["answer"]
    assert said["sources"][0]["path"] == str(titan.home / "Desktop" / "rent.txt")
    assert "titan key set" in ended.stderr


async def test_a_first_index_tells_what_came_of_every_file(titan: Titan) -> None:
    """The core's own first scan runs at the same time; the summary is complete all the same."""
    write(titan)
    ended = await asyncio.to_thread(titan.command, "index", "--json", "--strict")
    assert ended.returncode == 6, ended.stderr
    said = json.loads(ended.stdout)
    assert said["indexed"] == 2
    assert [Path(skip["path"]).name for skip in said["skipped"]] == ["empty.txt"]
    assert [Path(failure["path"]).name for failure in said["failed"]] == ["broken.pdf"]
    again = json.loads((await asyncio.to_thread(titan.command, "index", "--json")).stdout)
    assert (again["indexed"], again["unchanged"]) == (0, 4)
    refused = await asyncio.to_thread(titan.command, "index", "/etc/passwd", str(titan.home / "Desktop"))
    assert refused.returncode == 4
    assert "/etc/passwd" in refused.stderr
    found = await asyncio.to_thread(titan.command, "search", "-k", "1", "какой залог")
    assert found.returncode == 0
    assert "договор.md" in found.stdout


async def test_a_core_killed_in_mid_index_is_brought_back_by_the_command(titan: Titan) -> None:
    """The command starts the core again, and its summary counts every file once."""
    desktop = titan.home / "Desktop"
    for number in range(400):
        (desktop / f"{number}.txt").write_text(f"Note number {number}. " * 200, "utf-8")
    indexing = subprocess.Popen(  # noqa: ASYNC220  # started at once, waited for in a thread
        [sys.executable, "-m", "titan_desktop", "index", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=titan.home,
    )
    await until(titan.paths.core_file.exists, "the core is up")
    await asyncio.sleep(0.4)  # somewhere in the middle; wherever it strikes, the claim is the same
    titan.kill_core()
    out, _ = await asyncio.to_thread(indexing.communicate, timeout=100)
    assert indexing.returncode == 0
    said = json.loads(out)
    assert said["indexed"] + said["unchanged"] == 400


async def test_ctrl_c_ends_quietly(titan: Titan) -> None:
    """SIGINT while the core starts or answers: 130, and no traceback."""
    asking = subprocess.Popen(  # noqa: ASYNC220  # started at once, waited for in a thread
        [sys.executable, "-m", "titan_desktop", "ask", "x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=titan.home,
        env=dict(os.environ),
    )
    await until(titan.paths.core_file.exists, "the core is up")
    asking.send_signal(signal.SIGINT)
    _, err = await asyncio.to_thread(asking.communicate, timeout=60)
    assert asking.returncode in {0, 1, 130}  # it may have been quicker
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows what each process was started with")
async def test_no_process_is_started_with_a_secret(titan: Titan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Core, server host, servers and workers run, the key is used, and stands in nobody's environment."""
    write(titan)
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "sk-of-this-test")
    monkeypatch.setenv("https_proxy", "http://anna:sk-of-this-test@127.0.0.1:9")
    async with titan.link():  # a client that stays, so that the core does
        assert (await asyncio.to_thread(titan.command, "index")).returncode == 0
        said = await asyncio.to_thread(titan.command, "doctor", "--security", "--json")
        found = await asyncio.to_thread(titan.command, "doctor", "--json")
        running = titan.processes()
        words = " ".join(" ".join(process.cmdline()) for process in running)
        told = {pid: started_with(pid) for pid in (process.pid for process in running)}
    refused = {attempt["act"]: attempt["refused"] for attempt in json.loads(said.stdout)["attempts"]}
    assert refused == dict.fromkeys(Act, True)
    assert json.loads(found.stdout)["core"]["model"]["key"] == "environment"
    for part in (" core ", " server-host ", " extraction-worker", "postgres", "valkey"):
        assert part in words
    assert [pid for pid, environment in told.items() if b"sk-of-this-test" in environment] == []


def started_with(pid: int) -> bytes:
    """Return the environment that a process was started with, as every program of its user can read it."""
    return Path(f"/proc/{pid}/environ").read_bytes()
