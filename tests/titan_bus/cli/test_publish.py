"""`titan-bus publish`, `tail` and `replay`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from titan_bus import Bus, names
from titan_bus.connections.connection import Connection

from .conftest import Done, Run

WAIT_S = 20


@pytest.mark.by_url
async def test_an_event_goes_out_and_is_read_back(titan_bus: Run, topic: str) -> None:
    """`publish` prints the id; `tail --from 0` prints that event, whole, as JSON."""
    published = await titan_bus("publish", topic, "said", '{"word": "слово"}', "--priority", "high")
    assert (published.status, published.err) == (0, "")
    read = await titan_bus("tail", topic, "--from", "0", "--count", "1", "--json")
    (event,) = read.records
    assert event["event_id"] == published.out.strip()
    assert (event["event_type"], event["payload"]) == ("said", {"word": "слово"})
    assert event["meta"]["priority"] == "high"
    assert event["meta"]["source"].startswith("titan-bus@v")


async def test_a_payload_comes_from_a_file(titan_bus: Run, topic: str, tmp_path: Path) -> None:
    """`@FILE` is read, a byte order mark left out."""
    (tmp_path / "p.json").write_bytes(b'\xef\xbb\xbf{"n": 1}\n')
    assert (await titan_bus("publish", topic, "e", f"@{tmp_path / 'p.json'}")).status == 0
    (event,) = (await titan_bus("replay", topic)).records
    assert event["payload"] == {"n": 1}


async def test_each_line_is_an_event(titan_bus: Run, topic: str, tmp_path: Path) -> None:
    """--lines keeps the order of the lines, in the stream and in what it prints."""
    (tmp_path / "lines").write_text("\n".join(f'{{"n": {n}}}' for n in range(3_000)), "utf-8")
    done = await titan_bus("publish", topic, "counted", f"@{tmp_path / 'lines'}", "--lines", "--json")
    assert done.status == 0
    events = (await titan_bus("replay", topic)).records
    assert [event["payload"]["n"] for event in events] == list(range(3_000))
    assert [record["event_id"] for record in done.records] == [event["event_id"] for event in events]


async def test_a_bad_line_does_not_keep_the_others(titan_bus: Run, topic: str, tmp_path: Path) -> None:
    """It is named by its number, the others are published, and the status says that some failed."""
    (tmp_path / "lines").write_text('{"n": 1}\n\n[2]\n{"n": 3}\n{"n": ', "utf-8")
    done = await titan_bus("publish", topic, "e", f"@{tmp_path / 'lines'}", "--lines")
    assert (done.status, len(done.out.split())) == (1, 2)
    assert "line 3 is left out" in done.err
    assert "line 5 is left out" in done.err


async def test_what_is_too_long_is_refused(titan_bus: Run, topic: str) -> None:
    """An event over 32 KB ends with 5 and one sentence."""
    done = await titan_bus("publish", topic, "e", json.dumps({"text": "x" * 40_000}))
    assert (done.status, done.out) == (5, "")
    assert "32768 at most" in done.err
    assert done.err.count("\n") == 1


async def test_no_json_is_a_usage_error(titan_bus: Run, topic: str, tmp_path: Path) -> None:
    """So is a list, nothing at all, what is not UTF-8 or too deep, a file that is none, a line without end."""
    (tmp_path / "latin").write_bytes(b'{"a": "\xff"}')
    (tmp_path / "deep").write_bytes(b'{"a": ' + b"[" * 12_000 + b"]" * 12_000 + b"}")
    files = [f"@{tmp_path / name}" for name in ("none", "latin", "deep", "")]
    for payload in ("{", "[1]", "", *files):
        done = await titan_bus("publish", topic, "e", payload)
        assert (done.status, done.out) == (2, ""), payload
        assert done.err.startswith("titan-bus: ")
        assert done.err.count("\n") == 1
    (tmp_path / "long").write_bytes(b"x" * 2_000_000)
    assert (await titan_bus("publish", topic, "e", f"@{tmp_path / 'long'}", "--lines")).status == 2


async def test_a_bad_line_in_another_encoding_is_left_out(titan_bus: Run, topic: str, tmp_path: Path) -> None:
    """Nobody could ever read it."""
    (tmp_path / "lines").write_bytes(b'{"n": 1}\n{"n": "\xff"}\n')
    done = await titan_bus("publish", topic, "e", f"@{tmp_path / 'lines'}", "--lines")
    assert (done.status, len(done.out.split())) == (1, 1)
    assert "line 2 is left out" in done.err


@pytest.mark.parametrize(("words", "which"), [(("", "e"), "topic"), (("t", ""), "type")])
async def test_an_empty_name_is_a_usage_error(titan_bus: Run, words: tuple[str, ...], which: str) -> None:
    """It says which of them is missing: a script's variable was not set."""
    done = await titan_bus("publish", *words)
    assert (done.status, done.out) == (2, "")
    assert f"argument {which}: a name is needed" in done.err


