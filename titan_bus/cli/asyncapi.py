"""`titan-bus asyncapi`: what a program takes from the bus and gives to it, as an AsyncAPI 3 document."""

import msgspec

from titan_bus.cli import exit_codes, module
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import config_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.declaring import asyncapi
from titan_bus.errors import UndescribableError


async def run(options: Options, output: Output) -> int:
    """Print the document; only a server that was named stands in it.

    Raises:
        CommandError: a type in it cannot be described.
    """
    handlers = module.handlers(options.handlers)
    config = config_of(options) if options.url or options.config else None
    try:
        document = asyncapi.document(handlers, config, title=options.title, version=options.version)
    except UndescribableError as error:
        raise CommandError(f"{error}.") from error
    if options.yaml:
        output.text(msgspec.yaml.encode(document).decode())
    elif output.json:
        output.record(document)
    else:
        output.text(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
    return exit_codes.DONE
