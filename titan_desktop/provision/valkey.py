"""The embedded Redis: Valkey on a unix socket that its owner alone may open, with an append-only file."""

import contextlib
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from titan_desktop.contracts.problem import Code
from titan_desktop.provision import binaries
from titan_desktop.provision.account import Account
from titan_desktop.provision.server import Runner, end
from titan_desktop.system import private_files

if TYPE_CHECKING:
    import subprocess

STOP_PATIENCE_S = 5.0


class Valkey:
    """Implements `server.Server`.

    Args:
        folder: its append-only files.
        log: its log.
        sockets: the folder for its socket.
    """

    store = "redis"
    account: Account | None = None
    death_signal = signal.SIGTERM

    def __init__(self, folder: Path, log: Path, sockets: Path) -> None:
        self.folder = folder
        self.log = log
        self._socket = sockets / "valkey.sock"
        self.failed = Code.REDIS_FAILED
        self.url = f"unix://{quote(str(self._socket))}"

    def prepare(self, runner: Runner) -> list[str]:
        """Return the command line; Valkey itself replaces the socket that a killed one left."""
        del runner
        private_files.own_folder(self.folder)
        private_files.own_folder(self._socket.parent)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "600",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
        }
        return [
            str(binaries.valkey_server()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]

    def is_ready(self, pid: int) -> bool:
        """Send PING: while the append-only file is being read the reply is -LOADING."""
        del pid
        if sys.platform != "win32":  # where there is no Valkey either
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1.0)
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        return False

    def serves(self, runner: Runner) -> None:
        """Nothing to clean up."""

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Stop it: SIGTERM writes the append-only file and ends."""
        end(process, [(signal.SIGTERM, STOP_PATIENCE_S)])

    def abandon(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill it: on SIGTERM it would remove the socket of the next one."""
        end(process, [])
