"""Handlers that use `asyncio.TaskGroup`: their errors come in groups."""

import asyncio

import msgspec
import pytest

from tests.titan_bus.conftest import Recorder, settled
from titan_bus import (
    Bus,
    BusConfig,
    DeadLetter,
    Event,
    FatalError,
    RequestFailedError,
    RequestRefused,
    StreamConfig,
    names,
)
from titan_bus.connections.connection import Connection


def raising(*errors: Exception) -> Recorder:
    """A handler that raises these, each in a group within that of the one before."""

    def fail(_: Event) -> None:
        group: list[Exception] = []
        for error in reversed(errors):
            group = [ExceptionGroup("tasks", [error, *group])]
        raise group[0]

    return Recorder(fail)


async def letters_of(bus: Bus, topic: str) -> list[DeadLetter]:
    return await bus.dead_letters.list(topic=topic)


@pytest.mark.logs("goes to the dead letters")
async def test_fatal_errors_of_a_group_are_fatal(bus: Bus, raw: Connection, topic: str) -> None:
    """Alone in a group, a wrong payload is a dead letter at once, under its own name and with what it says."""

    async def decode(event: Event) -> None:
        event.payload_as(int)

    async def handle(event: Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(decode(event))

    recorder = Recorder(handle)
    await bus.subscribe(topic, "g", recorder)
    event_id = await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    [letter] = await letters_of(bus, topic)
    assert letter.origin.error == "PayloadMismatchError"
    assert letter.origin.message.startswith(f"{event_id} is no int")
    assert "payload_as" in letter.origin.traceback
    assert len(recorder.events) == 1


@pytest.mark.logs("goes to the dead letters")
async def test_a_letter_shows_every_error_of_a_group(bus: Bus, raw: Connection, topic: str) -> None:
    """However deep; and what is fatal as a whole is not tried again."""
    recorder = raising(FatalError("no such account"), FatalError("no such shop"))
    await bus.subscribe(topic, "g", recorder)
    await bus.publish(topic, "e", {})
    await recorder.wait_for(1)
    await settled(raw, names.stream_of(topic), "g")
    [letter] = await letters_of(bus, topic)
    assert letter.origin.error == "FatalError"
    assert letter.origin.message == "FatalError: no such account; FatalError: no such shop"


@pytest.mark.logs("goes to the dead letters")
async def test_a_group_that_is_fatal_in_part_is_tried_again(
    config: BusConfig, raw: Connection, topic: str
) -> None:
    """The other error may pass; when it does not, the letter names both."""
    recorder = raising(FatalError("never"), ConnectionError("not now"))
    config = msgspec.structs.replace(config, streams=(StreamConfig(name=topic, retry_limit=1),))
    async with Bus(config) as bus:
        await bus.subscribe(topic, "g", recorder)
        await bus.publish(topic, "e", {})
        await recorder.wait_for(2)
        await settled(raw, names.retries_of("g", topic), "g")
        [letter] = await letters_of(bus, topic)
    assert letter.origin.error == "ExceptionGroup"
    assert letter.origin.message == "FatalError: never; ConnectionError: not now"


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([RequestRefused("no_stock", "none left")], "no_stock: none left"),
        ([RequestRefused("first"), RequestRefused("second")], "first"),
        ([RequestRefused("no_stock"), ValueError()], "internal: ExceptionGroup"),
        ([ValueError()], "internal: ValueError"),
    ],
)
@pytest.mark.logs("request .* failed")
async def test_a_refusal_of_a_group_is_the_answer(
    bus: Bus, topic: str, errors: list[Exception], code: str
) -> None:
    """Refusals alone reach the requester as they are, anything else as an internal error, named."""
    await bus.subscribe(topic, "g", raising(*errors))
    with pytest.raises(RequestFailedError, match=code):
        await bus.request(topic, "q", {})
