"""How long an event takes, as the specification promises it; `tests.benchmarks.bus` has the real figures."""

import statistics
import time

from titan_bus import Bus, Event

from .conftest import Recorder

PROMISED_MS = 120
TIMES = 21


async def test_chat_is_handled_in_time(bus: Bus, topic: str) -> None:
    """T1: a message published to the chat is handled within 120 ms."""
    handled_at: dict[str, float] = {}

    def note(event: Event) -> None:
        handled_at[event.event_id] = time.monotonic()

    recorder = Recorder(note)
    await bus.subscribe(f"chat.{topic}", "window", recorder)
    latencies_ms = []
    for count in range(1, TIMES + 1):
        began = time.monotonic()
        event_id = await bus.publish(f"chat.{topic}", "user_message", {"text": "Привет, Titan!"})
        await recorder.wait_for(count)
        latencies_ms.append((handled_at[event_id] - began) * 1000)
    assert statistics.median(latencies_ms) < PROMISED_MS