async def test_missing_replicas_are_no_fault_of_ours(
    titan_bus: Run, redis_url: str, topic: str, tmp_path: Path
) -> None:
    """`replicas` in the file, and no replica: 3, and a sentence with the cure."""
    (tmp_path / "bus.yaml").write_text(
        f"redis: {{url: '{redis_url}'}}\nreplicas: 1\npatience_s: 0.1\n", "utf-8"
    )
    done = await titan_bus("publish", topic, "e", "--config", str(tmp_path / "bus.yaml"))
    assert (done.status, done.out, done.err.count("\n")) == (3, "", 1)
    assert "0 of 1 replicas have it" in done.err


def test_closed_streams_are_said(redirected: Callable[..., Done], topic: str) -> None:
    """Without standard input there is nothing to read; without standard output the event goes out all the same."""
    done = redirected("<&-", "publish", topic, "e", "-")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "standard input is closed" in done.err
    assert redirected(">&-", "publish", topic, "e") == Done(0, "", "")
    assert len(redirected("", "replay", topic).records) == 1


async def test_a_passer_by_trims_nothing(titan_bus: Run, raw: Connection, topic: str) -> None:
    """Without a file that says how long the topic may be, publishing leaves what is there, however much it is."""
    from titan_bus.cli import arguments, connecting

    options = arguments.parser().parse_args(["publish", topic, "e"])
    config = connecting.visitor_of(options, topic)
    assert config.stream(topic).maxlen == connecting.UNTRIMMED
    assert (config.metrics, config.archive) == (None, None)
    await titan_bus("publish", topic, "e")
    assert await raw.call("XLEN", names.stream_of(topic)) == 1


async def test_events_are_shown_to_people(titan_bus: Run, bus: Bus, topic: str) -> None:
    """One line an event, or with --pretty a paragraph; nothing that a terminal would obey gets through."""
    await bus.publish(topic, "said", {"text": "\x1b[2J\u009b2J", "имя": "Анна"})
    line = await titan_bus("tail", topic, "--from", "0", "--count", "1")
    assert line.out.count("\n") == 1
    assert "Анна" in line.out
    paragraph = await titan_bus("tail", topic, "--from", "0", "--count", "1", "--pretty")
    assert "tests@v1" in paragraph.out
    for text in (line.out, paragraph.out):
        assert not {"\x1b", "\u009b"} & set(text)


async def test_a_line_of_json_stays_one_line(titan_bus: Run, raw: Connection, topic: str) -> None:
    """Also when another publisher wrote its payload with line breaks."""
    await titan_bus("publish", topic, "e")
    (event,) = (await titan_bus("replay", topic)).records
    event["payload"] = {"a": [1, 2]}
    await raw.call("XADD", names.stream_of(topic), "*", "e", json.dumps(event, indent=2))
    assert (await titan_bus("replay", topic)).records[1]["payload"] == {"a": [1, 2]}


