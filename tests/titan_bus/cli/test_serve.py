"""`titan-bus serve`: a real process, with signals; and how it finds handlers."""

import inspect
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM
from subprocess import Popen

import pytest

from tests.titan_bus.conftest import pending, settled
from titan_bus import Bus, names
from titan_bus.connections.connection import Connection
from titan_bus.consumer import identity

from .conftest import Run

WAIT_S = 20
MODULE = """
import asyncio
import os
from titan_bus import Event, Handlers

handlers = Handlers()
empty = Handlers()
unready = Handlers()
number = 7

@unready.lifespan
async def database(bus):
    raise ConnectionError("no database")
    yield

@unready.on("{topic}", "unready")
async def wait(event: Event) -> None: ...

@handlers.on("{topic}", "g")
async def handle(event: Event) -> None:
    print("begun", event.event_id, flush=True)
    await asyncio.sleep(float(event.payload_as(dict).get("takes_s", 0)))
    print("done", event.event_id, flush=True)

async def plain(event: Event) -> None:
    print("plain", event.event_id, flush=True)

def not_async(event: Event) -> None: ...
"""

Program = Callable[..., "Popen[str]"]


@pytest.fixture
def module(tmp_path: Path, topic: str) -> None:
    """A module `shop` in the folder where the program starts."""
    (tmp_path / "shop.py").write_text(MODULE.format(topic=topic), "utf-8")


def next_line(process: "Popen[str]", begin: str) -> str:
    """Wait for the next line of its output, which begins so."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(begin), (
        line,
        process.stderr and process.poll() is not None and process.stderr.read(),
    )
    return line


@pytest.mark.usefixtures("module")
async def test_sigterm_finishes_what_is_in_flight(
    program: Program, bus: Bus, raw: Connection, topic: str
) -> None:
    """The handler ends, its event is acknowledged, the status is 0: the ordinary end of a service."""
    with program("serve", "shop:handlers") as worker:
        event_id = await bus.publish(topic, "e", {"takes_s": 0.5})
        assert event_id in next_line(worker, "begun")
        worker.send_signal(SIGTERM)
        out, err = worker.communicate(timeout=WAIT_S)
    assert (worker.returncode, out) == (0, f"done {event_id}\n")
    assert "stopped" in err
    await settled(raw, names.stream_of(topic), "g")


@pytest.mark.usefixtures("module")
async def test_what_takes_longer_stays_unacknowledged(
    program: Program, bus: Bus, raw: Connection, topic: str
) -> None:
    """After --drain the handler is cancelled and the next worker of that name gets its event at once."""
    event_id = await bus.publish(topic, "e", {"takes_s": 60})
    with program("serve", "shop:handlers", "--drain", "0.1") as worker:
        next_line(worker, "begun")
        worker.send_signal(SIGINT)
        out, _ = worker.communicate(timeout=WAIT_S)
    assert (worker.returncode, out) == (130, "")
    assert len(await pending(raw, names.stream_of(topic), "g")) == 1
    with program("serve", "shop:handlers", "--drain", "0") as worker:
        assert event_id in next_line(worker, "begun")
        worker.send_signal(SIGTERM)
        worker.communicate(timeout=WAIT_S)


@pytest.mark.usefixtures("module")
async def test_a_second_signal_ends_at_once(program: Program, bus: Bus, raw: Connection, topic: str) -> None:
    """Whatever the handlers do; nothing is acknowledged by it."""
    await bus.publish(topic, "e", {"takes_s": 60})
    with program("serve", "shop:handlers", "--drain", "60") as worker:
        next_line(worker, "begun")
        worker.send_signal(SIGTERM)
        assert worker.stderr is not None
        while "stopping" not in worker.stderr.readline():
            pass
        worker.send_signal(SIGTERM)
        assert worker.wait(WAIT_S) == -SIGTERM
    assert len(await pending(raw, names.stream_of(topic), "g")) == 1


@pytest.mark.usefixtures("module")
@pytest.mark.by_url
async def test_a_function_is_served(program: Program, bus: Bus, topic: str) -> None:
    """With --topic and --group."""
    with program("serve", "shop:plain", "--topic", topic, "--group", "g2", "--metrics-port", "0") as worker:
        event_id = await bus.publish(topic, "e", {})
        assert event_id in next_line(worker, "plain")
        worker.send_signal(SIGTERM)
        _, err = worker.communicate(timeout=WAIT_S)
    assert worker.returncode == 0
    assert "metrics on port" in err


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop",), "module:name"),
        (("shop.py:handlers",), "write shop:handlers"),
        (("./shop.py:handlers",), "write shop:handlers"),
        (("pkg/shop:handlers",), "write pkg.shop:handlers"),
        (("/srv/shop.py:handlers",), "write shop:handlers"),
        ((".shop:handlers",), "write shop:handlers"),
        (("shop:nothing",), "has no nothing"),
        (("nowhere:handlers",), "no module nowhere"),
        (("shop:number", "--topic", "t", "--group", "g"), "of type int"),
        (("shop:plain",), "--topic and --group"),
        (("shop:empty",), "no handlers"),
        (("shop:unready",), "line 13: ConnectionError: no database"),
        (("shop:handlers", "--topic", "t"), "themselves"),
        (("shop:not_async", "--topic", "t", "--group", "g"), "async"),
    ],
)
async def test_what_cannot_be_served_is_said(
    titan_bus: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    """2, one sentence, no traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    done = await titan_bus("serve", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def broken(:\n", "line 1: SyntaxError"),
        ("\n1 / 0\n", "line 2: ZeroDivisionError"),
        ("import no_such_package_at_all\n", "ModuleNotFoundError"),
    ],
)
def test_a_broken_module_names_its_line(program: Program, tmp_path: Path, source: str, said: str) -> None:
    """The person sees where to mend their module."""
    (tmp_path / "broken.py").write_text(source, "utf-8")
    with program("serve", "broken:handlers") as worker:
        _, err = worker.communicate(timeout=WAIT_S)
    assert worker.returncode == 2
    assert "broken.py" in err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "source",
    [
        """
            import asyncio

            async def main() -> None: ...

            asyncio.run(main())
        """,
        """
            import sys



            sys.exit(0)
        """,
    ],
)
def test_a_module_that_runs_itself_is_told_so(program: Program, tmp_path: Path, source: str) -> None:
    """With its own line that does it, without a warning of Python's, and not with 0 as if all were well."""
    (tmp_path / "script.py").write_text(inspect.cleandoc(source), "utf-8")
    with program("serve", "script:handlers") as worker:
        _, err = worker.communicate(timeout=WAIT_S)
    assert worker.returncode == 2
    assert "script.py, line 5" in err
    assert 'if __name__ == "__main__":' in err
    assert err.count("\n") == 1


