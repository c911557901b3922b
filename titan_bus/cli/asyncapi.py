"""`titan-bus asyncapi`: what a program takes from the bus and gives to it, as an AsyncAPI 3 document."""

import msgspec

from titan_bus import asyncapi
from titan_bus.cli import exit_codes, module
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import config_of
from titan_bus.cli.output import Output


async def run(options: Options, output: Output) -> int:
    """Print the document; only a server that was named stands in it."""
    handlers = module.handlers(options.handlers)
    config = config_of(options) if options.url or options.config else None
    document = asyncapi.document(handlers, config, title=options.title, version=options.version)
    if options.yaml:
        output.text(msgspec.yaml.encode(document).decode())
    elif output.json:
        output.record(document)
    else:
        output.text(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
    return exit_codes.DONE
