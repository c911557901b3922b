"""External servers, named by `TITAN_REDIS_URL`, `TITAN_POSTGRES_URL` and `TITAN_NEO4J_URL`."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from titan_desktop.contracts.problem import Code
from titan_desktop.provision.errors import StoreUnavailableError

VARIABLES = {
    "redis": ("TITAN_REDIS_URL", "redis://:password@host:6379/0"),
    "postgres": ("TITAN_POSTGRES_URL", "postgresql://user:password@host:5432/titan"),
    "graph": ("TITAN_NEO4J_URL", "bolt://neo4j:password@host:7687"),
}
_SCHEMES = {
    "redis": ("redis", "rediss", "valkey", "valkeys", "unix"),
    "postgres": ("postgresql", "postgres"),
    "graph": ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"),
}


class External:
    """Reads the environment; starts and stops nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def url(self, store: str) -> str:
        """Return the store's URL.

        Raises:
            StoreUnavailableError: the variable is not set, or names another kind of server.
        """
        variable, example = VARIABLES[store]
        given = self._environment.get(variable, "")
        if not given:
            raise StoreUnavailableError.of(store, Code.VARIABLE_MISSING, variable=variable, example=example)
        if given.partition("://")[0] not in _SCHEMES[store]:
            raise StoreUnavailableError.of(
                store, Code.VARIABLE_OF_OTHER_KIND, variable=variable, example=example
            )
        if not _can_be_taken_apart(given):
            raise StoreUnavailableError.of(
                store, Code.VARIABLE_UNREADABLE, variable=variable, example=example
            )
        return given


def _can_be_taken_apart(url: str) -> bool:
    """Whether a URL can be parsed. The drivers' own errors would quote what may be part of a password."""
    hosts = ""
    try:
        parts = urlsplit(url)
        hosts = parts.netloc.rpartition("@")[2]
        port = parts.port
    except ValueError:
        return "," in hosts  # several hosts, each with its port, as PostgreSQL's clients accept them
    return port != 0 and not parts.fragment and (parts.scheme == "unix" or "@" not in parts.path)
