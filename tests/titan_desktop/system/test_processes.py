"""Claims about environments: what a process may have is on a list, and a secret is on none."""

import os
from pathlib import Path

import pytest

from titan_desktop.system import processes

HELD = {
    "PATH": "/bin",
    "HOME": "/home/a",
    "LC_ALL": "C.UTF-8",
    "TITAN_HOME": "/home/a/titan",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    "DOCKER_HOST": "tcp://h",
    "OPENAI_BASE_URL": "https://host/v1",
    "https_proxy": "http://user:secret@proxy",
    "OPENAI_API_KEY": "secret",
    "OPENAI_CUSTOM_HEADERS": "X: secret",
    "TITAN_REDIS_URL": "redis://:secret@h",
    "TITAN_POSTGRES_URL": "postgresql://u:secret@h",
    "TITAN_NEO4J_URL": "bolt://u:secret@h",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
}


def test_no_child_is_started_with_a_secret() -> None:
    """Neither ours nor those of other programs; Docker alone gets the proxy, to fetch its images through."""
    for made in (
        processes.own_environment(HELD),
        processes.host_environment(HELD),
        processes.server_environment(HELD),
        processes.worker_environment(Path("lib"), HELD),
    ):
        assert not [name for name, value in made.items() if "secret" in value]
    docker = processes.docker_environment(HELD)
    assert [name for name, value in docker.items() if "secret" in value] == ["https_proxy"]
    assert docker["DOCKER_HOST"] == "tcp://h"


def test_each_child_has_what_it_needs() -> None:
    """The core the person's session, servers a home and a locale, a worker a place for temporary files."""
    assert {"PATH", "HOME", "LC_ALL", "TITAN_HOME", "DBUS_SESSION_BUS_ADDRESS", "OPENAI_BASE_URL"} <= set(
        processes.own_environment(HELD)
    )
    assert set(processes.server_environment(HELD)) == {"PATH", "HOME", "LC_ALL"}
    worker = processes.worker_environment(Path("lib"), HELD)
    assert worker["TMPDIR"] == worker["TEMP"] == "lib"
    assert not {"PATH", "HOME", "TITAN_HOME"} & set(worker)


def test_what_is_handed_over_is_taken_and_inherited_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are in what the core looks into, not in its environment; libraries find the rest there."""
    for name in (*processes.SECRETS, "https_proxy", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TITAN_NEO4J_URL", "of a core that was started by hand")
    handed = {name: value for name, value in HELD.items() if name != "TITAN_NEO4J_URL"}
    environment = processes.taken(processes.handed_over(handed))
    assert environment["OPENAI_API_KEY"] == "secret"
    assert environment["TITAN_NEO4J_URL"] == "of a core that was started by hand"
    assert not set(processes.SECRETS) & set(os.environ)
    assert os.environ["https_proxy"] == HELD["https_proxy"]
    assert os.environ["OPENAI_CUSTOM_HEADERS"] == HELD["OPENAI_CUSTOM_HEADERS"]
