"""Makes a configuration of `--url`, `--config` and `TITAN_BUS_URL`."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.failures import CommandError
from titan_bus.config import ArchiveConfig, BusConfig, StreamConfig
from titan_bus.connections.server import Server
from titan_bus.version import __version__

if TYPE_CHECKING:
    from titan_bus.archive.archive import Archive

URL_VARIABLE = "TITAN_BUS_URL"
URL_DEFAULT = "redis://localhost:6379"
UNTRIMMED = 2**53
"""More than any stream has, and a number that Lua represents exactly."""
SOURCE = f"titan-bus@v{__version__}"


def config_of(options: Options) -> BusConfig:
    """Return the configuration that the options name.

    Raises:
        CommandError: the URL is malformed.
        ConfigError: the file cannot be used.
        ConfigValueError: the prefix cannot be one.
    """
    if options.config is not None:
        config = BusConfig.load(options.config)
        if options.url is not None:
            config = msgspec.structs.replace(config, url=options.url)
    else:
        config = BusConfig(url=options.url or os.environ.get(URL_VARIABLE) or URL_DEFAULT, source=SOURCE)
    if options.prefix is not None:
        config = msgspec.structs.replace(config, prefix=options.prefix)
    try:
        Server(config)  # parses the URL and opens nothing
    except (ValueError, OSError) as error:  # OSError: a certificate that TLS cannot read
        raise CommandError(f"the server's URL is wrong: {error}.", exit_codes.MISCONFIGURED) from error
    return config


def visitor_of(options: Options, *topics: str) -> BusConfig:
    """Return the configuration of a short-lived command.

    It opens no metrics port and archives nothing. Without a file the `maxlen` of `topics` is unknown, so nothing
    is trimmed.
    """
    config = msgspec.structs.replace(config_of(options), metrics=None, archive=None)
    if options.config is None:
        streams = tuple(StreamConfig(name=topic, maxlen=UNTRIMMED) for topic in topics)
        config = msgspec.structs.replace(config, streams=streams)
    return config


@contextlib.asynccontextmanager
async def served(config: BusConfig) -> AsyncIterator[Server]:
    """Connect without a bus: nothing is trimmed, archived or consumed in the background."""
    server = Server(config)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def archive_of(options: Options, config: BusConfig) -> tuple["Archive", ArchiveConfig]:
    """Return the archive of `--target` or of the file, and its settings.

    Raises:
        CommandError: there is none, or the target is invalid.
    """
    from titan_bus.archive.archive import Archive

    settings = config.archive
    if options.target is not None:
        if settings is None:
            settings = ArchiveConfig(target=options.target)
        settings = msgspec.structs.replace(settings, target=options.target)
    if settings is None:
        raise CommandError(
            "no archive is named: say --target FOLDER, or put `archive: {target: ...}` into the file."
        )
    try:
        return Archive.open(settings), settings
    except ValueError as error:
        raise CommandError(f"the archive cannot be opened: {error}.", exit_codes.MISCONFIGURED) from error
