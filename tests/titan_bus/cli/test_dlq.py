"""`titan-bus dlq`."""

import asyncio
import os
import pty
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.titan_bus.conftest import Recorder, Server, until
from titan_bus import Bus, BusConfig, DeadLetter, Event, FatalError, names
from titan_bus.deadletter import origin_of, pack

from .conftest import PROGRAM, ROOT, Done, Run

pytestmark = pytest.mark.logs("goes to the dead letters")


class NastyError(FatalError):
    """Says what a terminal would obey."""


@pytest.fixture
async def letter(bus: Bus, topic: str) -> DeadLetter:
    """A dead letter of group `g` on the topic; the handler fails until then."""

    def fault(_event: Event) -> None:
        raise NastyError("сломано \x1b[2J")

    subscription = await bus.subscribe(topic, "g", Recorder(fault))
    await bus.publish(topic, "asked", {"n": 1})

    async def there() -> bool:
        return bool(await bus.dead_letters.list(topic=topic))

    await until(there, "the dead letter is there")
    await subscription.stop()
    return (await bus.dead_letters.list(topic=topic))[0]


async def test_dead_letters_are_listed(titan_bus: Run, letter: DeadLetter, topic: str) -> None:
    """With topic, group and error, filtered by them."""
    (record,) = (await titan_bus("dlq", "list", "--topic", topic, "--json")).records
    assert (record["letter_id"], record["topic"]) == (letter.letter_id, topic)
    assert record["origin"]["error"] == "NastyError"
    assert record["event"]["payload"] == {"n": 1}
    shown = await titan_bus("dlq", "list", "--topic", topic, "--error", "NastyError")
    assert "NastyError: сломано" in shown.out
    assert "\x1b" not in shown.out
    assert (await titan_bus("dlq", "list", "--topic", topic, "--group", "other")).status == 1


async def test_what_is_not_listed_is_told_and_counted(titan_bus: Run, bus: Bus, topic: str) -> None:
    """A list that ends at its limit says so; `dlq sum` counts all of them by their error."""
    for number, error in enumerate((KeyError("a"), ValueError("b"), KeyError("c"))):
        packed = pack(origin_of(error, names.stream_of(topic), "g", b"%d-1" % number), [b"e", b"no event"])
        await bus._connection.call("XADD", names.DEAD_LETTERS, "*", *packed)
    done = await titan_bus("dlq", "list", "--topic", topic, "--limit", "2")
    assert done.out.count("Error") == 2
    assert "there are more" in done.err
    assert (await titan_bus("dlq", "list", "--topic", topic, "--limit", "3")).err == ""
    records = (await titan_bus("dlq", "sum", "--topic", topic, "--json")).records
    assert [(one["error"], one["letters"]) for one in records] == [("KeyError", 2), ("ValueError", 1)]
    assert "KeyError" in (await titan_bus("dlq", "sum", "--topic", topic)).out


async def test_a_dead_letter_is_shown_whole(titan_bus: Run, letter: DeadLetter) -> None:
    """With its traceback and payload, and nothing that a terminal would obey."""
    done = await titan_bus("dlq", "show", letter.letter_id)
    assert done.status == 0
    assert "Traceback" in done.out
    assert '"n": 1' in done.out
    assert "\x1b" not in done.out
    assert (await titan_bus("dlq", "show", letter.letter_id, "1-1")).status == 1
    assert (await titan_bus("dlq", "show", "no-id")).status == 2


@pytest.mark.by_url
async def test_a_redriven_letter_is_handled(titan_bus: Run, bus: Bus, letter: DeadLetter, topic: str) -> None:
    """It leaves the dead letters, and its group gets it again."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    done = await titan_bus("dlq", "redrive", letter.letter_id, "--json")
    assert (done.status, done.records) == (0, [{"letter_id": letter.letter_id}])
    (event,) = await recorder.wait_for(1)
    assert letter.event is not None
    assert event.event_id == letter.event.event_id
    assert await bus.dead_letters.list(topic=topic) == []
    assert (await titan_bus("dlq", "redrive", letter.letter_id)).status == 1


async def test_dropping_takes_the_chosen_alone(
    titan_bus: Run, bus: Bus, letter: DeadLetter, topic: str
) -> None:
    """A filter that fits nothing drops nothing."""
    none = await titan_bus("dlq", "drop", "--topic", topic, "--error", "KeyError")
    assert (none.status, none.out, none.err) == (1, "", "titan-bus: there are no such dead letters.\n")
    assert len(await bus.dead_letters.list(topic=topic)) == 1
    done = await titan_bus("dlq", "drop", "--topic", topic)
    assert (done.status, done.out) == (0, "1 dropped\n")
    assert await bus.dead_letters.list(topic=topic) == []


@pytest.mark.parametrize("action", ["redrive", "drop", "show"])
async def test_everything_has_to_be_said(titan_bus: Run, letter: DeadLetter, action: str) -> None:
    """No id and no filter is a usage error, not "all"; so are both at once."""
    assert (await titan_bus("dlq", action)).status == 2
    assert (await titan_bus("dlq", action, letter.letter_id, "--topic", "t")).status == 2


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null", "<answer"])
async def test_a_script_has_to_mean_all(
    redirected: Callable[..., Done], server: Server, tmp_path: Path, redirection: str
) -> None:
    """Where nobody can be asked `drop --all` needs --yes, whatever is piped in."""
    (tmp_path / "answer").write_text("n\n", "utf-8")
    async with Bus(BusConfig(url=server.url)) as bus:
        packed = pack(origin_of(RuntimeError("x"), names.stream_of("t"), "g", b"1-1"), [b"e", b"no event"])
        await bus._connection.call("XADD", names.DEAD_LETTERS, "*", *packed)
        told = ("--url", server.url, "dlq", "drop", "--all")
        done = await asyncio.to_thread(redirected, redirection, *told)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
        assert "--yes" in done.err
        assert await bus.dead_letters.count() == 1
        assert (await asyncio.to_thread(redirected, redirection, *told, "--yes")).status == 0
        assert await bus.dead_letters.count() == 0


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
async def test_drop_all_asks_on_a_terminal(server: Server, tmp_path: Path, answer: bytes, left: int) -> None:
    """Anything but yes drops nothing. (On a server of its own: it means all.)"""

    def fault(_event: Event) -> None:
        raise NastyError

    async with Bus(BusConfig(url=server.url)) as bus:
        await bus.subscribe("t", "g", Recorder(fault))
        await bus.publish("t", "e", {})
        await until(bus.dead_letters.count, "the dead letter is there")
        terminal, their_end = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, "--url", server.url, "dlq", "drop", "--all",
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": ROOT}, stdin=their_end, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        os.close(their_end)
        os.write(terminal, answer)
        _, err = await process.communicate()
        os.close(terminal)
        assert b"Drop 1 dead letters for good?" in err
        assert process.returncode == (1 if left else 0)
        assert await bus.dead_letters.count() == left
