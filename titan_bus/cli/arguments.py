"""The definition of the command line. Imports argparse alone, to be quick."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from titan_bus.cli import exit_codes
from titan_bus.version import __version__

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 -- argparse names it no other way

Options = argparse.Namespace
Add = Callable[[str, str], argparse.ArgumentParser]
YEAR_HOURS = 8_784
PRIORITIES = ("high", "medium", "low")
SERVER = """\
The server is named by --url, by the file that --config names, or by TITAN_BUS_URL, in this order; else it is
redis://localhost:6379. Limits of topics, the archive and metrics come from the file.
"""


def parser() -> argparse.ArgumentParser:
    """Build the parser. Its result names the subcommand in `command`."""
    root = argparse.ArgumentParser(
        prog="titan-bus",
        description="An event bus on Redis Streams: publish, read, inspect, handle dead letters, run workers.",
        epilog=f"{SERVER}\n{exit_codes.TABLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_general()],
        allow_abbrev=False,
    )
    root.set_defaults(url=None, prefix=None, config=None, json=False)
    root.add_argument("--version", action="version", version=f"titan-bus {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, sentence: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=sentence, description=_description(sentence), parents=[_general()], allow_abbrev=False
        )

    for build in (_publish, _tail, _looking, _dlq, _replay, _archive, _erase, _serve, _grpc, _papers, _bench):
        build(add)
    return root


def _general() -> argparse.ArgumentParser:
    # They are accepted before and after the command; the second place must not reset the first.
    general = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    general.add_argument(
        "--url", help="the server: redis://, rediss://, unix://, redis+sentinel://, redis+cluster://"
    )
    general.add_argument(
        "--prefix", metavar="TEXT", help="what stands before every key, as in the file: shop:"
    )
    general.add_argument("--config", metavar="FILE", help="a YAML file with server, streams and limits")
    general.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    return general


def _description(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}."


def _publish(add: Add) -> None:
    publish = add("publish", "publish an event, or one for each line")
    publish.add_argument("topic", type=_name, help="chat.v1")
    publish.add_argument("type", type=_name, help="what happened: order_placed")
    publish.add_argument(
        "payload",
        nargs="?",
        help="a JSON object, @FILE, or - for standard input (default: {}, with --lines -)",
    )
    publish.add_argument("--priority", choices=PRIORITIES, default="medium", help="default: %(default)s")
    publish.add_argument("--lines", action="store_true", help="each line is the payload of one event")
    publish.add_argument(
        "--source", help="who publishes, for meta.source (default: the file's, or titan-bus)"
    )
    later = publish.add_mutually_exclusive_group()
    later.add_argument("--delay", type=_seconds, metavar="S", help="publish in so many seconds")
    later.add_argument(
        "--at", type=_time, metavar="TIME", help="publish then, RFC 3339: 2026-01-31T12:00:00Z"
    )


def _tail(add: Add) -> None:
    tail = add("tail", "print every new event, until Ctrl-C")
    tail.add_argument("topics", nargs="+", metavar="TOPIC", type=_name)
    tail.add_argument(
        "--from", dest="start", default="$", metavar="WHERE", type=_start,
        help="$ from now on, 0 from the first, or a time: 2026-01-31T12:00:00Z (default: $)",
    )  # fmt: skip
    tail.add_argument("--count", type=_positive, metavar="N", help="end after N events")
    tail.add_argument("--pretty", action="store_true", help="the payloads in full, over several lines")


def _looking(add: Add) -> None:
    add("topics", "list the topics and their lengths")
    _groups(add)
    consumers = add("consumers", "list the consumers of the groups and how long they have been idle")
    consumers.add_argument("topic", nargs="?", metavar="TOPIC", type=_name, help="default: all")
    consumers.add_argument("group", nargs="?", metavar="GROUP", type=_name, help="default: all")
    pending = add("pending", "list events in flight: consumer, and for how long they are being handled")
    pending.add_argument("topic", nargs="?", metavar="TOPIC", type=_name, help="default: all")
    pending.add_argument("group", nargs="?", metavar="GROUP", type=_name, help="default: all")
    pending.add_argument(
        "--limit",
        type=_positive,
        default=100,
        metavar="N",
        help="at most N of each group (default: %(default)s)",
    )


def _groups(add: Add) -> None:
    groups = add("groups", "consumer groups: list (when no action is named), set, destroy")
    groups.set_defaults(topics=[])
    actions = groups.add_subparsers(dest="action", metavar="ACTION")
    actions.default = "list"

    def action(name: str, sentence: str) -> argparse.ArgumentParser:
        one = actions.add_parser(
            name, help=sentence, description=_description(sentence), parents=[_general()], allow_abbrev=False
        )
        if name != "list":
            one.add_argument("topic", metavar="TOPIC", type=_name)
            one.add_argument("group", metavar="GROUP", type=_name)
        return one

    action("list", "list the groups and how far behind they are").add_argument(
        "topics", nargs="*", metavar="TOPIC", type=_name, help="default: all"
    )
    action("set", "let a group go on from another place; what is in flight stays").add_argument(
        "--to", dest="start", required=True, metavar="WHERE", type=_start,
        help="$ behind the newest event, 0 before the oldest, or a time: 2026-01-31T12:00:00Z",
    )  # fmt: skip
    action(
        "destroy", "remove a group that nobody runs any more, with its events in flight and its retries"
    ).add_argument("--yes", action="store_true", help="without asking; required in scripts")


def _dlq(add: Add) -> None:
    dlq = add("dlq", "dead letters: list, sum, show, redrive, drop")
    actions = dlq.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, sentence in (
        ("list", "list the newest dead letters, newest first"),
        ("sum", "count dead letters by topic, group and error"),
        ("show", "show dead letters in full, with traceback"),
        ("redrive", "deliver dead letters to their groups again"),
        ("drop", "remove dead letters for good"),
    ):
        one = actions.add_parser(
            action,
            help=sentence,
            description=_description(sentence),
            parents=[_general()],
            allow_abbrev=False,
        )
        if action not in {"list", "sum"}:
            one.add_argument(
                "ids", nargs="*", metavar="ID", help="a dead letter's id, as `dlq list` prints it"
            )
        one.add_argument("--topic", help="those of this topic")
        one.add_argument("--group", help="those of this group")
        one.add_argument("--error", help="those that failed with this error, by its class's name: KeyError")
        if action == "list":
            one.add_argument(
                "--limit", type=_positive, default=100, metavar="N", help="at most N (default: %(default)s)"
            )
        if action in {"redrive", "drop"}:
            one.add_argument("--all", action="store_true", help="every dead letter")
        if action == "redrive":
            one.add_argument(
                "--to", choices=("group", "topic"), default="group",
                help="only the group that failed, or every group of the topic (default: %(default)s)",
            )  # fmt: skip
        if action == "drop":
            one.add_argument(
                "--yes", action="store_true", help="drop --all without asking; required in scripts"
            )


def _replay(add: Add) -> None:
    replay = add("replay", "print past events as JSON lines")
    replay.add_argument("topic", type=_name)
    replay.add_argument(
        "--from", dest="start", type=_time, metavar="TIME", help="RFC 3339: 2026-01-31T12:00:00Z"
    )
    replay.add_argument("--to", dest="end", type=_time, metavar="TIME", help="RFC 3339, included")
    replay.add_argument(
        "--id", dest="event_id", type=_place, metavar="ID", help="this event and all that came after it"
    )
    replay.add_argument("--group", help="events that this group has not acknowledged")
    replay.add_argument("--target", help="the archive: a folder or s3://bucket/prefix (default: the file's)")
    replay.add_argument("--count", type=_positive, metavar="N", help="end after N events")


def _archive(add: Add) -> None:
    target = "a folder or s3://bucket/prefix (default: the file's)"
    archive = add("archive", "write new events to the archive")
    archive.add_argument("--target", help=target)
    archive.add_argument(
        "--watch", action="store_true", help="repeat every `archive.every_s` of the file, until Ctrl-C"
    )
    restore = add("restore", "restore the archive into an empty server")
    restore.add_argument(
        "topics", nargs="*", metavar="TOPIC", type=_name, help="default: all, and the dead letters"
    )
    restore.add_argument(
        "--since", type=_time, metavar="TIME",
        help="events since (default: each topic's last `maxlen` events; always also what was not acknowledged)",
    )  # fmt: skip
    restore.add_argument(
        "--newer-only",
        action="store_true",
        help="also into topics that have events, but only newer ones",
    )
    restore.add_argument("--target", help=target)


def _erase(add: Add) -> None:
    erase = add("erase", "erase events for good: from the server, its files and the archive")
    erase.add_argument("ids", nargs="+", metavar="ID", type=_name, help="an event's id")
    erase.add_argument(
        "--topic", action="append", default=[], metavar="TOPIC", type=_name,
        help="search only there and in the dead letters; may be repeated (default: all)",
    )  # fmt: skip
    erase.add_argument("--target", help="the archive: a folder or s3://bucket/prefix (default: the file's)")
    erase.add_argument("--yes", action="store_true", help="without asking; required in scripts")


def _serve(add: Add) -> None:
    serve = add("serve", "run the handlers of your module")
    serve.add_argument(
        "handlers", metavar="MODULE:NAME", help="a Handlers object, or a function with --topic and --group"
    )
    serve.add_argument("--topic", help="for a function: its topic")
    serve.add_argument("--group", help="for a function: its consumer group")
    serve.add_argument("--concurrency", type=_positive, metavar="N", help="for a function: how many at once")
    serve.add_argument(
        "--consumer", metavar="NAME",
        help="this worker's name within its groups: the same after a restart, one of its own for each that"
        " runs at a time (default: the file's, or the first free of module@host, module@host/2 and so on)",
    )  # fmt: skip
    serve.add_argument(
        "--drain", type=_seconds, metavar="S", help="how long to wait for running handlers at the end"
    )
    serve.add_argument(
        "--metrics-port", type=_port, metavar="PORT", help="serve Prometheus metrics here, on 127.0.0.1"
    )
    serve.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")


def _grpc(add: Add) -> None:
    secret = "the secret's file (default: TITAN_BUS_SECRET_FILE, or jwt.secret in ~/.config/titan-bus)"  # noqa: S105
    longest = "for how long a token may count at most (default: 24); `grpc` and `token` take the same number"
    grpc = add("grpc", "serve programs in other languages, by gRPC")
    grpc.add_argument(
        "--listen", default="127.0.0.1:50051", metavar="ADDRESS",
        help="host:port or unix:/path (default: %(default)s); other machines need --cert and --key",
    )  # fmt: skip
    grpc.add_argument("--cert", metavar="FILE", help="the certificate and its chain, PEM")
    grpc.add_argument("--key", metavar="FILE", help="the certificate's key, PEM")
    grpc.add_argument("--secret", metavar="FILE", help=f"{secret}; made when it is not there")
    grpc.add_argument(
        "--public-key", action="append", default=[], metavar="FILE",
        help="in place of the secret: tokens are signed elsewhere with its private key, RS256 or EdDSA;"
        " may be repeated",
    )  # fmt: skip
    grpc.add_argument("--max-hours", type=_max_hours, default=24.0, metavar="N", help=longest)
    grpc.add_argument(
        "--consumer", metavar="NAME",
        help="its name within groups: the same after a restart, one of its own for each that runs at a time"
        " (default: the file's, or grpc:ADDRESS@host)",
    )  # fmt: skip
    grpc.add_argument("--drain", type=_seconds, metavar="S", help="how long to wait for outcomes at the end")
    grpc.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    token = add("token", "make a token for a gRPC client")
    token.add_argument("--sub", metavar="NAME", help="the program, for meta.source")
    token.add_argument(
        "--publish", action="append", default=[], metavar="TOPIC",
        help="it may publish and send requests there; * is any text, but a topic of commands (chat.commands.v1)"
        " fits only a pattern with that word (*.commands.*); may be repeated",
    )  # fmt: skip
    token.add_argument(
        "--subscribe", action="append", default=[], metavar="TOPIC:GROUP",
        help="it may handle and replay these events; may be repeated",
    )  # fmt: skip
    token.add_argument(
        "--hours", type=float, default=8.0, metavar="N", help="how long it is valid (default: 8)"
    )
    token.add_argument("--max-hours", type=_max_hours, default=24.0, metavar="N", help=longest)
    token.add_argument(
        "--rotate", action="store_true",
        help="make a new secret; tokens of the present one count until they end, those of the one before no more",
    )  # fmt: skip
    token.add_argument("--secret", metavar="FILE", help=f"{secret}; made when it is not there")


def _papers(add: Add) -> None:
    acl = add("acl", "print the least rights of a service")
    acl.add_argument("handlers", nargs="?", metavar="MODULE:NAME", help="the Handlers that it subscribes")
    acl.add_argument(
        "--user", default="service", metavar="NAME", help="its name on the server (default: %(default)s)"
    )
    acl.add_argument(
        "--password-stdin",
        action="store_true",
        help="read its password, at a terminal without showing it; only the hash is printed",
    )
    for name, what, sentence in (
        ("--publish", "TOPIC", "it publishes there"),
        ("--subscribe", "TOPIC:GROUP", "it handles these events; the last colon separates"),
        ("--replay", "TOPIC", "it tails or replays this topic"),
        ("--request", "TOPIC", "it sends requests there"),
        ("--once", "SCOPE", "it uses this scope of `bus.once`"),
    ):
        acl.add_argument(name, action="append", default=[], metavar=what, help=f"{sentence}; may be repeated")
    for name, sentence in (
        ("--metrics", "it serves metrics of these topics"),
        ("--archives", "it archives every topic and the dead letters"),
        ("--restores", "it restores the archive"),
        ("--dead-letters", "it lists, redrives and drops dead letters"),
        ("--erases", "it erases events, of all topics"),
        ("--looks", "it inspects all topics, groups and pending events"),
        ("--benches", "it measures the server"),
    ):
        acl.add_argument(name, action="store_true", help=sentence)
    asyncapi = add("asyncapi", "print the AsyncAPI document of handlers")
    asyncapi.add_argument("handlers", metavar="MODULE:NAME", help="a Handlers object")
    asyncapi.add_argument("--title", help="of the program (default: the file's source)")
    asyncapi.add_argument("--app-version", dest="version", metavar="VERSION", help="of the program")
    asyncapi.add_argument("--yaml", action="store_true", help="YAML in place of JSON")


def _bench(add: Add) -> None:
    bench = add("bench", "measure your server on a topic of its own")
    bench.add_argument("--events", type=_positive, default=20_000, metavar="N", help="default: %(default)s")
    bench.add_argument(
        "--size", type=_positive, default=600, metavar="BYTES", help="of an event (default: %(default)s)"
    )
    bench.add_argument(
        "--rate", type=_positive, default=1_000, metavar="N", help="for the latency (default: %(default)s/s)"
    )
    bench.add_argument(
        "--seconds", type=_seconds, default=3.0, metavar="S", help="of the latency (default: %(default)g)"
    )


def _name(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a name is needed, not an empty text")
    return text


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a whole number above 0 is needed")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds is needed")
    return value


def _max_hours(text: str) -> float:
    value = float(text)
    if not 0 < value <= YEAR_HOURS:
        raise argparse.ArgumentTypeError("a number of hours up to a year (8784) is needed")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:  # noqa: PLR2004 -- the ports of TCP; 0 takes a free one
        raise argparse.ArgumentTypeError("a port from 0 to 65535 is needed")
    return value


def _time(text: str) -> str:
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-01-31T12:00:00Z") from error
    return text


def _place(text: str) -> str:
    import re

    if not re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text) and not _is_entry_id(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no event's id (26 letters and digits), no entry's (123-0)"
        )
    return text


def _is_entry_id(text: str) -> bool:
    parts = text.split("-")
    return len(parts) <= 2 and all(  # noqa: PLR2004 -- milliseconds, and a number within one
        part.isascii() and part.isdecimal() and int(part) < 2**64 for part in parts
    )


def _start(text: str) -> str:
    """Return an entry's id to begin behind, or `$`; a time becomes the last id before it."""
    from datetime import UTC, datetime

    if text == "$" or (_is_entry_id(text) and len(text.partition("-")[0]) != len("2026")):
        return text
    moment = datetime.fromisoformat(_time(text))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{max(1, int(moment.timestamp() * 1000)) - 1}-{2**64 - 1}"
