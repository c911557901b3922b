"""Serves Prometheus: GET /metrics on a port of this machine, in threads beside the loop.

A port that is not available does not stop the bus: it is logged and tried again with each round, so a program that
follows one which is still closing gets the port a little later.
"""

import asyncio
import logging
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from titan_bus.config import MetricsConfig
from titan_bus.connections.connection import Connection
from titan_bus.observability.counters import Counters
from titan_bus.observability.metrics.collector import BusCollector
from titan_bus.observability.metrics.figures import Watch

POLL_S = 0.1
"""How soon the serving thread notices that it must end."""
CLIENT_TIMEOUT_S = 5.0

logger = logging.getLogger("titan_bus")


class Exporter:
    """Serves the metrics of one bus. Call `open` once, then `round` repeatedly, `close` once.

    Attributes:
        port: the actual port, also when `config.port` is 0; None while there is none.
    """

    def __init__(self, config: MetricsConfig, connection: Connection, counters: Counters) -> None:
        self.port: int | None = None
        self._config = config
        self._watch = Watch(connection, counters, config.every_s)
        self._registry = CollectorRegistry()
        self._registry.register(
            BusCollector(counters, lambda: self._watch.latest, lambda: connection.connected)
        )
        self._door: _Door | None = None
        self._said = False

    async def open(self) -> None:
        """Start serving. A port that is not available is logged as an error, and tried again by `round`."""
        try:
            self._door = await asyncio.to_thread(_Door, self._config.host, self._config.port, self._registry)
        except (OSError, UnicodeError) as error:
            if not self._said:
                self._said = True
                logger.error(  # noqa: TRY400 -- the sentence is complete, a traceback would hide the cure
                    "metrics cannot be served on %s port %d (%s): give metrics.port another number, or 0 for any "
                    "that is free; the bus goes on without, and tries again",
                    self._config.host, self._config.port, error,
                )  # fmt: skip
            return
        self.port = self._door.server_port
        self._door.start()
        logger.info("metrics are on %s port %d", self._config.host, self.port)

    async def round(self) -> None:
        """Fetch the server's figures, then wait."""
        if self._door is None:
            await self.open()
        await self._watch.round()

    async def close(self) -> None:
        """Stop serving, within a tenth of a second."""
        door, self._door, self.port = self._door, None, None
        if door is not None:
            await asyncio.to_thread(door.stop)


class _Door(ThreadingHTTPServer):
    """The listening socket and the thread that serves it."""

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # where it would let two programs have one port

    def __init__(self, host: str, port: int, registry: CollectorRegistry) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.registry = registry
        self.encoding = threading.Lock()
        """Allows one scrape at a time: each concurrent one would delay the loop as much again."""
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(POLL_S,), name="titan_bus metrics", daemon=True
        )

    def server_bind(self) -> None:
        """Bind without the DNS look-up of HTTPServer, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_port = self.server_address[1]

    def start(self) -> None:
        """Serve until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port. Blocks for up to POLL_S."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Log an error of a request; a client that disconnected is not an error."""
        error = sys.exception()
        if not isinstance(error, OSError):
            logger.error("metrics: a request failed", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    """GET /metrics, and nothing else."""

    server: _Door
    server_version = "titan_bus"
    sys_version = ""
    timeout = CLIENT_TIMEOUT_S

    def do_GET(self) -> None:
        """Send the metrics in the format that the client asks for."""
        if urlsplit(self.path).path != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND, "The metrics are at /metrics")
            return
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        with self.server.encoding:
            body = encode(self.server.registry)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name of the base class
        """Log no request: there is one every few seconds."""
