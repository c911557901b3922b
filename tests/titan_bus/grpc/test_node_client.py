"""Another language: a Node.js program publishes, consumes, answers, asks and replays through the gRPC server."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.titan_bus.conftest import Recorder, pending, settled, until
from tests.titan_bus.node_client import client
from titan_bus import Bus, Priority, names
from titan_bus.connections.connection import Connection
from titan_bus.grpc.server import GrpcServer

PROTO = Path(__file__).parents[3] / "titan_bus" / "grpc" / "titan_bus.proto"
LOCK = Path(client.__file__).parent / "package-lock.json"
NODE_S = 30.0


@dataclass(frozen=True)
class Done:
    """What a run of the client left."""

    status: int
    records: list[dict[str, Any]]


@dataclass
class Running:
    """A client at work."""

    process: asyncio.subprocess.Process

    async def done(self) -> Done:
        async with asyncio.timeout(NODE_S):
            out, err = await self.process.communicate()
        assert not err, err.decode()
        assert self.process.returncode is not None
        return Done(self.process.returncode, [json.loads(line) for line in out.splitlines()])


Node = Callable[..., Awaitable[Running]]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The client with its packages; without Node.js a skip, and on CI a failure."""
    if lack := client.missing_tool():
        if os.environ.get("CI") == "true":
            pytest.fail(f"on CI a client in another language is not optional: {lack}")
        pytest.skip(f"no client in another language here: {lack}")
    return client.build()


@pytest.fixture
async def node(grpc_server: GrpcServer, token: Callable[..., str], packages: Path) -> AsyncIterator[Node]:
    """Start the client with these arguments and a token."""
    started: list[Running] = []

    async def start(*arguments: object, bearer: str | None = None) -> Running:
        environment = {
            "PATH": os.environ["PATH"],
            "TITAN_BUS_TOKEN": token("node-client") if bearer is None else bearer,
        }
        process = await asyncio.create_subprocess_exec(
            "node", "client.js", grpc_server.address, str(PROTO), *(str(one) for one in arguments),
            cwd=packages, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(Running(process))
        return started[-1]

    yield start
    for running in started:
        if running.process.returncode is None:
            running.process.kill()
            await running.process.communicate()


async def test_what_node_publishes_python_handles(bus: Bus, node: Node, topic: str) -> None:
    """With its text, its priority, and the token's subject as its source."""
    recorder = Recorder()
    await bus.subscribe(topic, "g", recorder)
    done = await (await node("publish", topic, "order_placed", 3)).done()
    events = await recorder.wait_for(3)
    assert done == Done(0, [{"eventId": event.event_id} for event in events])
    assert [event.payload_as(dict)["number"] for event in events] == [0, 1, 2]
    assert {event.payload_as(dict)["text"] for event in events} == {"Привет, 🚌"}
    assert {(event.event_type, event.meta.priority, event.meta.source) for event in events} == {
        ("order_placed", Priority.HIGH, "node-client")
    }


async def test_what_python_publishes_node_handles_and_acknowledges(
    bus: Bus, node: Node, topic: str, raw: Connection
) -> None:
    """Each once, but the one that it nacked comes a second time; afterwards nothing is pending."""
    ids = [
        await bus.publish(
            topic, "order_placed", {"number": number, "failOnce": number == 1, "text": "Привет"}
        )
        for number in range(4)
    ]
    done = await (await node("consume", topic, "billing", 4)).done()
    assert done.status == 0
    assert sorted(record["eventId"] for record in done.records) == sorted([*ids, ids[1]])
    assert {record["payload"]["text"] for record in done.records} == {"Привет"}
    assert [record["meta"]["retries"] for record in done.records if record["eventId"] == ids[1]] == [0, 1]
    for stream in (names.stream_of(topic), names.retries_of("billing", topic)):
        await settled(raw, stream, "billing")


async def test_killed_node_client_loses_nothing(bus: Bus, node: Node, topic: str, raw: Connection) -> None:
    """SIGKILL with events in flight: the next client gets every one that was not acknowledged."""
    # This one consumes for ever, since more are asked for than there will be.
    first = await node("consume", topic, "billing", 1_000_000)
    ids = [await bus.publish(topic, "order_placed", {"number": number}) for number in range(200)]
    assert first.process.stdout is not None
    handled = json.loads(await asyncio.wait_for(first.process.stdout.readline(), NODE_S))["eventId"]
    first.process.kill()
    await first.process.communicate()
    recorder = Recorder()
    await bus.subscribe(topic, "billing", recorder)
    stream = names.stream_of(topic)

    async def nothing_is_left() -> bool:
        group = next(group for group in await bus.inspection.groups(topic) if group.group == "billing")
        delayed = await raw.call("ZCARD", names.delayed_of("billing", topic))
        retried = await pending(raw, names.retries_of("billing", topic), "billing")
        return not (group.lag or delayed or retried or await pending(raw, stream, "billing"))

    await until(nothing_is_left, "all is acknowledged", NODE_S)
    assert handled in ids


async def test_node_answers_what_python_asks_and_asks_what_python_answers(
    bus: Bus, node: Node, topic: str
) -> None:
    """Requests go both ways."""
    answering = await node("answer", topic, "calculator", 1)
    assert await bus.request(topic, "double", {"number": 21}, dict, NODE_S) == {"twice": 42}
    assert (await answering.done()).status == 0
    asked = f"{topic}.other"

    async def double(order: dict[str, int]) -> dict[str, int]:
        return {"twice": order["number"] * 2}

    await bus.subscribe(asked, "calculator", double)
    done = await (await node("ask", asked, 4)).done()
    assert done == Done(0, [{"resultJson": '{"twice":8}'}])


async def test_node_replays(bus: Bus, node: Node, topic: str) -> None:
    """The past, in order."""
    ids = [await bus.publish(topic, "order_placed", {}) for _ in range(3)]
    done = await (await node("replay", topic, "2020-01-01T00:00:00Z")).done()
    assert [record["eventId"] for record in done.records] == ids


@pytest.mark.parametrize("bearer", ["", "a.b.c"])
async def test_node_without_a_token_is_told(node: Node, topic: str, bearer: str) -> None:
    """The status, its name for programs and its sentence arrive in another language, too."""
    done = await (await node("publish", topic, "order_placed", 1, bearer=bearer)).done()
    assert done.status == 1
    (record,) = done.records
    assert (record["code"], record["reason"]) == (16, "TOKEN_REFUSED")
    assert "titan-bus token" in record["message"]


def test_lock_file_names_no_registry() -> None:
    """Whoever installs takes their own registry; what came is checked by digest."""
    packages = json.loads(LOCK.read_text("utf-8"))["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert locked
    assert not [name for name, package in locked.items() if "resolved" in package]
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
