"""Where the gRPC server listens: on loopback or a unix socket; on other addresses only with TLS."""

import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from titan_bus.config.schema import PORT_MAX
from titan_bus.errors import ConfigValueError

DEFAULT = "127.0.0.1:50051"
UNIX = "unix:"
SOCKET_BYTES_MAX = 100
"""Less than the systems allow (Linux 107, macOS 103), because the socket's first name is longer, see
`socket_file`."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A permitted address, in gRPC's notation, and its TLS files.

    Attributes:
        address: `host:port`, port 0 for any free one; `unix:/path`.
        certificate: a chain in PEM, or None.
        private_key: its key in PEM, or None.
    """

    address: str
    certificate: bytes | None = None
    private_key: bytes | None = None

    @classmethod
    def on(
        cls, address: str = DEFAULT, certificate: Path | None = None, private_key: Path | None = None
    ) -> "Listening":
        """Check an address. It blocks: call it at a program's start.

        Raises:
            ConfigValueError: it is malformed, open to other machines without TLS, or a file cannot be read.
        """
        if (certificate is None) != (private_key is None):
            raise ConfigValueError("tls", "needs both, a certificate and its key")
        if not address.startswith(UNIX):
            host = _host(address)
            if certificate is None and not _is_loopback(host):
                raise ConfigValueError(
                    f"listen {address}",
                    "other machines would send their tokens unencrypted: listen on 127.0.0.1 or unix:/path, "
                    "or give --cert and --key",
                )
        else:
            _check_socket_path(address)
        if certificate is None or private_key is None:
            return cls(address)
        return cls(address, *_pair(certificate, private_key))

    @property
    def socket(self) -> Path | None:
        """The path of the unix socket, None for other addresses."""
        return Path(self.address.removeprefix(UNIX)) if self.address.startswith(UNIX) else None


def _check_socket_path(address: str) -> None:
    """Refuse a socket path for which gRPC would only report that it cannot listen."""
    path = address.removeprefix(UNIX)
    folder = Path(path).parent
    if not path.startswith("/"):
        detail = "a socket is named by its whole path: unix:/run/bus.sock"
    elif len(os.fsencode(path)) > SOCKET_BYTES_MAX:
        detail = f"a socket's path has {SOCKET_BYTES_MAX} bytes at most: take a shorter one"
    elif not folder.is_dir():
        detail = f"there is no folder {folder}: make it first"
    elif not os.access(folder, os.W_OK | os.X_OK):
        detail = f"nothing can be made in {folder}: let this user write there, or name another"
    else:
        return
    raise ConfigValueError(f"listen {address}", detail)


def _host(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > PORT_MAX:
        raise ConfigValueError(f"listen {address}", "has to be host:port, [::1]:port, or unix:/path")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ConfigValueError(f"listen {address}", f"an IPv6 address stands in brackets: [{host}]:{port}")
    return host[1:-1] if bracketed else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"  # any other name may resolve to another address later


def _pair(certificate: Path, private_key: Path) -> tuple[bytes, bytes]:
    """Return both files after checking that they match. Otherwise gRPC would only report that it cannot listen."""
    try:
        pair = certificate.read_bytes(), private_key.read_bytes()
    except OSError as error:
        raise ConfigValueError(f"tls {error.filename}", f"cannot be read: {error.strerror}") from error
    try:
        # An empty password: a key that needs one is refused, and OpenSSL does not prompt at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, password="")
    except (ssl.SSLError, ValueError) as error:
        detail = "are no certificate and its key in PEM, or the key has a password"
        raise ConfigValueError(f"tls {certificate}, {private_key}", detail) from error
    return pair
