"""The key of an encrypted backup: made for that file, and kept in it under the person's password.

The content is encrypted for a new X25519 key, and that key by a passphrase, both in the age format
(age-encryption.org/v1; pyrage is its implementation in Rust). So the core encrypts without ever learning the
password, and the `age` program opens a backup, too.
"""

import base64
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyrage.x25519 import Identity


class WrongPasswordError(Exception):
    """The password is not the one of this backup, or somebody changed the file."""


class BackupKey(NamedTuple):
    """What the core gets: the public key, and the private one as only the password opens it."""

    recipient: str
    sealed_key: str


def new(password: str) -> BackupKey:
    """Make a key. Blocks for about a second, so that guessing passwords takes long."""
    from pyrage import passphrase, x25519

    identity = x25519.Identity.generate()
    sealed = passphrase.encrypt(str(identity).encode(), password)
    return BackupKey(str(identity.to_public()), base64.b64encode(sealed).decode())


def unseal(sealed_key: str, password: str) -> "Identity":
    """Return the private key. Blocks for about a second.

    Raises:
        WrongPasswordError: this password does not open it.
    """
    from pyrage import DecryptError, IdentityError, passphrase, x25519

    try:
        opened = passphrase.decrypt(base64.b64decode(sealed_key), password)
        return x25519.Identity.from_str(opened.decode())
    except (DecryptError, IdentityError, ValueError) as error:
        raise WrongPasswordError from error
