"""The profile `ha` of the compose file: its own commands, run without Docker."""

import os
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests import servers
from tests.titan_bus.conftest import until
from tests.titan_bus.deployments import free_ports
from titan_bus import Bus, BusConfig, BusUnavailableError, ServerRefusedError
from titan_bus.connections.channel import Channel
from titan_bus.connections.endpoint import Endpoint

COMPOSE_FILE = Path(__file__).parents[3] / "compose" / "docker-compose.yml"
PASSWORD = "of-the-env-file"
PORTS = ("REDIS_1_PORT", "REDIS_2_PORT", "SENTINEL_1_PORT", "SENTINEL_2_PORT", "SENTINEL_3_PORT")


class Containers:
    """The profile's services as processes, each with a folder of its own; their names are loopback."""

    def __init__(self, folder: Path) -> None:
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        services = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"]
        self._services = {name: one for name, one in services.items() if one.get("profiles") == ["ha"]}
        self._folder = folder
        (folder / "redis-server").symlink_to(servers.valkey_binary())

    def start(self, name: str) -> None:
        service = self._services[name]
        data = self._folder / name
        data.mkdir()
        values = self.ports | {"REDIS_PASSWORD": PASSWORD}
        environment = {
            variable: self._here(re.sub(r"\$\{(\w+):[^}]*\}", lambda found: values[found[1]], value))
            for variable, value in service["environment"].items()
        }
        script = service["command"][2].replace("$$", "$").replace("/data", str(data))
        script = re.sub(r"(down-after-milliseconds titan) \d+", r"\1 300", script)  # the test's haste
        self.processes[name] = subprocess.Popen(
            ["sh", "-c", self._here(script)],
            env=environment | {"PATH": f"{self._folder}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def says(self, port: str, what: str, *words: str) -> None:
        """Wait until the server on this port answers a command with something that contains this."""
        endpoint = Endpoint.parse(f"redis://:{PASSWORD}@127.0.0.1:{self.ports[port]}")

        async def check() -> bool:
            channel = Channel(endpoint)
            try:
                return what in str(await channel.call(*words))
            except (BusUnavailableError, ServerRefusedError):
                return False
            finally:
                channel.close()

        await until(check, f"{what} from {port}")

    @staticmethod
    def _here(text: str) -> str:
        return re.sub(r"titan-(redis|sentinel)-\d", "127.0.0.1", text)


@pytest.fixture
async def containers() -> AsyncIterator[Containers]:
    with servers.short_folder() as folder:
        containers = Containers(folder)
        yield containers
        for process in containers.processes.values():
            process.kill()
            process.wait()


async def test_the_profile_fails_over(containers: Containers, topic: str) -> None:
    """The URL that the file gives opens a bus; after kill -9 of the primary the replica has what it confirmed."""
    containers.start("redis-primary")
    containers.start("redis-replica")
    await containers.says("REDIS_1_PORT", "online", "INFO", "replication")
    for number in (1, 2, 3):
        containers.start(f"redis-sentinel-{number}")
    for number in (1, 2, 3):
        await containers.says(f"SENTINEL_{number}_PORT", "OK 3 usable", "SENTINEL", "CKQUORUM", "titan")
    hosts = ",".join(f"127.0.0.1:{containers.ports[name]}" for name in PORTS[2:])
    url = f"redis+sentinel://:{PASSWORD}@{hosts}/titan?sentinel_password={PASSWORD}"
    async with Bus(BusConfig(url=url, replicas=1)) as bus:
        confirmed = await bus.publish(topic, "e", {})
    async with Bus(BusConfig(url=url, patience_s=30)) as bus:
        containers.processes["redis-primary"].kill()
        later = await bus.publish(topic, "e", {})
        ids = [event.event_id async for event in bus.replay("2020-01-01T00:00:00Z", topic)]
    assert ids == [confirmed, later]
