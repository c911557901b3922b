"""Reads a bus's metrics as Prometheus does: over HTTP, in its text format."""

import asyncio
import urllib.request
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.titan_bus.conftest import until
from titan_bus import Bus

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def fetch(port: int | None, path: str = "/metrics", method: str = "GET") -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- http, written above
        return str(answer.read().decode())


class Scrape:
    """What one scrape found."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return the sample with exactly these labels, or None when there is none."""
        return self.samples.get((name, frozenset(labels.items())))

    def labels(self, name: str) -> list[dict[str, str]]:
        return [dict(labels) for found, labels in self.samples if found == name]


async def scrape(bus: Bus) -> Scrape:
    return Scrape(await asyncio.to_thread(fetch, bus.metrics_port))


async def scraped(bus: Bus, holds: Callable[[Scrape], object], what: str) -> Scrape:
    """Scrape until a condition holds, and return that scrape."""
    last: list[Scrape] = []

    async def check() -> bool:
        last[:] = [await scrape(bus)]
        return bool(holds(last[0]))

    await until(check, what)
    return last[0]
