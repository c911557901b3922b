"""Background loops that go on."""

import asyncio

import pytest

from titan_bus.errors import ServerRefusedError
from titan_bus.supervisor import keep_going


@pytest.mark.parametrize(
    ("error", "frames"),
    [(ServerRefusedError("NOREPLICAS Not enough good replicas"), 0), (ValueError("x"), 1)],
)
async def test_a_refusal_is_a_sentence(
    caplog: pytest.LogCaptureFixture, error: Exception, frames: int
) -> None:
    """What the server refuses is told in its own words; only faults of ours have a traceback."""
    done = asyncio.Event()

    async def step() -> None:
        if done.is_set():
            await asyncio.Event().wait()
        done.set()
        raise error

    going = asyncio.create_task(keep_going(step, "this"))
    await done.wait()
    going.cancel()
    await asyncio.wait([going])
    assert str(error) in caplog.text
    assert caplog.text.count("Traceback") == frames


async def test_a_lasting_fault_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The same failure again and again is one line in the log; another, or one after a success, is a new one."""
    steps = [ValueError("one"), ValueError("one"), ValueError("two"), None, ValueError("two")]
    done = asyncio.Event()

    async def step() -> None:
        if not steps:
            done.set()
            await asyncio.Event().wait()
        if (error := steps.pop(0)) is not None:
            raise error

    going = asyncio.create_task(keep_going(step, "this"))
    await done.wait()
    going.cancel()
    await asyncio.wait([going])
    assert caplog.text.count("this: a step failed, going on") == 3
