"""How the suite is spread over processes: whole files, on two of them, when more than single files are asked for.

Each worker has servers of its own. Servers given by URL are one set for everybody, so there it is one process.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

WORKERS = 2
TOGETHER = (
    "tests/contract/test_graph.py",
    "tests/titan_desktop/adapters/graph/test_neo4j.py",
    "tests/e2e/test_external.py",
)
"""Files that need Neo4j, which takes longest to start: one worker runs them all."""
FIRST = ("e2e", "core", "client", "test_with_a_core.py", "connections", "test_chaos.py")
"""What takes longest begins first, or one worker would be left alone with it at the end."""
GIVEN = ("redis_url", "postgres_url", "neo4j_url")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Answer `-n auto`: a few files run here, since starting workers would take longer than they do."""
    if any(config.getoption(name) for name in GIVEN):
        return 0
    folders = [word for word in config.args if Path(word.partition("::")[0]).is_dir()]
    return min(WORKERS, os.cpu_count() or 1) if folders else 0


class Scheduling(LoadFileScheduling):
    """Whole files, in the order in which they were collected, and the files of Neo4j as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER[0] if file.endswith(TOGETHER) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Answer `--dist loadfile`."""
    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = (
        False  # by the number of their tests; a file of one test may take longest
    )
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest before the rest; within the two the order stays random."""
    items.sort(key=lambda item: set(FIRST).isdisjoint(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Any:
    """Escape what cannot go to the other process as UTF-8: a name or a log line with half a surrogate pair."""
    data = yield
    return _encodable(data)


def _encodable(data: Any) -> Any:
    match data:
        case str():
            return data.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {key: _encodable(value) for key, value in data.items()}
        case list() | tuple():
            return type(data)(_encodable(value) for value in data)
        case _:
            return data
