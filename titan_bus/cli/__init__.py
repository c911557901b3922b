"""The command `titan-bus`: inspects a bus, publishes, reads, handles dead letters, runs workers.

`arguments` defines the command line. Each command is a module, imported when it runs, with a coroutine
`run(options, output)` that returns the exit status. `failures` turns an error into one sentence.
"""

import asyncio
import importlib
import sys
import traceback
from collections.abc import Sequence

from titan_bus.cli import arguments, exit_codes
from titan_bus.cli.output import Output, complain, hush, use_utf8


def main(argv: Sequence[str] | None = None) -> int:
    """Run `titan-bus` and return its exit status (`exit_codes`); a wrong command line raises SystemExit(2)."""
    use_utf8()
    options = arguments.parser().parse_args(argv)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        hush(sys.stdout)
        return exit_codes.DONE
    except Exception as error:  # noqa: BLE001 -- the last supervisor
        return _explain(error)


def _run(options: "arguments.Options") -> int:
    command = importlib.import_module(f"titan_bus.cli.{options.command}")
    return int(asyncio.run(command.run(options, Output(json=options.json))))


def _explain(error: Exception) -> int:
    """Report an error in one sentence; a fault of titan-bus itself shows its traceback."""
    from titan_bus.cli import failures

    failure = failures.explain(error)
    if failure is None:
        traceback.print_exception(error)
        complain("this is a fault of titan-bus; please report it with the lines above.")
        return exit_codes.BUG
    complain(failure.sentence)
    return failure.status
