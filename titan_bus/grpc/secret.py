"""The keys that verify tokens: a secret file that only its owner may read, created on first use; or public keys.

The algorithm belongs to the key, never to the token (RFC 8725, 3.1). So no token can ask for `none`, or pass off a
public key as an HMAC secret. Several keys may count at once: after `rotate` the former secret lies beside the new
one, as `jwt.secret.former`, and its tokens count until they end. A running server sees both within a second.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from titan_bus.errors import ConfigValueError, ExtraMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwt.algorithms import AllowedPublicKeys

SECRET_BYTES = 32
"""HS256 requires a key at least as long as its hash (RFC 7518, 3.2)."""
SECRET_VARIABLE = "TITAN_BUS_SECRET_FILE"  # noqa: S105 -- the name of a variable


LOOK_EVERY_S = 1.0
"""How often a server looks for another secret in the file."""

logger = logging.getLogger("titan_bus")


class Keys(Protocol):
    """The keys of a server: one `Key`, or `SharedKeys`, or `PublicKeys`."""

    def accepted(self) -> "Sequence[Key]":
        """Return the keys whose tokens count now."""
        ...


class Key(NamedTuple):
    """The key that verifies a signature, and the one algorithm that is accepted.

    Its `kid` (RFC 7515, 4.1.4) in a token says which of several keys to try; one that is unknown means any.
    """

    material: "bytes | AllowedPublicKeys"
    algorithm: str
    kid: str = ""

    def accepted(self) -> "tuple[Key, ...]":
        """Return itself."""
        return (self,)


class PublicKeys(NamedTuple):
    """Several public keys, of issuers or of one that changes its key."""

    keys: tuple[Key, ...]

    def accepted(self) -> tuple[Key, ...]:
        """Return all."""
        return self.keys


class SharedKeys:
    """The secret in a file, and the one before it."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigValueError: see `read`.
        """
        self._path = path
        self._keys = self._read()
        self._seen = self._state()
        self._looked_at = time.monotonic()
        self._fault = ""

    def accepted(self) -> tuple[Key, ...]:
        """Return the present secret and the former one. A file that cannot be read any more changes nothing."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._look()
        return self._keys

    def _look(self) -> None:
        if (state := self._state()) == self._seen:
            return
        try:
            self._keys = self._read()
        except ConfigValueError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                logger.warning("%s; the keys that were read before go on", error)
            return
        self._fault = ""
        self._seen = state if state is not None else self._state()
        logger.info("the secret in %s is another one now", self._path)

    def _read(self) -> tuple[Key, ...]:
        secrets_read = [read(self._path)]
        if (former := former_of(self._path)).exists():
            secrets_read.append(read(former))
        return tuple(Key(one, "HS256", kid_of(one)) for one in secrets_read)

    def _state(self) -> tuple[tuple[int, int], ...] | None:
        found = []
        for path in (self._path, former_of(self._path)):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_ino, status.st_mtime_ns))
        return tuple(found) or None


def default_path() -> Path:
    """Return the default path of the secret."""
    if given := os.environ.get(SECRET_VARIABLE):
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "titan-bus" / "jwt.secret"


def shared(path: Path) -> SharedKeys:
    """Return the keys in a secret file; see `read`."""
    return SharedKeys(path)


def former_of(path: Path) -> Path:
    """Return where the secret before this one lies."""
    return path.with_name(f"{path.name}.former")


def kid_of(material: bytes) -> str:
    """Return the name of a key: the beginning of its SHA-256, of a public one's SubjectPublicKeyInfo in DER."""
    return hashlib.sha256(material).hexdigest()[:16]


def rotate(path: Path) -> None:
    """Make a new secret. Tokens of the present one count until they end, those of the one before it no more.

    Raises:
        ConfigValueError: see `read`.
    """
    present = read(path)
    try:
        _replace(former_of(path), present)
        _replace(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    except OSError as error:
        raise ConfigValueError(f"secret {path}", f"cannot be replaced: {error.strerror}") from error


def read(path: Path) -> bytes:
    """Return the secret in a file. A missing file is created with a new secret and mode 0600.

    Raises:
        ConfigValueError: the file cannot be read or created, others may read it, or it is too short.
    """
    try:
        if not path.exists():
            _create(path)
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read().strip()
    except OSError as error:
        raise ConfigValueError(f"secret {path}", f"cannot be used: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigValueError(f"secret {path}", f"others may read it: chmod 600 {path}")
    if len(secret) < SECRET_BYTES:
        raise ConfigValueError(
            f"secret {path}", f"has to have {SECRET_BYTES} bytes or more; delete it for a new one"
        )
    return secret


def public(path: Path) -> Key:
    """Read a public key in PEM: RSA for RS256, Ed25519 for EdDSA.

    Raises:
        ConfigValueError: the file is no such key.
        ExtraMissingError: `cryptography` is not installed.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PublicFormat,
            load_pem_public_key,
        )
    except ImportError as error:
        raise ExtraMissingError("a public key", "grpc") from error
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigValueError(f"public key {path}", f"cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigValueError(f"public key {path}", "is no public key in PEM") from error
    kid = kid_of(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    if isinstance(key, rsa.RSAPublicKey):
        return Key(key, "RS256", kid)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Key(key, "EdDSA", kid)
    raise ConfigValueError(f"public key {path}", "has to be of RSA or Ed25519")


def _create(path: Path) -> None:
    """Create a secret file atomically. When two programs try at once, one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = _beside(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()


def _replace(path: Path, secret: bytes) -> None:
    """Put a secret into a file atomically."""
    _beside(path, secret).replace(path)


def _beside(path: Path, secret: bytes) -> Path:
    """Write a secret into a new file of the same folder, with mode 0600."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jwt-")
    with os.fdopen(handle, "wb") as file:
        file.write(secret + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
