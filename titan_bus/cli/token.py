"""`titan-bus token`: makes a token for a program in another language. Needs no server."""

import asyncio
from pathlib import Path

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.errors import ExtraMissingError


async def run(options: Options, output: Output) -> int:
    """Print the token."""
    if not options.publish and not options.subscribe:
        raise CommandError("say what it may: --publish TOPIC or --subscribe TOPIC:GROUP, * for any.")
    try:
        from titan_bus.grpc import secret, tokens
    except ImportError as error:
        raise ExtraMissingError("a token", "grpc") from error
    path = Path(options.secret) if options.secret else secret.default_path()
    key = await asyncio.to_thread(secret.read, path)
    token = tokens.make(key, options.sub, options.hours, options.publish, options.subscribe)
    output.record({"token": token, "secret": str(path)}) if output.json else output.line(token)
    return exit_codes.DONE