async def test_replay_takes_a_span(titan_bus: Run, topic: str) -> None:
    """--from and --to are times, --count ends it; an empty span is "nothing found"."""
    for number in range(3):
        await titan_bus("publish", topic, "e", f'{{"n": {number}}}')
    assert len((await titan_bus("replay", topic, "--count", "2")).records) == 2
    assert len((await titan_bus("replay", topic, "--from", "2020-01-01T00:00:00Z")).records) == 3
    past = await titan_bus("replay", topic, "--to", "2020-01-01T00:00:00Z")
    assert (past.status, past.out) == (1, "")
    assert (await titan_bus("replay", topic, "--from", "yesterday")).status == 2


def test_standard_input_is_published(program: Callable[..., Popen[str]], topic: str) -> None:
    """`-` reads what is piped in; the ids come while the input is still open."""
    with program("publish", topic, "e", "-", "--lines") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"n": 1}\n')
        process.stdin.flush()
        assert len(process.stdout.readline().strip()) == 26
        process.stdin.write('{"n": 2}')
        process.stdin.close()
        assert len(process.stdout.read().strip()) == 26
        assert process.wait(WAIT_S) == 0


def test_a_closed_pipe_is_no_error(program: Callable[..., Popen[str]], topic: str) -> None:
    """`titan-bus replay | head -1`: the program ends with 0 and says nothing."""
    with program("publish", topic, "e", "-", "--lines") as process:
        process.communicate(('{"filler": "' + "x" * 900 + '"}\n') * 500, timeout=WAIT_S)
    with program("replay", topic) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(WAIT_S) == 0


def test_a_tail_ends_with_its_reader(program: Callable[..., Popen[str]], topic: str) -> None:
    """`titan-bus tail | head -1` does not wait for an event more."""
    with program("publish", topic, "e") as process:
        process.communicate(timeout=WAIT_S)
    with program("tail", topic, "--from", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(WAIT_S) == 0


async def test_a_tail_that_is_refused_ends(titan_bus: Run, raw: Connection, topic: str) -> None:
    """Where something else than a stream lies; with 5 and the server's own word, from the first or from now on."""
    await raw.call("SET", names.stream_of(topic), "no stream")
    for start in ("0", "$"):
        done = await titan_bus("tail", topic, "--from", start)
        assert (done.status, done.out, done.err.count("\n")) == (5, "", 1)
        assert "WRONGTYPE" in done.err
    await raw.call("DEL", names.stream_of(topic))


def test_a_closed_pipe_does_not_stop_publishing(program: Callable[..., Popen[str]], topic: str) -> None:
    """Whoever does not want the ids any more still gets every line published."""
    with program("publish", topic, "e", "-", "--lines") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"n": 1}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write('{"n": 2}\n' * 2_000)
        process.stdin.close()
        assert process.wait(WAIT_S) == 0
    with program("replay", topic) as process:
        out, _ = process.communicate(timeout=WAIT_S)
    assert len(out.splitlines()) == 2_001


def test_ctrl_c_ends_a_tail(program: Callable[..., Popen[str]], topic: str) -> None:
    """With 130 and no traceback."""
    from signal import SIGINT

    with program("publish", topic, "e") as process:
        process.communicate(timeout=WAIT_S)
    with program("tail", topic, "--from", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
        assert (process.returncode, err) == (130, "")


def test_ctrl_c_ends_waiting_for_input(program: Callable[..., Popen[str]], topic: str) -> None:
    """Also while it reads from a terminal that says nothing."""
    from signal import SIGINT

    with program("publish", topic, "e", "-", "--lines") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("{}\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(SIGINT)
        assert process.wait(WAIT_S) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""
        process.stdin.close()


async def test_an_event_may_come_later(titan_bus: Run, raw: Connection, topic: str) -> None:
    """It waits beside the stream, under the id that is printed."""
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    ids = [
        (await titan_bus("publish", topic, "happened", *when)).out.strip()
        for when in (("--at", at), ("--delay", "7200"))
    ]
    events = await raw.call("ZRANGE", names.later_of(topic), 0, -1)
    assert [json.loads(event)["event_id"] for event in events] == ids
