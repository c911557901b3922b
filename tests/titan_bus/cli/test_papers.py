"""`titan-bus asyncapi` and `titan-bus acl`."""

import contextlib
import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGINT
from subprocess import Popen

import pytest
import yaml

from tests.titan_bus.conftest import Recorder, pending_is
from titan_bus import Bus, names
from titan_bus.connections.connection import Connection

from .conftest import PROGRAM, ROOT, Run

MODULE = """
import msgspec
from titan_bus import Handlers

class OrderPlaced(msgspec.Struct):
    number: int

handlers = Handlers()

@handlers.on("orders.v1", "billing", event_type="order_placed")
async def bill(order: OrderPlaced) -> None:
    "Writes the bill."

handlers.sends("bills.v1", "bill_written", OrderPlaced)
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "papers_shop.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "papers_shop", raising=False)


async def test_the_document_is_printed(titan_bus: Run) -> None:
    """As JSON or as YAML, the same; a server stands in it only when one was named."""
    done = await titan_bus("asyncapi", "papers_shop:handlers", "--title", "Shop", "--app-version", "1.2")
    document = json.loads(done.out)
    assert document["asyncapi"].startswith("3.")
    assert document["info"] == {"title": "Shop", "version": "1.2"}
    assert "orders.v1" in done.out
    assert not document["servers"]
    again = await titan_bus(
        "asyncapi", "papers_shop:handlers", "--title", "Shop", "--app-version", "1.2", "--yaml"
    )
    assert yaml.safe_load(again.out) == document
    named = await titan_bus("asyncapi", "papers_shop:handlers", "--url", "redis://u:secret@host", "--json")
    assert named.records[0]["servers"]
    assert "secret" not in named.out


async def test_what_has_no_handlers_is_said(titan_bus: Run) -> None:
    """A function is no Handlers."""
    done = await titan_bus("asyncapi", "papers_shop:bill")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


async def test_a_type_that_cannot_be_described_is_a_sentence(titan_bus: Run, tmp_path: Path) -> None:
    """A result of a plain class is the program's matter, not a fault of titan-bus: handler and type are named."""
    (tmp_path / "papers_plain.py").write_text(
        MODULE + "\nclass Resp: ...\n\n@handlers.on('orders.v1', 'asking')\nasync def ask(order: OrderPlaced)"
        " -> Resp: ...\n",
        "utf-8",
    )
    done = await titan_bus("asyncapi", "papers_plain:handlers")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "ask: Resp is, or has in it, a type that JSON Schema cannot describe" in done.err


async def test_the_rights_of_a_service_are_printed(titan_bus: Run) -> None:
    """What its handlers take and send, and what options add; nothing of another topic."""
    (line,) = (
        await titan_bus("acl", "papers_shop:handlers", "--user", "shop", "--replay", "log.v1")
    ).out.splitlines()
    assert line.startswith("ACL SETUSER shop reset on resetchannels")
    for topic in ("orders.v1", "bills.v1", "log.v1"):
        assert topic in line
    one = (await titan_bus("acl", "--subscribe", "orders.v1:billing", "--json")).records
    assert "retry:{orders.v1}:billing" in one[0]["rule"]
    last = (await titan_bus("acl", "--subscribe", "orders.v1:team:a")).out
    assert "retry:{orders.v1:team}:a " in last


@asynccontextmanager
async def made(raw: Connection, redis_url: str, user: str, line: str) -> AsyncIterator[str]:
    """The URL of the user that the printed line makes."""
    await raw.call(*line.split())
    await raw.call("ACL", "SETUSER", user, ">secret")
    scheme, _, rest = redis_url.partition("://")
    try:
        yield f"{scheme}://{user}:secret@{rest.rpartition('@')[2]}"
    finally:
        await raw.call("ACL", "DELUSER", user)


async def test_the_rights_are_enough(titan_bus: Run, raw: Connection, redis_url: str, topic: str) -> None:
    """A user that the printed line makes publishes with titan-bus, and may not publish elsewhere."""
    line = (await titan_bus("acl", "--user", topic, "--publish", topic)).out.strip()
    async with made(raw, redis_url, topic, line) as url:
        assert (await titan_bus("publish", topic, "e", "--url", url)).status == 0
        refused = await titan_bus("publish", f"{topic}.other", "e", "--url", url)
    assert (refused.status, refused.err.count("\n")) == (5, 1)
    assert "titan-bus acl" in refused.err


