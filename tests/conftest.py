"""Fixtures that every suite shares: real servers, one database a test, a Titan home of its own."""

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

pytest_plugins = [
    "tests.workers",
    "tests.log_watch",
    "tests.ways",
    "tests.databases",
    "tests.homes",
    "tests.neo4j_server.fixture",
    "tests.s3_server.fixture",
]

WINDOW_TESTS = frozenset({"ui", "e2e"})
SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--redis-url", help="use this Redis instead of starting one")
    parser.addoption("--postgres-url", help="use this PostgreSQL (a superuser's DSN) instead of starting one")
    parser.addoption(
        "--neo4j-url", help="use this Neo4j (bolt://[user:password@]host:port) instead of starting one"
    )
    parser.addoption(
        "--person-steps", type=int, default=300, help="how much the random person in the window does"
    )
    parser.addoption(
        "--person-seed", type=int, help="what that person does; else pytest-randomly's seed says it"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Given servers, run only what speaks to one of them: the rest would do again what it did without."""
    given = {name for name in ("redis_url", "postgres_url", "neo4j_url") if config.getoption(name)}
    if given:
        others = [item for item in items if given.isdisjoint(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI a skip is a failure: there everything that a test needs has to be there."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and sys.platform == "linux":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped on CI: {report.longrepr}"
    return report


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests of the window on its own loop, all others on asyncio's."""
    if WINDOW_TESTS.isdisjoint(item.path.relative_to(Path(__file__).parent).parts):
        return {"asyncio": asyncio.new_event_loop}
    return {"qt": _window_loop}


def _window_loop() -> asyncio.AbstractEventLoop:
    from PySide6.QtWidgets import QApplication

    from titan_desktop.ui.base.event_loop import AppLoop

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)  # or closing a dialog stops the loop
    return AppLoop(app)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public test data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the public test data is not at {SHARED_DATA}")
    return SHARED_DATA
