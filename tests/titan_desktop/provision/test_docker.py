"""Claims about the stores from Docker: the compose file, the passwords, and what is said without Docker."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests import servers
from titan_desktop.provision.docker import DEFAULT_PORTS, PASSWORDS, SERVICES, Docker, write_environment
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.system.paths import Paths, bundled

COMPOSE_FILE = bundled("compose") / "docker-compose.yml"
HIGH_AVAILABILITY = {"redis-primary", "redis-replica", *(f"redis-sentinel-{number}" for number in (1, 2, 3))}
"""What the profile `ha` adds."""
SECRETS = {name: f"secret-{number}" for number, name in enumerate(PASSWORDS)}


@pytest.fixture
def paths(titan_home: Path) -> Paths:
    made = Paths.from_environment()
    made.create()
    return made


def compose_command() -> list[str]:
    """Docker's plugin, or the older program of its own."""
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("neither `docker compose` nor `docker-compose` is installed")


@pytest.mark.parametrize(
    ("options", "more"), [([], set()), (["--profile", "ha"], HIGH_AVAILABILITY)], ids=["stores", "ha"]
)
def test_docker_accepts_the_file_and_every_service_is_guarded(
    tmp_path: Path, options: list[str], more: set[str]
) -> None:
    """`docker compose config`: the services, loopback alone, a health check and a named volume each."""
    environment = tmp_path / ".env"
    environment.write_text("".join(f"{name}={value}\n" for name, value in (SECRETS | DEFAULT_PORTS).items()))
    done = subprocess.run(
        [*compose_command(), "--env-file", environment, "--file", COMPOSE_FILE, *options, "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = yaml.safe_load(done.stdout)
    # Compose 1 shows the services of every profile.
    services = {name: one for name, one in said["services"].items() if more or not one.get("profiles")}
    assert set(services) == set(SERVICES.values()) | more
    for service in services.values():
        assert service["healthcheck"]["test"]
        assert [_is_loopback(port) for port in service["ports"]] == [True]
    for secret in SECRETS.values():
        assert secret in done.stdout


def _is_loopback(port: Any) -> bool:
    """Compose 2 writes a mapping, Compose 1 a string."""
    return (
        port["host_ip"] if isinstance(port, dict) else port.rpartition(":")[0].rpartition(":")[0]
    ) == "127.0.0.1"


def test_the_file_holds_no_password_and_opens_no_other_door() -> None:
    """The same claims by the text of the file, for machines without Docker; every secret is a variable."""
    said = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))
    assert set(said["services"]) == set(SERVICES.values()) | HIGH_AVAILABILITY
    assert {name for name, service in said["services"].items() if "profiles" in service} == HIGH_AVAILABILITY
    for name, service in said["services"].items():
        (port,) = service["ports"]
        assert port.startswith("127.0.0.1:$"), name
        assert service["healthcheck"]["test"], name
        (volume,) = service["volumes"]
        assert volume.partition(":")[0] in said["volumes"], name
        secrets = [value for key, value in service["environment"].items() if "PASS" in key or "AUTH" in key]
        assert secrets, name
        assert all(value.endswith("_PASSWORD:?}") for value in secrets), name


def test_redis_keeps_an_append_only_file_and_no_snapshot(tmp_path: Path) -> None:
    """What is erased would stay in a snapshot; one that an earlier version of this file had written goes, too."""
    (tmp_path / "redis-server").symlink_to(servers.valkey_binary())
    (tmp_path / "dump.rdb").write_text("what was said")
    script = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]["redis"]["command"][2]
    here = f"redis-server - --port 0 --unixsocket {tmp_path}/s --dir {tmp_path}"
    script = script.replace("$$", "$").replace("/data", str(tmp_path)).replace("redis-server -", here)
    server = subprocess.Popen(
        ["sh", "-c", script],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "REDIS_PASSWORD": "secret"},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        retry = Retry(ConstantBackoff(0.05), 200)
        with redis.Redis(
            unix_socket_path=f"{tmp_path}/s", password="secret", retry=retry, retry_on_error=[OSError]
        ) as client:
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
    finally:
        server.terminate()
        server.wait(10)
    assert not (tmp_path / "dump.rdb").exists()


def test_passwords_are_made_once_and_kept_private(paths: Paths) -> None:
    """The servers keep the first password in their volumes, so a second one would lock Titan out."""
    file = paths.data / ".env"
    first = write_environment(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({first[name] for name in PASSWORDS}) == 3
    assert all(len(first[name]) >= 32 for name in PASSWORDS)
    assert write_environment(file) == first


def test_a_port_that_the_person_changed_stays(paths: Paths) -> None:
    """`.env` may be edited; only what is missing is added."""
    (paths.data / ".env").write_text("# mine\nREDIS_PORT=7777\n")
    values = write_environment(paths.data / ".env")
    assert values["REDIS_PORT"] == "7777"
    assert values["POSTGRES_PORT"] == DEFAULT_PORTS["POSTGRES_PORT"]


async def test_without_docker_a_sentence_says_so(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """No docker on the PATH."""
    monkeypatch.setenv("PATH", str(paths.data))
    with pytest.raises(StoreUnavailableError, match="docker_missing") as caught:
        await Docker(paths, ["redis"]).url("redis")
    assert caught.value.store == "redis"


def _program(folder: Path, script: str) -> None:
    """Put a `docker` of our own on the PATH: this machine has the client without an engine, others have both."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


async def test_an_engine_that_does_not_answer_is_a_sentence(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is there, the engine is not; its own words are in the log."""
    _program(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(StoreUnavailableError, match="docker_silent"):
        await Docker(paths, ["redis"]).url("redis")
    assert "Cannot connect" in (paths.logs / "docker.log").read_text()


async def test_the_chosen_services_alone_are_brought_up_and_waited_for(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One `up --wait` for all stores from Docker; the URLs carry the passwords of the `.env` file."""
    _program(tmp_path, f'echo "$*" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    docker = Docker(paths, ["redis", "postgres"])
    redis_url, dsn = await docker.url("redis"), await docker.url("postgres")
    values = write_environment(paths.data / ".env")
    assert redis_url == f"redis://:{values['REDIS_PASSWORD']}@127.0.0.1:16379/0"
    assert dsn == f"postgresql://postgres:{values['POSTGRES_PASSWORD']}@127.0.0.1:15432/titan"
    (up,) = [line for line in (tmp_path / "calls").read_text().splitlines() if " up " in line]
    assert up.endswith("--project-name titan up --detach --wait redis postgres")
    assert f"--env-file {paths.data / '.env'}" in up
    assert json.dumps(values["REDIS_PASSWORD"]) not in up


def test_no_password_stands_on_a_command_line_and_no_server_runs_as_root() -> None:
    """Every user of the machine can read the arguments of a process in a container."""
    said = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))
    for name, service in said["services"].items():
        assert "${" not in str(service.get("command", "")), name
        assert "PASSWORD" not in str(service["healthcheck"]["test"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert "--requirepass" not in str(said["services"]["redis"]["command"])
    for name in ("redis", "postgres", *HIGH_AVAILABILITY):
        assert said["services"][name]["cap_drop"] == ["ALL"]
        assert said["services"][name]["user"] == name.partition("-")[0]
