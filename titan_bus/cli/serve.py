"""`titan-bus serve`: runs a worker until SIGTERM or Ctrl-C, then drains.

The first signal drains; a second one ends the process at once, and its events in flight are claimed by another
worker.
"""

import logging

import msgspec

from titan_bus.bus import Bus
from titan_bus.cli import module
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import SOURCE, config_of
from titan_bus.cli.failures import CommandError, explain
from titan_bus.cli.output import Output
from titan_bus.cli.stopping import Stop, log_to_stderr
from titan_bus.config import BusConfig, MetricsConfig
from titan_bus.consumer.subscription import Subscription
from titan_bus.declaring.handlers import Handlers

logger = logging.getLogger("titan_bus")


async def run(options: Options, output: Output) -> int:  # noqa: ARG001 -- a worker's output is its log
    """Run until stopped."""
    log_to_stderr(options.log_level)
    handlers = _handlers(options)
    config = _config(options)
    stop = Stop()
    async with Bus(config) as bus:
        subscriptions = await _begin(bus, handlers, options)
        stop.listen()
        for one in subscriptions:
            logger.info("%s: serving %s as %s", one.group, one.topic, one.consumer)
        if bus.metrics_port is not None:
            logger.info("metrics on port %d", bus.metrics_port)
        status = await stop.wait()
        logger.info("stopping, within %g s; a second signal ends at once", config.drain_s)
    logger.info("stopped")
    return status


async def _begin(bus: Bus, handlers: Handlers, options: Options) -> list[Subscription]:
    try:
        return await bus.include(handlers)
    except Exception as error:
        told = module.broken_start(options.handlers, error) if explain(error) is None else None
        if told is None:
            raise
        raise told from error


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
    if options.drain is not None:
        changes["drain_s"] = options.drain
    if options.metrics_port is not None:
        changes["metrics"] = msgspec.structs.replace(
            config.metrics or MetricsConfig(), port=options.metrics_port
        )
    return msgspec.structs.replace(config, **changes)