async def test_who_looks_needs_no_more(
    titan_bus: Run, bus: Bus, raw: Connection, redis_url: str, topic: str
) -> None:
    """What lists works with --looks, also where events wait to be tried again; publishing does not."""
    await bus.subscribe(topic, "held", Recorder(), auto_ack=False)
    await raw.call("XGROUP", "CREATE", names.stream_of(topic), "idle", "0")
    await raw.call("XGROUP", "CREATE", names.retries_of("idle", topic), "idle", "0", "MKSTREAM")
    await raw.call("XADD", names.retries_of("idle", topic), "*", "e", "{}")
    await raw.call("XREADGROUP", "GROUP", "idle", "c", "STREAMS", names.retries_of("idle", topic), ">")
    await bus.publish(topic, "e", {})
    await pending_is(raw, names.stream_of(topic), "held", 1)
    line = (await titan_bus("acl", "--user", topic, "--looks")).out.strip()
    async with made(raw, redis_url, topic, line) as url:
        told = ("--json", "--url", url)
        assert topic in [one["topic"] for one in (await titan_bus("topics", *told)).records]
        groups = (await titan_bus("groups", "list", topic, *told)).records
        assert [(one["group"], one["retrying"]) for one in groups] == [("held", 0), ("idle", 1)]
        assert [one["retry"] for one in (await titan_bus("pending", topic, *told)).records] == [False, True]
        assert len((await titan_bus("consumers", topic, *told)).records) == 1
        assert (await titan_bus("publish", topic, "e", *told)).status == 5
        assert (await titan_bus("dlq", "list", *told)).status == 5


async def test_who_benches_needs_no_more(
    titan_bus: Run, raw: Connection, redis_url: str, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    """`bench` works with --benches and leaves nothing; other topics stay out of reach."""
    line = (await titan_bus("acl", "--user", topic, "--benches")).out.strip()
    async with made(raw, redis_url, topic, line) as url:
        done = await titan_bus("bench", "--events", "300", "--seconds", "0.1", "--url", url)
        assert (done.status, done.err) == (0, "")
        assert (await titan_bus("publish", topic, "e", "--url", url)).status == 5
    assert not caplog.records
    _, keys = await raw.call("SCAN", 0, "MATCH", f"*{names.BENCHES}*", "COUNT", 10_000)
    assert not keys


async def test_the_operators_roles_are_printed(titan_bus: Run) -> None:
    """Archiving, restoring, dead letters and erasing are roles of their own, each enough to be asked for alone."""
    rules = {
        role: (await titan_bus("acl", role)).out.strip()
        for role in ("--archives", "--restores", "--dead-letters", "--erases")
    }
    assert "titan_bus.archive:*" in rules["--archives"]
    assert "titan_bus.restoring:topics:{*}" in rules["--restores"]
    assert "+xdel %W~errors.dlq" in rules["--dead-letters"]
    assert "+bgrewriteaof" in rules["--erases"]
    assert len(set(rules.values())) == 4


def test_a_password_is_printed_as_its_hash(program: Callable[..., Popen[str]]) -> None:
    """It comes through standard input, so no list of processes shows it."""
    with program("acl", "--publish", "t", "--password-stdin") as process:
        out, err = process.communicate("secret\n", timeout=20)
    assert (process.returncode, err) == (0, "")
    assert f"#{hashlib.sha256(b'secret').hexdigest()}" in out
    assert "secret" not in out


@pytest.mark.parametrize(("typed", "status"), [(b"secret\n", 0), (b"\x04", 2), (b"", 130)])
def test_a_password_is_not_shown_at_a_terminal(tmp_path: Path, typed: bytes, status: int) -> None:
    """It is asked for, and what is typed is not echoed; without one, or by Ctrl-C, it ends."""
    master, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "acl", "--publish", "t", "--password-stdin"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT}, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"assword" not in shown:
            shown += os.read(master, 1_000)
        os.write(master, typed) if typed else process.send_signal(SIGINT)
        out, _ = process.communicate(timeout=20)
        with contextlib.suppress(OSError):  # EIO: everybody has closed the other side
            while more := os.read(master, 1_000):
                shown += more
        os.close(master)
    assert process.returncode == status
    assert b"secret" not in shown
    assert (hashlib.sha256(b"secret").hexdigest().encode() in out) == (status == 0)


@pytest.mark.parametrize("arguments", [(), ("--subscribe", "t"), ("--publish", "a b")])
async def test_rights_have_to_be_said(titan_bus: Run, arguments: tuple[str, ...]) -> None:
    """Nothing allowed, half a subscription, a name that no rule can say."""
    done = await titan_bus("acl", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
