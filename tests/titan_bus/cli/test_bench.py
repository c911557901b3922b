"""`titan-bus bench`."""

from titan_bus import Bus

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
