"""A Titan of a test's own: its state, a person's home beside it, and what need not be made anew each time."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from titan_desktop.system.paths import Paths
from titan_desktop.system.processes import command, own_environment

SETTINGS_OF_THE_ENVIRONMENT = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "TITAN_MODEL",
    "TITAN_EMBEDDING_MODEL",
    "TITAN_REDIS_URL",
    "TITAN_POSTGRES_URL",
    "TITAN_NEO4J_URL",
    "XDG_DESKTOP_DIR",
    "XDG_DOWNLOAD_DIR",
)


@pytest.fixture
def titan_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Titan of this test's own: its state, and a person's home with Desktop and Downloads. Yields that home."""
    with servers.short_folder() as state:
        yield settle(tmp_path / "home", state / "titan", monkeypatch)


def settle(home: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a person's home, and let the environment point to it and to the state."""
    for name in ("Desktop", "Downloads"):
        (home / name).mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("TITAN_HOME", str(state))
    for name in SETTINGS_OF_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TITAN_EMBEDDING_MODEL", "none")  # the built-in one is started where it is the claim
    return home


def copy(source: Path, target: Path) -> None:
    """Copy a folder that does not change, with its owners and times."""
    subprocess.run(["cp", "-a", source, target], check=True)


@pytest.fixture(scope="session")
def new_cluster() -> Iterator[Path | None]:
    """PostgreSQL's data as the first start makes it; None where no `cp` copies it."""
    if sys.platform == "win32":
        yield None
        return
    with servers.short_folder() as folder:
        names = ("data", "logs", "run")
        words = [word for name in names for word in (f"--{name}", str(folder / name))]
        for name in names:
            (folder / name).mkdir(mode=0o700)
        options = ["--sockets", str(folder / "run"), "--listen", "unix", "postgres"]
        host = subprocess.Popen(
            [*command("server-host"), *words, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=own_environment(),
        )  # fmt: skip
        assert host.stdin is not None
        assert host.stdout is not None
        said = (json.loads(line).get("state") for line in host.stdout)
        assert "up" in said, "PostgreSQL did not start"
        host.stdin.close()
        assert host.wait(30) == 0
        host.stdout.close()
        [cluster] = (folder / "data").glob("postgres-*")
        yield cluster


def install(paths: Paths, new_cluster: Path | None) -> None:
    """Give a Titan that has never run the cluster that its first start would make; it takes a second less."""
    paths.create()
    if new_cluster is not None:
        copy(new_cluster, paths.data / new_cluster.name)


def keep(place: Path, kept: Path) -> None:
    """Keep all that is in a place where nothing runs."""
    copy(place, kept)


def bring_back(kept: Path, place: Path) -> None:
    """Make a place what it was when it was kept."""
    shutil.rmtree(place)
    copy(kept, place)
