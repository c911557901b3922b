"""The file of a unix socket: only its owner's, never taken from who listens there, gone with who made it.

gRPC removes the socket of that name when it begins to listen and once more when it ends, whoever made it. So it
gets a name of its own, and the socket is moved to where clients look for it once it is ready. What is left: of two
gRPC servers that begin in the same instant, the second to move has the name, and the first gets no calls.
"""

import contextlib
import os
import socket
import stat
from pathlib import Path

from titan_bus.errors import ConfigValueError


class SocketFile:
    """Where clients find a gRPC server.

    Attributes:
        made_at: where gRPC listens at first.
    """

    def __init__(self, path: Path) -> None:
        self.made_at = path.with_name(f"{path.name}~")
        self._path = path
        self._own: os.stat_result | None = None

    def see_that_it_is_free(self) -> None:
        """See that nobody listens there; a socket that was left behind is no hindrance.

        Raises:
            ConfigValueError: somebody does, or something else has the name.
        """
        try:
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise self._refused("is there and is no socket: name another")
            with socket.socket(socket.AF_UNIX) as probe:
                probe.setblocking(False)  # a listener whose queue is full would keep us waiting
                probe.connect(str(self._path))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise self._refused(f"cannot be used: {error.strerror}") from error
        raise self._refused("is taken, another program listens there: stop it, or name another")

    def take(self) -> None:
        """Give the socket that gRPC has made its mode and its name.

        Raises:
            ConfigValueError: the system does not let us.
        """
        try:
            self.made_at.chmod(0o600)
            self._own = self.made_at.lstat()
            self.made_at.replace(self._path)
        except OSError as error:
            raise self._refused(f"cannot be made: {error.strerror}") from error

    def leave(self) -> None:
        """Remove it, unless another has its name by now."""
        with contextlib.suppress(OSError):
            if self._own is not None and os.path.samestat(self._own, self._path.lstat()):
                self._path.unlink()

    def _refused(self, detail: str) -> ConfigValueError:
        return ConfigValueError(f"listen unix:{self._path}", detail)
