"""The port on which Prometheus finds the metrics."""

import asyncio
import http.client
import logging
import socket
import subprocess
import sys
import time
import urllib.error

import msgspec
import pytest
from prometheus_client import Metric

from tests.titan_bus.conftest import Server, until
from tests.titan_bus.scraping import Scrape, fetch, scrape
from titan_bus import Bus, BusConfig, BusUnavailableError
from titan_bus.config import MetricsConfig


@pytest.fixture
def config(config: BusConfig) -> BusConfig:
    return msgspec.structs.replace(config, metrics=MetricsConfig(port=0, every_s=0.01))


async def test_port_0_takes_any_that_is_free(bus: Bus) -> None:
    """Port 0 is any free port, and the bus tells which."""
    assert (await scrape(bus)).value("titan_bus_connected") == 1


async def test_without_metrics_no_port(redis_url: str) -> None:
    """A bus that is not told to serve metrics opens no port."""
    async with Bus(BusConfig(url=redis_url)) as bus:
        assert bus.metrics_port is None


def test_loaded_when_asked_for() -> None:
    """Importing the bus loads neither the library of the metrics nor a server for them."""
    program = "import sys, titan_bus; print('prometheus_client' in sys.modules, 'http.server' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert said.stdout.split() == ["False", "False"]


async def test_only_this_machine_is_served(bus: Bus) -> None:
    """The port listens on loopback alone unless the configuration says otherwise."""
    assert bus._maintenance._exporter is not None
    assert bus._maintenance._exporter._door is not None
    assert bus._maintenance._exporter._door.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/metrics/x", "GET", 404), ("/metrics", "POST", 501), ("/metrics", "PUT", 501)],
)
async def test_nothing_but_the_metrics(bus: Bus, path: str, method: str, status: int) -> None:
    """Other paths and other methods are refused."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(fetch, bus.metrics_port, path, method)
    assert refused.value.code == status
    refused.value.close()


async def test_parameters_in_the_address(bus: Bus) -> None:
    """A scrape with parameters in its address is served, as Prometheus's `params` write them."""
    assert Scrape(await asyncio.to_thread(fetch, bus.metrics_port, "/metrics?from=here")).samples


async def test_openmetrics(bus: Bus) -> None:
    """Who asks for OpenMetrics gets it, with its end mark."""

    def ask() -> tuple[str | None, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", bus.metrics_port, timeout=10)
        client.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        answer = client.getresponse()
        found = answer.getheader("Content-Type"), answer.read()
        client.close()
        return found

    kind, body = await asyncio.to_thread(ask)
    assert (kind or "").startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


async def test_client_that_leaves(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    """A client that hangs up in the middle of its request is nothing to log, and the next one is served."""

    def hang_up() -> None:
        with socket.create_connection(("127.0.0.1", bus.metrics_port or 0)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            client.sendall(b"GET /met")

    await asyncio.to_thread(hang_up)
    assert (await scrape(bus)).value("titan_bus_connected") == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


class Crowd:
    """A collector that sees how many collect at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0

    def collect(self) -> list[Metric]:
        self._now += 1
        self.most = max(self.most, self._now)
        time.sleep(0.02)  # in a thread: whoever may come in does
        self._now -= 1
        return []


async def test_scrapes_take_turns(bus: Bus) -> None:
    """However many scrape at once, one of them works: the loop has the interpreter in between."""
    assert bus._maintenance._exporter is not None
    crowd = Crowd()
    bus._maintenance._exporter._registry.register(crowd)
    crowd.most = 0  # registering collects, too
    found = await asyncio.gather(*(scrape(bus) for _ in range(8)))
    assert [now.value("titan_bus_connected") for now in found] == [1] * 8
    assert crowd.most == 1


async def test_silent_client_holds_nobody_up(bus: Bus) -> None:
    """While one client says nothing, others are served, and the bus closes."""
    with socket.create_connection(("127.0.0.1", bus.metrics_port or 0)):
        assert (await scrape(bus)).value("titan_bus_connected") == 1
        await bus.close()


async def test_closed_with_the_bus(bus: Bus) -> None:
    """With the bus the port closes."""
    port = bus.metrics_port
    await bus.close()
    assert bus.metrics_port is None
    with pytest.raises(urllib.error.URLError, match="refused"):
        await asyncio.to_thread(fetch, port)


async def test_port_taken(redis_url: str, bus: Bus, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    """A port that another program has is an error with its cure, said once; the bus opens, and takes it later."""
    taken = bus.metrics_port or 0
    config = BusConfig(url=redis_url, metrics=MetricsConfig(port=taken, every_s=0.01))
    async with Bus(config) as second:
        assert second.metrics_port is None
        await second.publish(topic, "happened", {})
        await bus.close()
        await until(lambda: second.metrics_port == taken, "the port")
        assert (await scrape(second)).value(
            "titan_bus_messages_total", topic=topic, group="", status="published"
        )
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.levelno == logging.ERROR
    assert str(taken) in record.getMessage()
    assert "metrics.port" in record.getMessage()


async def test_host_that_is_none(redis_url: str, topic: str, caplog: pytest.LogCaptureFixture) -> None:
    """A host that is not this machine's is said, and the bus opens."""
    metrics = MetricsConfig(host="no such host.invalid")
    async with Bus(BusConfig(url=redis_url, metrics=metrics)) as bus:
        await bus.publish(topic, "happened", {})
        assert bus.metrics_port is None
    assert [record.levelname for record in caplog.records if "metrics" in record.getMessage()] == ["ERROR"]


async def test_server_that_is_not_there(server: Server) -> None:
    """A bus that cannot connect leaves no port behind, and may be opened again."""
    server.kill()
    bus = Bus(BusConfig(url=server.url, metrics=MetricsConfig(port=0)))
    with pytest.raises(BusUnavailableError):
        await bus.open()
    assert bus.metrics_port is None
    server.start()
    await bus.open()
    assert (await scrape(bus)).value("titan_bus_connected") == 1
    await bus.close()
