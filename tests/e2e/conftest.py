"""A whole Titan, and a model server that holds its answer until the test lets go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes, openai_server
from tests.e2e.harness import Titan, cleaned


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def titan(titan_home: Path, new_cluster: Path | None) -> Iterator[Titan]:
    """Titan in a home of its own, with nothing running yet and no model."""
    with cleaned(titan_home) as installed:
        homes.install(installed.paths, new_cluster)
        yield installed
        for log in sorted(installed.paths.logs.glob("*.log")):  # shown by pytest when the test failed
            print(f"--- {log.name}\n{log.read_text('utf-8', 'replace')[-6000:]}")


@pytest.fixture
def model(titan_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai_server.OpenAIServer]:
    """A server that speaks OpenAI's protocol, and Titan's environment pointing to it."""
    with openai_server.serve() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server