def test_a_fault_is_named_where_the_person_can_mend_it(program: Program, tmp_path: Path) -> None:
    """Not in the library that was called with it: neither Python's own nor ours."""
    (tmp_path / "beside.py").write_text("import json\n\njson.loads('{')\n", "utf-8")
    (tmp_path / "shop.py").write_text("import beside\n", "utf-8")
    (tmp_path / "cart.py").write_text(
        "from titan_bus import Handlers\nHandlers().on('', 'g')(print)\n", "utf-8"
    )
    for name, place in (("shop", "beside.py, line 3"), ("cart", "cart.py, line 2")):
        with program("serve", f"{name}:handlers") as worker:
            _, err = worker.communicate(timeout=WAIT_S)
        assert worker.returncode == 2
        assert place in err


@pytest.mark.usefixtures("module")
async def test_a_second_worker_of_a_name_is_refused(
    titan_bus: Run, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4, with the cure, while the first works on; without a name it has one of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    monkeypatch.setattr(identity, "TTL_S", 0.05)
    monkeypatch.setattr(identity, "MARGIN_S", 0.0)
    with (
        program("serve", "shop:handlers", "--consumer", "w") as worker,
        program("serve", "shop:handlers") as other,
    ):
        serving(worker, "w")
        serving(other, f"shop@{socket.gethostname()}")
        done = await titan_bus("serve", "shop:handlers", "--consumer", "w", "--drain", "0")
        assert (done.status, done.out) == (4, "")
        assert f"is named w, in process {worker.pid} on " in done.err
        assert "--consumer" in done.err
        for one in (worker, other):
            one.send_signal(SIGTERM)
            one.communicate(timeout=WAIT_S)
    assert (worker.returncode, other.returncode) == (0, 0)


def serving(process: "Popen[str]", consumer: str) -> None:
    """Wait until a worker serves under this name."""
    assert process.stderr is not None
    assert f"as {consumer}" in process.stderr.readline()
