"""`titan-bus bench`."""

from pathlib import Path

import pytest

from titan_bus import Bus
from titan_bus.cli import bench

from .conftest import Run


async def test_the_figures_are_printed_and_the_topic_goes(titan_bus: Run, bus: Bus) -> None:
    """Throughput and latency; nothing is left on the server."""
    options = ("--events", "300", "--seconds", "0.1", "--rate", "500")
    (figures,) = (await titan_bus("bench", *options, "--json")).records
    assert figures["events"] == 300
    assert figures["publish_s"] >= figures["handled_s"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert "p99" in (await titan_bus("bench", *options)).out
    assert not [topic for topic in await bus.inspection.topic_names() if "bench" in topic]


async def test_a_limit_of_the_file_s_does_not_bind_it(titan_bus: Run, redis_url: str, tmp_path: Path) -> None:
    """A service's `rate_limit` is not what is measured."""
    (tmp_path / "bus.yaml").write_text(f"redis: {{url: '{redis_url}'}}\nrate_limit: 0.01\n", "utf-8")
    options = ("--config", str(tmp_path / "bus.yaml"), "--events", "20", "--seconds", "0.01")
    assert (await titan_bus("bench", *options)).status == 0


async def test_a_server_that_is_too_slow_is_said(titan_bus: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how far it came; it is no fault of titan-bus."""
    monkeypatch.setattr(bench, "PATIENCE_S", 0.0)
    done = await titan_bus("bench", "--events", "5000")
    assert (done.status, done.out, done.err.count("\n")) == (5, "", 1)
    assert "of 5000 events" in done.err
