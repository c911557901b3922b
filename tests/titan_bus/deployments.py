"""Several real servers that belong together: a primary with replicas and Sentinels, or a cluster."""

import contextlib
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis

from tests import servers

START_S = 30.0
NAME = "main"


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody has now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Node:
    """A server on a port of loopback that a test may kill, freeze and start again."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.port = port
        self.folder = folder / str(port)
        self.folder.mkdir()
        self._command = [servers.valkey_binary(), *options]
        self.process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder
        )
        eventually(self._listens, f"a server on {self.address}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ask(self, *words: str | bytes | int) -> Any:
        """Send one command on a connection of its own; an error reply is returned, not raised."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub means a tuple of one
            reader = hiredis.Reader(encoding="utf-8")
            while (reply := reader.gets()) is False:
                data = connection.recv(65_536)
                if not data:
                    raise ConnectionResetError(self.address)
                reader.feed(data)
            return reply

    def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.ask("PING") == "PONG")
        return False


def data_node(folder: Path, port: int, *options: str) -> Node:
    return Node(
        folder, port, "--port", str(port), "--bind", "127.0.0.1", "--appendonly", "yes", "--save", "",
        "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", *options,
    )  # fmt: skip


class SentinelDeployment:
    """A primary, two replicas, three Sentinels with a quorum of two; `nodes[0]` is the first primary."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(6)
        replica_of = ["--replicaof", f"127.0.0.1 {ports[0]}"]
        self.nodes = [
            data_node(folder, port, "--min-replicas-to-write", "1", *(replica_of if port != ports[0] else []))
            for port in ports[:3]
        ]
        ids = {port: secrets.token_hex(20) for port in ports[3:]}
        self.sentinels = [self._sentinel(folder, port, ids) for port in ids]

    def _sentinel(self, folder: Path, port: int, ids: dict[int, str]) -> Node:
        file = folder / f"sentinel-{port}.conf"
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"sentinel monitor {NAME} 127.0.0.1 {self.nodes[0].port} 2",
            f"sentinel down-after-milliseconds {NAME} 300",
            f"sentinel failover-timeout {NAME} 3000",
            f"sentinel myid {ids[port]}",
        ]
        # They would find all this by themselves, in some seconds.
        lines += [f"sentinel known-replica {NAME} 127.0.0.1 {node.port}" for node in self.nodes[1:]]
        lines += [
            f"sentinel known-sentinel {NAME} 127.0.0.1 {other} {ids[other]}" for other in ids if other != port
        ]
        file.write_text("\n".join(lines) + "\n", "ascii")
        return Node(folder, port, str(file), "--sentinel")

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(sentinel.address for sentinel in self.sentinels)}/{NAME}"

    def start(self) -> None:
        for node in (*self.nodes, *self.sentinels):
            node.start()
        eventually(lambda: self.nodes[0].ask("WAIT", 2, 100) == 2, "two replicas")
        eventually(
            lambda: all(str(s.ask("SENTINEL", "CKQUORUM", NAME)).startswith("OK") for s in self.sentinels),
            "a quorum",
        )
        eventually(lambda: all(self._knows_replicas(s) for s in self.sentinels), "the replicas are known")

    def _knows_replicas(self, sentinel: Node) -> bool:
        rows = sentinel.ask("SENTINEL", "REPLICAS", NAME)
        return len(rows) == 2 and all(
            dict(zip(row[::2], row[1::2], strict=True)).get("master-link-status") == "ok" for row in rows
        )

    def primary(self) -> Node:
        """Return what most sentinels say."""
        said = [
            int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1]) for sentinel in self.sentinels
        ]
        port = max(set(said), key=said.count)
        return next(node for node in self.nodes if node.port == port)

    def stop(self) -> None:
        for node in (*self.sentinels, *self.nodes):
            if hasattr(node, "process"):
                node.thaw()
                node.kill()


class ClusterDeployment:
    """Three primaries with a third of the slots each, and a replica of the first."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(8)
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "500"]
        options += ["--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"]
        options += ["--enable-debug-command", "local"]  # a test cuts a node off with it
        self.nodes = [
            data_node(folder, port, *options, "--cluster-port", str(bus_port))
            for port, bus_port in zip(ports[:4], ports[4:], strict=True)
        ]
        self._bus_ports = ports[4:]

    @property
    def url(self) -> str:
        return f"redis+cluster://{self.nodes[0].address},{self.nodes[1].address}/"

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        for number, (first, last) in enumerate(((0, 5_460), (5_461, 10_922), (10_923, 16_383))):
            assert self.nodes[number].ask("CLUSTER", "ADDSLOTSRANGE", first, last) == "OK"
            assert self.nodes[number].ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1) == "OK"
        for node, bus_port in zip(self.nodes[1:], self._bus_ports[1:], strict=True):
            assert self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, bus_port) == "OK"
        eventually(lambda: all(self._met(node) for node in self.nodes), "the nodes know each other")
        assert self.nodes[3].ask("CLUSTER", "REPLICATE", self.node_id(0)) == "OK"
        eventually(lambda: self.nodes[0].ask("WAIT", 1, 100) == 1, "the replica")
        eventually(lambda: all(self._knows_replica(node) for node in self.nodes), "the replica is known")

    def node_id(self, number: int) -> str:
        return str(self.nodes[number].ask("CLUSTER", "MYID"))

    def stop(self) -> None:
        for node in self.nodes:
            if hasattr(node, "process"):
                node.thaw()
                node.kill()

    def _met(self, node: Node) -> bool:
        state = node.ask("CLUSTER", "INFO")
        return (
            "cluster_state:ok" in state
            and "cluster_known_nodes:4" in state
            and len(node.ask("CLUSTER", "SLOTS")) == 3
        )

    def _knows_replica(self, node: Node) -> bool:
        return any(len(row) > 3 for row in node.ask("CLUSTER", "SLOTS"))


@contextlib.contextmanager
def running(kind: type[SentinelDeployment] | type[ClusterDeployment]) -> Iterator[Any]:
    """Run a deployment of this kind; its servers are killed at the end."""
    with servers.short_folder() as folder:
        deployment = kind(folder)
        try:
            deployment.start()
            yield deployment
        finally:
            deployment.stop()


def eventually(true: Any, what: str) -> None:
    """Ask again and again until something holds."""
    deadline = time.monotonic() + START_S
    while not true():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)
