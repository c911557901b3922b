"""The fixture `bucket`: an empty bucket of a real S3 server."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3_server import server


@pytest.fixture(scope="session")
def bucket() -> Iterator[server.Bucket]:
    """A bucket shared by the session; without Java and Maven a skip, and on CI a failure."""
    if lack := server.missing_tool():
        if os.environ.get("CI") == "true":
            pytest.fail(f"on CI a real S3 server is not optional: {lack}")
        pytest.skip(f"no real S3 server here: {lack}")
    with tempfile.TemporaryDirectory(prefix="tt-s3-") as folder, server.s3(Path(folder)) as bucket:
        yield bucket
