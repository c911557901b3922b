"""The file of a unix socket: private to its owner, never taken from a running server, removed by its creator.

gRPC removes any socket of that name when it starts and when it stops. So it listens under a temporary name, and
the socket is renamed to its path once it is ready. One race remains: of two gRPC servers that start at the same
instant, the second to rename gets the path, and the first gets no calls.
"""

import contextlib
import os
import socket
import stat
from pathlib import Path

from titan_bus.errors import ConfigValueError


class SocketFile:
    """The path at which clients find a gRPC server.

    Attributes:
        made_at: the temporary path where gRPC listens first.
    """

    def __init__(self, path: Path) -> None:
        self.made_at = path.with_name(f"{path.name}~")
        self._path = path
        self._own: os.stat_result | None = None

    def check_free(self) -> None:
        """Check that no program listens there; a stale socket does not matter.

        Raises:
            ConfigValueError: a program listens there, or the path is no socket.
        """
        try:
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise self._refused("is there and is no socket: name another")
            with socket.socket(socket.AF_UNIX) as probe:
                probe.setblocking(False)  # a listener with a full queue would block us
                probe.connect(str(self._path))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise self._refused(f"cannot be used: {error.strerror}") from error
        raise self._refused("is taken, another program listens there: stop it, or name another")

    def move_into_place(self) -> None:
        """Set the mode of the socket that gRPC has created, and rename it.

        Raises:
            ConfigValueError: the system refuses.
        """
        try:
            self.made_at.chmod(0o600)
            self._own = self.made_at.lstat()
            self.made_at.replace(self._path)
        except OSError as error:
            raise self._refused(f"cannot be made: {error.strerror}") from error

    def remove(self) -> None:
        """Remove the socket, unless it belongs to another server by now."""
        with contextlib.suppress(OSError):
            if self._own is not None and os.path.samestat(self._own, self._path.lstat()):
                self._path.unlink()

    def _refused(self, detail: str) -> ConfigValueError:
        return ConfigValueError(f"listen unix:{self._path}", detail)
