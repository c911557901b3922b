"""FastStream's batch mode: as `fast_stream`, with a handler that gets a hundred events at a time."""

from collections.abc import Callable

from . import Handled, fast_stream

producer = fast_stream.producer


async def consume(url: str, handled: Handled, ready: Callable[[], None], *, timed: bool) -> None:
    await fast_stream.consume(url, handled, ready, timed=timed, batch=True)
