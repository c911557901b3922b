"""How fast the archive is written and replayed: events a second, and how long the loop stood still at most.

    python -m tests.benchmarks.bus_replay [events]

A million events of about 600 bytes are put into streams of a server of its own, archived to a folder, removed from
the server, and replayed through `Bus.replay`; then archived once more by the segment writer alone.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from titan_bus import ArchiveConfig, Bus, BusConfig, Event, Meta, Priority, codec, names, new_ulid, testing
from titan_bus.archive.segment import Entry, SegmentWriter
from titan_bus.connections.connection import Connection
from titan_bus.connections.endpoint import Endpoint

EVENTS = 1_000_000
BATCH = 500
TOPIC = "bench.v1"
chance = random.Random(1)
WORDS = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5_000)]


class Stillness:
    """The longest time between two turns of the loop, in ms, beyond the millisecond that is asked for."""

    def __init__(self) -> None:
        self.longest_ms = 0.0

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - before) * 1_000 - 1)


@contextlib.asynccontextmanager
async def measured(what: str, count: int) -> AsyncIterator[None]:
    stillness = Stillness()
    watching = asyncio.create_task(stillness.watch())
    began, cpu = time.perf_counter(), time.process_time()
    yield
    seconds, busy = time.perf_counter() - began, time.process_time() - cpu
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    print(
        f"{what:<28} {count / seconds:>10,.0f}/s {busy / count * 1e6:>6.1f} µs CPU each"
        f"   loop stood still {stillness.longest_ms:.1f} ms at most"
    )


def event(n: int) -> bytes:
    """An event of about 600 bytes; its text is as hard to compress as prose."""
    text = " ".join(chance.choices(WORDS, k=48))
    return codec.encode(
        Event(
            event_id=new_ulid(),
            schema_version=1,
            topic=TOPIC,
            event_type="message_posted",
            timestamp="2026-01-01T00:00:00.000Z",
            encoded_payload=msgspec.Raw(msgspec.json.encode({"n": n, "text": text})),
            meta=Meta(priority=Priority.MEDIUM, retries=0, trace_id=f"{n:032x}", source="bench@v1"),
        )
    )


async def fill(raw: Connection, count: int) -> int:
    stream, size = names.stream_of(TOPIC), 0
    for start in range(0, count, BATCH):
        bodies = [event(n) for n in range(start, min(start + BATCH, count))]
        size += sum(map(len, bodies))
        await asyncio.gather(*(raw.call("XADD", stream, "*", codec.FIELD, body) for body in bodies))
    return size // count


def write_segments(entries: list[Entry], count: int) -> float:
    began = time.perf_counter()
    for _ in range(0, count, len(entries)):
        writer = SegmentWriter(names.stream_of(TOPIC))
        writer.extend(entries)
        writer.finish()
    return time.perf_counter() - began


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tb-bench-") as folder, testing.private_server() as url:
        archive = ArchiveConfig(target=folder, every_s=3_600.0, topics=(TOPIC,))
        raw = Connection(Endpoint.parse(url), 30.0)
        await raw.open()
        await raw.call("SET", names.archive_done((TOPIC,), 3_600.0), "1")
        size = await fill(raw, count)
        print(f"{count:,} events of {size} bytes")
        async with Bus(BusConfig(url=url, archive=archive)) as bus:
            async with measured("archived from the server", count):
                done = await bus.archive_now()
            assert done.entries == count
            kept = sum(file.stat().st_size for file in Path(folder).rglob("*.zst"))  # noqa: ASYNC240 -- measured apart
            print(f"{done.segments} segments, {kept / count:.0f} bytes an event")
            await raw.call("XTRIM", names.stream_of(TOPIC), "MAXLEN", 0)
            found = 0
            async with measured("replayed from the archive", count):
                async for _ in bus.replay("2000-01-01T00:00:00Z", TOPIC):
                    found += 1
            assert found == count
        # Made only now: what is held lengthens the collector's pauses, which would be measured as the loop's.
        some: list[Entry] = [(b"%d-0" % n, [codec.FIELD, event(n)]) for n in range(1, 50_001)]
        seconds = await asyncio.to_thread(write_segments, some, count)
        print(f"{'segment writer alone':<28} {count / seconds:>10,.0f}/s")
        await raw.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
