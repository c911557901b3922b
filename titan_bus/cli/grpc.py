"""`titan-bus grpc`: serves programs in other languages until SIGTERM or Ctrl-C, then drains."""

import asyncio
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from titan_bus.bus import Bus
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import SOURCE, config_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.cli.stopping import Stop, log_to_stderr
from titan_bus.config import BusConfig
from titan_bus.errors import ExtraMissingError

if TYPE_CHECKING:
    from titan_bus.grpc.listening import Listening
    from titan_bus.grpc.secret import Keys

logger = logging.getLogger("titan_bus")


async def run(options: Options, output: Output) -> int:  # noqa: ARG001 -- a server's output is its log
    """Serve until stopped."""
    log_to_stderr(options.log_level)
    try:
        from titan_bus.grpc.server import GrpcServer
    except ImportError as error:
        raise ExtraMissingError("the service for other languages", "grpc") from error
    listening = await asyncio.to_thread(_listening, options)
    keys = await asyncio.to_thread(_keys, options)
    config = _config(options)
    stop = Stop()
    async with (
        Bus(config) as bus,
        GrpcServer(bus, keys, listening, hours_max=options.max_hours) as grpc_server,
    ):
        stop.listen()
        logger.info(
            "listening on %s%s", grpc_server.address, "" if listening.certificate is None else " with TLS"
        )
        status = await stop.wait()
        logger.info("stopping, within %g s; a second signal ends at once", config.drain_s)
    logger.info("stopped")
    return status


def _listening(options: Options) -> "Listening":
    from titan_bus.grpc.listening import Listening

    certificate, private_key = (Path(given) if given else None for given in (options.cert, options.key))
    return Listening.on(options.listen, certificate, private_key)


def _keys(options: Options) -> "Keys":
    from titan_bus.grpc import secret

    if options.public_key:
        if options.secret:
            raise CommandError("--secret and --public-key are two ways to check tokens; take one.")
        return secret.PublicKeys(tuple(secret.public(Path(given)) for given in options.public_key))
    path = Path(options.secret) if options.secret else secret.default_path()
    logger.info("tokens are signed with the secret in %s", path)
    return secret.shared(path)


def _config(options: Options) -> BusConfig:
    config = config_of(options)
    changes: dict[str, object] = {}
    if config.source == SOURCE:
        changes["source"] = "titan-bus grpc"
    if options.consumer:
        changes["consumer"] = options.consumer
    elif not config.consumer:
        changes["consumer"] = f"grpc:{options.listen}@{socket.gethostname()}"
    if options.drain is not None:
        changes["drain_s"] = options.drain
    return msgspec.structs.replace(config, **changes)
