"""A service in a process of its own that writes its spans into a file, one JSON object a line.

`python -m tests.titan_bus.observability.traced_child URL TOPIC FILE` answers each event on TOPIC with a `second`
on `TOPIC.out`.
"""

import asyncio
import sys
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from titan_bus import Bus, BusConfig, Event
from titan_bus.observability.otel import OpenTelemetryTracing


async def serve(url: str, topic: str, provider: TracerProvider) -> None:
    config = BusConfig(url=url, source="child@v1", consumer="child")
    async with Bus(config, tracing=OpenTelemetryTracing(provider)) as bus:
        done = asyncio.Event()

        async def handle(event: Event) -> None:
            await bus.publish(f"{topic}.out", "second", {})
            done.set()

        subscription = await bus.subscribe(topic, "g", handle)
        await done.wait()
        await subscription.stop()


def main(url: str, topic: str, path: str) -> None:
    provider = TracerProvider()
    with Path(path).open("w", encoding="utf-8") as file:
        exporter = ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\n")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        asyncio.run(serve(url, topic, provider))


if __name__ == "__main__":
    main(*sys.argv[1:])
