"""How the suite is spread over processes: whole files, on two of them, when more than single files are asked for.

Each worker has servers of its own. Servers given by URL are one set for everybody, so there it is one process.
"""

import os
from pathlib import Path
from typing import Any

import pytest

WORKERS = 2
GIVEN = ("redis_url", "postgres_url", "neo4j_url")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Answer `-n auto`: a few files run here, since starting workers would take longer than they do."""
    if any(config.getoption(name) for name in GIVEN):
        return 0
    folders = [word for word in config.args if Path(word.partition("::")[0]).is_dir()]
    return min(WORKERS, os.cpu_count() or 1) if folders else 0


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
