"""The fixture `neo4j_url`: a real Neo4j 5, ours or the one that `--neo4j-url` names."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.neo4j_server import server


@pytest.fixture(scope="session")
def neo4j_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A running Neo4j 5, shared by the session; without Java 17 and Maven a skip, and on CI a failure."""
    if given := request.config.getoption("--neo4j-url"):
        yield given
        return
    if lack := server.missing_tool():
        if os.environ.get("CI") == "true":
            pytest.fail(f"on CI a real Neo4j is not optional: {lack}")
        pytest.skip(f"no real Neo4j here: {lack}")
    with tempfile.TemporaryDirectory(prefix="tt-neo4j-") as folder, server.neo4j(Path(folder)) as url:
        yield url
