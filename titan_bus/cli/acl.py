"""`titan-bus acl`: prints the ACL rule of a service's user with the least rights. Needs no server."""

import getpass
import signal
import sys

import msgspec

from titan_bus import acl
from titan_bus.cli import exit_codes, module, reading
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import config_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output


class _Rights(msgspec.Struct, kw_only=True):
    """The rights to grant."""

    publishes: list[str]
    subscribes: list[tuple[str, str]]
    replays: list[str]
    requests: list[str]
    once: list[str]
    archives: bool
    restores: bool
    dead_letters: bool
    erases: bool
    looks: bool
    benches: bool


async def run(options: Options, output: Output) -> int:
    """Print the rules. Needs no server."""
    rights = _rights(options)
    if not any(msgspec.structs.astuple(rights)):
        raise CommandError(
            "say what is allowed: MODULE:NAME, --publish, --subscribe, --replay, --request, --once, "
            "--archives, --restores, --dead-letters, --erases, --looks or --benches."
        )
    password = None
    if options.password_stdin:
        password = await _password()
        if not password:
            raise CommandError("there is no password on standard input.")
    try:
        lines = acl.rules(
            options.user, password, metrics=options.metrics, prefix=config_of(options).prefix,
            **msgspec.structs.asdict(rights),
        )  # fmt: skip
    except ValueError as error:
        raise CommandError(f"{error}.") from error
    for line in lines:
        output.record({"rule": line}) if output.json else output.line(line)
    if password is None:
        output.note(
            "the user cannot log in yet: run it again with --password-stdin, which prints the hash alone."
        )
    return exit_codes.DONE


async def _password() -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        return (await reading.whole(reading.open_input("-"))).decode(errors="replace").strip()
    # The loop's handler of Ctrl-C would only run after the next line.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass.getpass().strip()
    except EOFError:
        return ""
    finally:
        signal.signal(signal.SIGINT, former)


def _rights(options: Options) -> _Rights:
    rights = _Rights(
        publishes=options.publish,
        subscribes=[_subscription(text) for text in options.subscribe],
        replays=options.replay,
        requests=options.request,
        once=options.once,
        archives=options.archives,
        restores=options.restores,
        dead_letters=options.dead_letters,
        erases=options.erases,
        looks=options.looks,
        benches=options.benches,
    )
    if options.handlers is not None:
        handlers = module.handlers(options.handlers)
        rights.subscribes += [(one.topic, one.group) for one in handlers]
        rights.publishes += [one.topic for one in handlers.sent()]
    return rights


def _subscription(text: str) -> tuple[str, str]:
    topic, colon, group = text.rpartition(":")  # split as in a token
    if not topic or not colon or not group:
        raise CommandError(f"{text!r} names no subscription; write TOPIC:GROUP.")
    return topic, group
