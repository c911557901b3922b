"""Where the gRPC server listens: loopback or a unix socket; beyond this machine only with TLS."""

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
"""A little less than the systems take (Linux 107, macOS 103): its first name is longer, see `socket_file`."""


@dataclass(frozen=True, slots=True)
class Listening:
    """An address that is allowed, as gRPC names it, and what TLS needs.

    Attributes:
        address: `host:port`, port 0 for any that is free; `unix:/path`.
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
        """Check an address; meant for a program's start, where nothing waits.

        Raises:
            ConfigValueError: it is none, it would let other machines in without TLS, or a file cannot be read.
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
            _see_that_it_can_be_made(address)
        if certificate is None or private_key is None:
            return cls(address)
        return cls(address, *_pair(certificate, private_key))

    @property
    def socket(self) -> Path | None:
        """The unix socket's path, if it is one."""
        return Path(self.address.removeprefix(UNIX)) if self.address.startswith(UNIX) else None


def _see_that_it_can_be_made(address: str) -> None:
    """Refuse a socket's address of which gRPC would say only that it cannot listen."""
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
        return host == "localhost"  # any other name may come to mean another address


def _pair(certificate: Path, private_key: Path) -> tuple[bytes, bytes]:
    """Return both files, which go together. gRPC would say of others only that it cannot listen."""
    try:
        pair = certificate.read_bytes(), private_key.read_bytes()
    except OSError as error:
        raise ConfigValueError(f"tls {error.filename}", f"cannot be read: {error.strerror}") from error
    try:
        # An empty password: a key that needs one is refused, and nobody is asked at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, password="")
    except (ssl.SSLError, ValueError) as error:
        detail = "are no certificate and its key in PEM, or the key has a password"
        raise ConfigValueError(f"tls {certificate}, {private_key}", detail) from error
    return pair
