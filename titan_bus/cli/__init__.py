"""`titan-bus`: look at a bus, publish to it, read it, mend it, and run workers on it.

`arguments` says what may be typed; each command is a module of its own, imported when it runs, with one coroutine
`run(options, output)` that returns the exit status. What goes wrong becomes one sentence in `failures`.
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
    except Exception as error:  # noqa: BLE001 -- the last supervisor: what nobody foresaw
        return _explain(error)


def _run(options: "arguments.Options") -> int:
    command = importlib.import_module(f"titan_bus.cli.{options.command}")
    return int(asyncio.run(command.run(options, Output(json=options.json))))


def _explain(error: Exception) -> int:
    """Say what went wrong in one sentence; only a fault of our own shows its traceback."""
    from titan_bus.cli import failures

    failure = failures.explain(error)
    if failure is None:
        traceback.print_exception(error)
        complain("this is a fault of titan-bus; please report it with the lines above.")
        return exit_codes.BUG
    complain(failure.sentence)
    return failure.status
