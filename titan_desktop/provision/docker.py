"""The servers in Docker Compose: `compose/docker-compose.yml`, with passwords that Titan generates and stores.

The containers keep running when Titan ends, as containers do.
"""

import asyncio
import logging
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from titan_desktop.contracts.problem import Code
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.system import private_files
from titan_desktop.system.bounded_file import BoundedFile, Drain
from titan_desktop.system.paths import Paths, bundled
from titan_desktop.system.processes import docker_environment

log = logging.getLogger(__name__)

PROJECT = "titan"
SERVICES = {"redis": "redis", "postgres": "postgres", "graph": "neo4j"}
DEFAULT_PORTS = {"REDIS_PORT": "16379", "POSTGRES_PORT": "15432", "NEO4J_PORT": "17687"}
"""Not the servers' default ports, which may be in use by other servers."""
PASSWORDS = ("REDIS_PASSWORD", "POSTGRES_PASSWORD", "NEO4J_PASSWORD")
UP_PATIENCE_S = 900.0
"""The first start pulls images of more than a gigabyte."""
LAST_WORDS_S = 2.0


class Docker:
    """Starts the requested services once, and returns their URLs.

    Args:
        paths: the `.env` file is in `paths.data`, Docker's output in `paths.logs`.
        stores: the stores that come from Docker.
    """

    def __init__(self, paths: Paths, stores: Sequence[str]) -> None:
        self._environment_file = paths.data / ".env"
        self._log = paths.logs / "docker.log"
        self._output = BoundedFile(self._log)
        self._stores = tuple(stores)
        self._lock = asyncio.Lock()
        self._values: dict[str, str] = {}

    async def url(self, store: str) -> str:
        """Return the URL of `store`, with its password.

        Raises:
            StoreUnavailableError: Docker is missing, its engine does not answer, or the container did not start.
        """
        async with self._lock:
            if not self._values:
                values = write_environment(self._environment_file)
                await self._up(store)
                self._values = values
        value = self._values
        match store:
            case "redis":
                return f"redis://:{value['REDIS_PASSWORD']}@127.0.0.1:{value['REDIS_PORT']}/0"
            case "postgres":
                password, port = value["POSTGRES_PASSWORD"], value["POSTGRES_PORT"]
                return f"postgresql://postgres:{password}@127.0.0.1:{port}/titan"
            case _:
                return f"bolt://neo4j:{value['NEO4J_PASSWORD']}@127.0.0.1:{value['NEO4J_PORT']}"

    async def _up(self, store: str) -> None:
        if shutil.which("docker") is None:
            raise StoreUnavailableError.of(store, Code.DOCKER_MISSING)
        if await self._docker("version", "--format", "{{.Server.Version}}") != 0:
            raise StoreUnavailableError.of(store, Code.DOCKER_SILENT)
        if await self._docker("compose", "version") != 0:
            raise StoreUnavailableError.of(store, Code.COMPOSE_MISSING)
        code = await self._docker(
            *("compose", "--file", str(bundled("compose") / "docker-compose.yml")),
            *("--env-file", str(self._environment_file), "--project-name", PROJECT),
            *("up", "--detach", "--wait", *(SERVICES[name] for name in self._stores)),
        )
        if code != 0:
            raise StoreUnavailableError.of(store, Code.COMPOSE_FAILED, status=code, log=self._log)

    async def _docker(self, *words: str) -> int:
        """Run docker with its output in our log file; return its exit code."""
        with Drain(self._output) as output:
            process = await asyncio.create_subprocess_exec(
                "docker",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.end,
                stderr=output.end,
                env=docker_environment(),
            )
        try:
            async with asyncio.timeout(UP_PATIENCE_S):
                code = await process.wait()
        except (asyncio.CancelledError, TimeoutError) as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                return -9
            raise
        await asyncio.to_thread(output.wait, LAST_WORDS_S)  # they tell why it failed
        return code


def write_environment(path: Path) -> dict[str, str]:
    """Return the values of the `.env` file; missing ones are generated and added. Mode 0600.

    Passwords are generated once: the servers keep the first one in their volumes.
    """
    values = _read(path)
    missing = {name: port for name, port in DEFAULT_PORTS.items() if name not in values}
    missing |= {name: secrets.token_urlsafe(24) for name in PASSWORDS if not values.get(name)}
    if missing:
        values |= missing
        private_files.replace(path, "".join(f"{name}={value}\n" for name, value in values.items()))
    return values


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text("utf-8").splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs if not name.startswith("#")}
