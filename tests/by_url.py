"""Run the suites that speak to a store once more, against servers reached by URL: TCP ports, with passwords.

`python -m tests.by_url [pytest options]`. The servers are the same real ones; what differs is the way to them,
which is how `docker` and `external` stores are reached.
"""

import secrets
import socket
import subprocess
import sys
from pathlib import Path

from tests import servers
from tests.neo4j_server import server as neo4j_server

SUITES = (
    "titan_bus",
    "titan_desktop/adapters/postgres/test_history.py",
    "titan_desktop/adapters/postgres/test_passages.py",
    "titan_desktop/adapters/postgres/test_vectors.py",
    "titan_desktop/adapters/redis/test_recent_cache.py",
    "titan_desktop/services/test_chat.py",
    "titan_desktop/services/test_memory.py",
    "contract",
    "e2e/test_external.py",
)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(options: list[str]) -> int:
    """Start the three servers, run the suites against them, answer with pytest's exit code."""
    tests = Path(__file__).parent
    redis_port, password = free_port(), secrets.token_urlsafe(12)
    redis_options = ("--port", str(redis_port), "--bind", "127.0.0.1", "--requirepass", password)
    with (
        servers.short_folder() as redis_folder,
        servers.valkey(redis_folder, *redis_options),
        servers.short_folder() as postgres_folder,
        servers.postgres(postgres_folder, port=free_port()) as postgres_url,
        servers.short_folder() as neo4j_folder,
        neo4j_server.neo4j(neo4j_folder) as neo4j_url,
    ):
        arguments = [
            *(str(tests / suite) for suite in SUITES),
            f"--redis-url=redis://:{password}@127.0.0.1:{redis_port}/0",
            f"--postgres-url={postgres_url}",
            f"--neo4j-url={neo4j_url}",
        ]
        return subprocess.run([sys.executable, "-m", "pytest", *arguments, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
