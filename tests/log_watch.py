"""A test fails when something is logged at WARNING or above that it did not announce.

`@pytest.mark.logs("…")` announces messages by regular expressions, for one test or as a module's `pytestmark`.
A test that asks for `caplog` reads the log itself. Watched are our own loggers, and asyncio's, which tells of a
task whose exception nobody took; that comes when the task is collected, so perhaps in a later test.
"""

import asyncio
import gc
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WATCHED = ("titan_bus", "titan_desktop", "asyncio")
FOREIGN = (
    # gRPC's client leaves the iterator of a call's requests to the collector when the server refuses the call.
    r"grpc/aio/_call\.py",
    r"coro=<<async_generator_athrow",
)


class Watch(logging.Handler):
    """Keeps what was logged since the last look."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)

    def take(self, announced: list[str]) -> list[str]:
        """Return what nobody announced, and forget all."""
        records, self._records = self._records, []
        return [
            f"{record.levelname} {record.name}: {record.getMessage()}"
            for record in records
            if not any(re.search(pattern, record.getMessage()) for pattern in (*FOREIGN, *announced))
            and not _is_of_a_tests_server(record)
        ]


def _is_of_a_tests_server(record: logging.LogRecord) -> bool:
    """Say whether somebody hung up on a server that a test has made of asyncio's streams, or it was closed.

    asyncio 3.11 logs a connection's task that was cancelled as an exception in a callback of its own.
    """
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, ConnectionError | asyncio.CancelledError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    ours = frames if isinstance(error, asyncio.CancelledError) else frames[:1]
    return any(Path(frame.filename).is_relative_to(TESTS) for frame in ours)


@pytest.fixture(scope="session", autouse=True)
def log_watch() -> Iterator[Watch]:
    """The handler on every watched logger."""
    watch = Watch()
    loggers = [logging.getLogger(name) for name in WATCHED]
    for logger in loggers:
        logger.addHandler(watch)
    yield watch
    gc.collect()
    for logger in loggers:
        logger.removeHandler(watch)
    assert not (left := watch.take([])), f"logged and not announced: {left}"


@pytest.fixture(autouse=True)
def unexpected_logs(request: pytest.FixtureRequest, log_watch: Watch) -> Iterator[None]:
    """Fail the test if it logged what it did not announce; the first fixture to begin and the last to end."""
    yield
    announced = [pattern for mark in request.node.iter_markers("logs") for pattern in mark.args]
    unexpected = log_watch.take([".*"] if "caplog" in request.fixturenames else announced)
    assert not unexpected, f"logged and not announced: {unexpected}"
