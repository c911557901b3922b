"""`titan`: reads the arguments and hands on to the window, the core or a command.

It imports only what that one needs, and only when it is needed: `titan --help` must answer at once.
"""

import contextlib
import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run `titan` and return its exit status (`commands.exit_codes`).

    `core`, `server-host`, `log-writer` and the two workers are Titan's own child processes and not for people,
    so the help does not list them; the second and third must start in no time and on the standard library alone.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    match arguments[:1]:
        case ["server-host"]:
            from titan_desktop.provision import server_host

            return server_host.main(arguments[1:])
        case ["log-writer"]:
            from titan_desktop.system import own_output

            return own_output.main(arguments[1:])
        case ["extraction-worker"]:
            from titan_desktop.adapters.extraction import worker

            return worker.main(arguments[1:])
        case ["embedding-worker"]:
            from titan_desktop.adapters.local_embedder import worker as embedding_worker

            return embedding_worker.main(arguments[1:])
        case ["core"]:
            from titan_desktop import core

            return core.main(arguments[1:])
    return _for_a_person(arguments)


def _for_a_person(arguments: list[str]) -> int:
    """Run what a person started: a traceback goes to the log, one sentence to the terminal."""
    from titan_desktop.commands import exit_codes, output

    output.use_utf8()
    try:
        return _dispatch(arguments)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its end, and would complain there (Python docs, SIGPIPE).
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OUTPUT_CLOSED
    except Exception:  # noqa: BLE001  # the last supervisor: what nobody foresaw
        output.confess()
        return exit_codes.NOT_REACHED


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["key"]:
        from titan_desktop.core import keys

        return keys.main(arguments[1:])
    if arguments[:1] == ["restore"]:
        from titan_desktop.core.backup import restoring

        return restoring.main(arguments[1:])
    from titan_desktop.commands import arguments as command_line

    options = command_line.parser().parse_args(arguments)
    if options.command is None:
        return _window(arguments)
    if options.command == "doctor" and options.asyncapi:
        from titan_desktop.core import description

        return description.main(options.asyncapi)
    from titan_desktop.commands import runner

    return runner.run(options)


def _window(arguments: list[str]) -> int:
    """Open the window, once it is sure that one can be shown."""
    from titan_desktop.system import display

    if trouble := display.trouble():
        from titan_desktop.commands import exit_codes

        print(trouble, file=sys.stderr)
        return exit_codes.NOT_REACHED
    from titan_desktop.client import spawn
    from titan_desktop.system.paths import Paths

    # The core's start and Qt's import take about as long as each other: let them run side by side.
    spawn.spawn_core(Paths.from_environment())
    from titan_desktop.ui.shell import app

    return app.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
