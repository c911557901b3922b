"""`titan-bus serve`: a worker. It runs until SIGTERM or Ctrl-C, and then finishes what is in hand.

The first signal drains, a second one ends the process at once: what was in hand is then claimed by the next.
"""

import asyncio
import logging
import signal
import socket
import sys

import msgspec

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes, module
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import SOURCE, config_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.config import BusConfig, MetricsConfig
from titan_bus.handlers import Handlers

logger = logging.getLogger("titan_bus")


async def run(options: Options, output: Output) -> int:  # noqa: ARG001 -- a worker's output is its log
    """Work until told to stop."""
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    handlers = _handlers(options)
    config = _config(options)
    stop = _Stop()
    async with Bus(config, handlers) as bus:
        stop.listen()
        for one in handlers:
            logger.info("%s: serving %s as %s", one.group, one.topic, config.consumer_name())
        if bus.metrics_port is not None:
            logger.info("metrics on port %d", bus.metrics_port)
        status = await stop.wait()
        logger.info("stopping, within %g s; a second signal ends at once", config.drain_s)
    logger.info("stopped")
    return status


def _handlers(options: Options) -> Handlers:
    found = module.load(options.handlers)
    if isinstance(found, Handlers):
        if options.topic or options.group or options.concurrency:
            raise CommandError(
                f"{options.handlers} are Handlers: they name topic, group and concurrency themselves."
            )
        if not len(found):
            raise CommandError(f"{options.handlers} has no handlers.")
        return found
    if not callable(found):
        raise CommandError(
            f"{options.handlers} is no function and no titan_bus.Handlers, but of type {type(found).__name__}."
        )
    if not options.topic or not options.group:
        raise CommandError(f"{options.handlers} is a function: say with --topic and --group what it handles.")
    handlers = Handlers()
    handlers.on(options.topic, options.group, concurrency=options.concurrency)(found)
    return handlers


def _config(options: Options) -> BusConfig:
    config = config_of(options)
    changes: dict[str, object] = {}
    name = options.handlers.partition(":")[0]
    if config.source == SOURCE:
        changes["source"] = name
    if options.consumer:
        changes["consumer"] = options.consumer
    elif not config.consumer:
        changes["consumer"] = f"{name}@{socket.gethostname()}"
    if options.drain is not None:
        changes["drain_s"] = options.drain
    if options.metrics_port is not None:
        changes["metrics"] = msgspec.structs.replace(
            config.metrics or MetricsConfig(), port=options.metrics_port
        )
    return msgspec.structs.replace(config, **changes)


class _Stop:
    """Turns the first signal into an exit status, and gives the second one back its way of ending a process."""

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._came = self._loop.create_future()

    def listen(self) -> None:
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
        if not self._came.done():  # both signals may come at once
            self._came.set_result(signum)
