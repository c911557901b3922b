"""Signals and logging of the commands that run until they are stopped."""

import asyncio
import logging
import signal
import sys

from titan_bus.cli import exit_codes


def log_to_stderr(level: str) -> None:
    """Log to stderr from this level on."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


class Stop:
    """Turns the first signal into an exit status. The second one ends the process as by default."""

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = self._loop.create_future()

    def listen(self) -> None:
        """Install the signal handlers."""
        for signum in self.SIGNALS:
            signal.signal(signum, self._take)

    async def wait(self) -> int:
        """Wait for a signal: SIGTERM is the ordinary end of a service."""
        return exit_codes.INTERRUPTED if await self._came == signal.SIGINT else exit_codes.DONE

    def _take(self, signum: int, _frame: object) -> None:
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self._loop.call_soon_threadsafe(self._come, signum)

    def _come(self, signum: int) -> None:
        if not self._came.done():  # both signals may arrive at once
            self._came.set_result(signum)
