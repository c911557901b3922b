"""`titan-bus topics`, `groups`, `consumers` and `pending`, and what is common to all commands."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.titan_bus.conftest import Recorder, pending_is
from titan_bus import Bus, errors, names
from titan_bus.cli import exit_codes, failures
from titan_bus.connections.connection import Connection
from titan_bus.testing import private_server

from .conftest import PROGRAM, Done, Run

UNMET = (
    errors.BusClosedError,  # each of these would be a fault of ours: no command uses a closed bus,
    errors.BusThreadError,  # or one of another thread,
    errors.BusForkedError,  # or of another process,
    errors.RequestError,  # asks,
    errors.FatalError,  # handles outside of a subscription,
    errors.HandlerTimedOutError,  # runs a handler whose failure is its own,
    errors.EntryMalformedError,  # keeps what it cannot read,
    errors.EventNotHeldError,  # acknowledges,
    errors.OnceMisusedError,  # guards,
    errors.RemoteClientError,  # or is the other side of the gRPC server, which answers these to its client;
    errors.UndescribableError,  # and `asyncapi` tells this one itself.
)


@pytest.mark.by_url
async def test_topics_are_listed(titan_bus: Run, bus: Bus, topic: str) -> None:
    """With length and groups, for programs and for people."""
    await bus.publish(topic, "e", {})
    (record,) = [r for r in (await titan_bus("topics", "--json")).records if r["topic"] == topic]
    assert (record["length"], record["groups"]) == (1, 0)
    assert record["first_at"] == record["last_at"]
    lines = (await titan_bus("topics")).out.splitlines()
    assert lines[0].split() == ["TOPIC", "EVENTS", "GROUPS", "FIRST", "LAST"]
    assert any(line.startswith(topic) for line in lines)


async def test_topics_tell_of_a_server_that_deletes_keys(titan_bus: Run) -> None:
    """Beside the topics, with the cure."""
    with private_server("--maxmemory-policy", "allkeys-lfu") as url:
        said = (await titan_bus("--url", url, "topics")).err
    assert "allkeys-lfu" in said
    assert "set maxmemory-policy noeviction" in said


async def test_groups_and_what_they_hold_are_listed(
    titan_bus: Run, bus: Bus, raw: Connection, topic: str
) -> None:
    """`groups` counts, `pending` names event, consumer and deliveries."""
    await bus.subscribe(topic, "g", Recorder(), auto_ack=False)
    event_id = await bus.publish(topic, "asked", {})
    await pending_is(raw, names.stream_of(topic), "g", 1)
    (group,) = (await titan_bus("groups", "list", topic, "--json")).records
    assert group in (await titan_bus("groups", "--json")).records
    assert (group["group"], group["consumers"], group["pending"], group["lag"]) == ("g", 1, 1, 0)
    (held,) = (await titan_bus("pending", topic, "--json")).records
    assert (held["event_id"], held["consumer"], held["deliveries"]) == (
        event_id,
        bus.config.consumer_name(),
        1,
    )
    assert event_id in (await titan_bus("pending", topic, "g")).out
    assert (await titan_bus("pending", topic, "other")).status == exit_codes.NOTHING
    assert event_id in (await titan_bus("pending")).out


async def test_consumers_are_listed(titan_bus: Run, bus: Bus, raw: Connection, topic: str) -> None:
    """With what they have in flight, and for how long they asked for nothing: a dead one is told by that."""
    await bus.subscribe(topic, "g", Recorder(), auto_ack=False)
    await raw.call("XGROUP", "CREATECONSUMER", names.stream_of(topic), "g", "~gone")
    await bus.publish(topic, "asked", {})
    await pending_is(raw, names.stream_of(topic), "g", 1)
    mine, gone = (await titan_bus("consumers", topic, "g", "--json")).records
    assert (mine["consumer"], mine["pending"]) == (bus.config.consumer_name(), 1)
    assert (gone["consumer"], gone["pending"], gone["inactive_ms"]) == ("~gone", 0, -1)
    assert mine["inactive_ms"] >= 0
    assert "always" in (await titan_bus("consumers", topic)).out


async def test_a_group_is_moved_and_removed(titan_bus: Run, bus: Bus, raw: Connection, topic: str) -> None:
    """`groups set` lets it go on from another place, `groups destroy` takes it away once that is confirmed."""
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "g", "$", "MKSTREAM")
    for number in range(3):
        await bus.publish(topic, "e", {"n": number})
    assert "3 events are to come" in (await titan_bus("groups", "set", topic, "g", "--to", "0")).out
    assert "0 events are to come" in (await titan_bus("groups", "set", topic, "g", "--to", "$")).out
    assert (await titan_bus("groups", "set", topic, "g", "--to", "2026-01-31T12:00:00Z")).status == 0
    recorder = Recorder()
    subscription = await bus.subscribe(topic, "g", recorder)
    assert [event.payload["n"] for event in await recorder.wait_for(3)] == [0, 1, 2]
    await subscription.stop()
    assert (await titan_bus("groups", "destroy", topic, "g")).status == exit_codes.USAGE
    assert (await titan_bus("groups", "destroy", topic, "g", "--yes")).status == 0
    for action in (("destroy", topic, "g", "--yes"), ("set", topic, "g", "--to", "0")):
        done = await titan_bus("groups", *action)
        assert (done.status, done.err.count("\n")) == (exit_codes.NOTHING, 1)


async def test_nothing_found_is_a_status_of_its_own(titan_bus: Run, topic: str) -> None:
    """A script can tell: 1, nothing on stdout, one sentence on stderr."""
    for command in (
        ("groups", "list"),
        ("consumers",),
        ("pending",),
        ("dlq", "list", "--topic"),
        ("dlq", "sum", "--topic"),
    ):
        done = await titan_bus(*command, topic)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1)


async def test_a_server_that_is_away_is_said(titan_bus: Run) -> None:
    """3, with its address and the cure."""
    done = await titan_bus("--url", "redis://127.0.0.1:1", "topics")
    assert (done.status, done.out) == (3, "")
    assert "redis://127.0.0.1:1 does not answer" in done.err
    assert "--url" in done.err
    assert done.err.count("\n") == 1


async def test_a_wrong_password_is_said(titan_bus: Run, redis_url: str) -> None:
    """3, with the cure, and without the password."""
    separator = "unix://" if redis_url.startswith("unix://") else "redis://"
    place = redis_url.removeprefix(separator).rpartition("@")[2]
    done = await titan_bus("--url", f"{separator}nobody:secret@{place}", "topics")
    assert done.status == 3
    assert "does not let us in" in done.err
    assert "secret" not in done.err


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost:port", "localhost:6379"])
async def test_a_url_that_is_none_is_said(titan_bus: Run, url: str) -> None:
    """4 and one sentence."""
    done = await titan_bus("topics", "--url", url)
    assert (done.status, done.err.count("\n")) == (4, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("publish",),
        ("tail",),
        ("dlq",),
        ("bench", "--events", "0"),
        ("tail", "t", "--from", "now"),
        ("tail", "t", "--from", "5-"),
        ("tail", "t", "--from", "99999999999999999999999"),
        ("replay", "t", "--id", "99999999999999999999"),
        ("serve", "m:h", "--metrics-port", "70000"),
        ("serve", "m:h", "--drain", "nan"),
    ],
)
async def test_a_wrong_command_line_is_a_usage_error(titan_bus: Run, arguments: tuple[str, ...]) -> None:
    """2, and argparse says what is wrong."""
    done = await titan_bus(*arguments)
    assert (done.status, done.out) == (2, "")
    assert "usage: titan-bus" in done.err


async def test_general_options_may_stand_anywhere(titan_bus: Run, bus: Bus, topic: str) -> None:
    """Before the command, after it, after an action."""
    await bus.publish(topic, "e", {})
    assert (await titan_bus("--json", "topics")).records
    assert (await titan_bus("topics", "--json")).records
    for arguments in (("--url", "http://x", "dlq", "list"), ("dlq", "--url", "http://x", "list")):
        assert (await titan_bus(*arguments)).status == 4
    assert (await titan_bus("dlq", "list", "--url", "http://x")).status == 4


def test_every_error_has_its_sentence() -> None:
    """What a command may meet of the package's errors is told with a cure, not as a fault of titan-bus."""

    def kinds(root: type[errors.BusError]) -> Iterator[type[errors.BusError]]:
        for kind in root.__subclasses__():
            if kind not in UNMET and kind.__module__ == errors.__name__:
                yield kind
                yield from kinds(kind)

    known = tuple(kind for kind, _, _ in failures._KNOWN)
    untold = [kind for kind in kinds(errors.BusError) if not issubclass(kind, known)]
    assert not untold


