"""titan_bus as a distribution of its own. `tests/installed_bus.py` installs it alone; these need no installing."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import titan_bus
from titan_bus import testing

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "titan_bus" / "README.md"


def project(path: str) -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / path).read_text("utf-8"))["project"])


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env={"PATH": "", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_s_quick_start_runs() -> None:
    """As it stands there, against a real server."""
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    with testing.private_server() as url:
        assert run("-c", example, TITAN_BUS_URL=url) == "billing order 7\n"


def test_the_readme_is_a_page() -> None:
    """Not longer than a page of 80 lines."""
    assert len(README.read_text("utf-8").splitlines()) <= 80


@pytest.mark.parametrize(
    "word",
    "@handlers.lifespan bus.request timeout_s= list[Event] delay_s= `consumer` titan_bus.testing retry: `prefix` valkey://".split(),
)
def test_the_readme_names_what_a_newcomer_looks_for(word: str) -> None:
    """So that nobody builds by hand what is there."""
    assert word in README.read_text("utf-8")


def test_the_readme_s_settings_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample file is a file that `load` takes; its retries are those of the default."""
    (sample,) = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    monkeypatch.setenv("REDIS_PASSWORD", "secret")
    file = tmp_path / "bus.yaml"
    file.write_text(sample, "utf-8")
    config = titan_bus.BusConfig.load(file)
    assert config.url == "redis://:secret@localhost:6379"
    assert config.retry == titan_bus.RetryConfig()
    assert config.stream("orders.v1").retry_limit == titan_bus.StreamConfig(name="other").retry_limit


@pytest.mark.parametrize(
    "command", ["publish", "tail", "topics", "groups", "pending", "dlq", "serve", "restore", "acl"]
)
def test_the_readme_names_commands_that_exist(command: str) -> None:
    """Each command that the README names has a help."""
    assert command in README.read_text("utf-8")
    assert f"titan-bus {command}" in run("-m", "titan_bus", command, "--help")


def test_the_application_brings_what_the_bus_needs() -> None:
    """titan-desktop contains titan_bus, so it declares the same dependencies, extras and licence."""
    bus, desktop = project("titan_bus/pyproject.toml"), project("pyproject.toml")
    assert set(bus["dependencies"]) <= set(desktop["dependencies"])
    for extra in ("s3", "grpc", "otel"):
        assert bus["optional-dependencies"][extra] == desktop["optional-dependencies"][extra]
    assert (ROOT / "titan_bus" / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")


def test_the_version_stands_in_one_place() -> None:
    """In the package; the distribution reads it from there."""
    assert project("titan_bus/pyproject.toml")["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", titan_bus.__version__)
