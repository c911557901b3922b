"""A SOCKS 5 proxy that leads every connection to one place, and tells where each was meant to go (RFC 1928)."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator


class _Handler(socketserver.BaseRequestHandler):
    server: "SocksServer"

    def handle(self) -> None:
        client: socket.socket = self.request
        self._read(self._read(2)[1])
        client.sendall(b"\x05\x00")
        kind = self._read(4)[3]
        host = self._read(self._read(1)[0] if kind == 3 else 4)
        port = int.from_bytes(self._read(2), "big")
        self.server.asked.append((host.decode() if kind == 3 else socket.inet_ntoa(host), port))
        with socket.create_connection(self.server.leads_to) as target:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            back = threading.Thread(target=_pass_on, args=(target, client), daemon=True)
            back.start()
            _pass_on(client, target)
            back.join(5)

    def _read(self, count: int) -> bytes:
        read = b""
        while len(read) < count and (more := self.request.recv(count - len(read))):
            read += more
        return read


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


class SocksServer(socketserver.ThreadingTCPServer):
    """The proxy; `asked` is what its clients asked for."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, leads_to: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leads_to = leads_to
        self.asked: list[tuple[str, int]] = []


@contextlib.contextmanager
def serve_socks(leads_to: tuple[str, int]) -> Iterator[SocksServer]:
    """Run one in a thread."""
    server = SocksServer(leads_to)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