@pytest.mark.parametrize("arguments", [("topics",), ("topics", "--json"), ("acl", "--publish", "t")])
@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [(">&-", 2, "standard output is closed"), (">/dev/full", 5, "No space left on device")],
)
async def test_an_output_that_cannot_be_written_is_said(
    redirected: Callable[..., Done],
    bus: Bus,
    topic: str,
    arguments: tuple[str, ...],
    redirection: str,
    status: int,
    said: str,
) -> None:
    """One sentence, and a status that is not that of success."""
    await bus.publish(topic, "e", {})
    done = redirected(redirection, *arguments)
    assert (done.status, done.out) == (status, "")
    assert said in done.err.splitlines()[0]
    assert "Traceback" not in done.err


def test_without_a_stderr_nothing_strays_into_the_output(redirected: Callable[..., Done], topic: str) -> None:
    """A program that reads the output gets no sentence for people."""
    assert redirected("2>&-", "groups", "list", topic) == Done(1, "", "")


async def test_an_unforeseen_error_is_owned(titan_bus: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of titan-bus itself shows its traceback, asks to be reported, and ends with 70."""
    from titan_bus.cli import topics

    def fail(_options: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(topics, "config_of", fail)
    done = await titan_bus("topics")
    assert done.status == exit_codes.BUG
    assert "Traceback" in done.err
    assert "please report" in done.err


def test_help_answers_at_once_and_imports_little() -> None:
    """It opens no server and imports none of the packages that only some commands need."""
    code = (
        "import sys; from titan_bus.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.rpartition("[")[2].rstrip("]\n").replace("'", "").split(", "))
    assert "titan_bus" in imported
    heavy = {"yaml", "zstandard", "obstore", "prometheus_client", "opentelemetry", "grpc", "jwt", "redis"}
    assert not heavy & imported
    assert "titan-bus" in done.stdout


def test_version_is_the_package_s_own() -> None:
    """`--version` prints what `titan_bus.__version__` says."""
    import titan_bus as package

    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"titan-bus {package.__version__}\n"
