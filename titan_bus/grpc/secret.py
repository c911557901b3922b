"""The key that verifies tokens: a secret file that only its owner may read, created on first use; or a public key.

The algorithm belongs to the key, never to the token (RFC 8725, 3.1). So no token can ask for `none`, or pass off a
public key as an HMAC secret.
"""

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from titan_bus.errors import ConfigValueError, ExtraMissingError

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

SECRET_BYTES = 32
"""HS256 requires a key at least as long as its hash (RFC 7518, 3.2)."""
SECRET_VARIABLE = "TITAN_BUS_SECRET_FILE"  # noqa: S105 -- the name of a variable


class Key(NamedTuple):
    """The key that verifies a signature, and the one algorithm that is accepted."""

    material: "bytes | AllowedPublicKeys"
    algorithm: str


def default_path() -> Path:
    """Return the default path of the secret."""
    if given := os.environ.get(SECRET_VARIABLE):
        return Path(given)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "titan-bus" / "jwt.secret"


def shared(path: Path) -> Key:
    """Return the key in a secret file; see `read`."""
    return Key(read(path), "HS256")


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
    """Return a public key in PEM: RSA for RS256, Ed25519 for EdDSA.

    Raises:
        ConfigValueError: the file is no such key.
        ExtraMissingError: `cryptography` is not installed.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise ExtraMissingError("a public key", "grpc") from error
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigValueError(f"public key {path}", f"cannot be read: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigValueError(f"public key {path}", "is no public key in PEM") from error
    if isinstance(key, rsa.RSAPublicKey):
        return Key(key, "RS256")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Key(key, "EdDSA")
    raise ConfigValueError(f"public key {path}", "has to be of RSA or Ed25519")


def _create(path: Path) -> None:
    """Create a secret file atomically. When two programs try at once, one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".jwt-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)  # noqa: PTH108 -- the name as mkstemp returned it
