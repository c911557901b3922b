"""What an archive in S3 does about the network between."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from titan_bus.archive.s3 import S3Store
from titan_bus.errors import StoreError


class Server(ThreadingHTTPServer):
    """Takes everything, or sends it on to `elsewhere`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.elsewhere = elsewhere
        self.asked: list[tuple[str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.path, body))
        self.send_response(307 if self.server.elsewhere else 200)
        self.send_header("Location", self.server.elsewhere + self.path)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def store_at(server: Server) -> S3Store:
    keys = {"access_key_id": "a", "secret_access_key": "s", "region": "us-east-1"}
    return S3Store("s3://bucket", {"endpoint": server.url, **keys})


async def test_a_store_on_this_machine_is_reached_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive has what people said; a proxy would look for the store on its own machine."""
    with ExitStack() as stack:
        store, proxy = (stack.enter_context(serving(Server())) for _ in range(2))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await store_at(store).put("segment", b"what was said")
    assert store.asked == [("/bucket/segment", b"what was said")]
    assert not proxy.asked


async def test_no_segment_follows_a_redirect() -> None:
    """Another store is not the one that was named."""
    with ExitStack() as stack:
        other = stack.enter_context(serving(Server()))
        store = stack.enter_context(serving(Server(other.url)))
        with pytest.raises(StoreError):
            await store_at(store).put("segment", b"what was said")
    assert not other.asked
