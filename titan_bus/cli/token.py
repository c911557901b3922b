"""`titan-bus token`: makes a token for a program in another language. Needs no server."""

import asyncio
from pathlib import Path

from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.errors import ExtraMissingError


async def run(options: Options, output: Output) -> int:
    """Print the token, or only replace the secret."""
    wanted = bool(options.sub or options.publish or options.subscribe)
    if wanted and options.sub is None:
        raise CommandError("name the program: --sub NAME.")
    if (wanted or not options.rotate) and not (options.publish or options.subscribe):
        raise CommandError("say what it may: --publish TOPIC or --subscribe TOPIC:GROUP, * for any.")
    try:
        from titan_bus.grpc import secret, tokens
    except ImportError as error:
        raise ExtraMissingError("a token", "grpc") from error
    path = Path(options.secret) if options.secret else secret.default_path()
    if options.rotate:
        await asyncio.to_thread(secret.rotate, path)
        output.note(f"{path} has a new secret; tokens of the former one count until they end.")
    if not wanted:
        return exit_codes.DONE
    key = await asyncio.to_thread(secret.read, path)
    token = tokens.make(
        key, options.sub, options.hours, options.publish, options.subscribe, hours_max=options.max_hours
    )
    output.record({"token": token, "secret": str(path)}) if output.json else output.line(token)
    return exit_codes.DONE
