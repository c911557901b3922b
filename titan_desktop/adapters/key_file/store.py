"""The keys of endpoints in one file, each encrypted under a password: for systems without a keyring.

`titan key` writes the file, the core decrypts it. The encryption key is derived from the password by Argon2id
(RFC 9106, second recommended option). ChaCha20-Poly1305 (RFC 8439) encrypts each endpoint's key and authenticates
its origin, so nobody who can write the file can move a key to another address. Origins are readable, so that
Titan can say which keys are locked. Every method blocks; deriving takes about a tenth of a second.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from titan_desktop.settings import origin
from titan_desktop.system import private_files

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_MEMORY_KIB, _ITERATIONS, _LANES = 65_536, 3, 4
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


class KeyFileError(Exception):
    """The root of these errors.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class WrongPasswordError(KeyFileError):
    """The password is not the one under which the keys were sealed, or somebody changed the file."""


class KeyFileDamagedError(KeyFileError):
    """The file was not written by this or any other version."""


class _Stretching(msgspec.Struct, frozen=True):
    """The parameters of the key derivation. Bounded, because the file may have been changed."""

    salt: bytes
    memory_kib: Annotated[int, msgspec.Meta(ge=8_192, le=1_048_576)] = _MEMORY_KIB
    iterations: Annotated[int, msgspec.Meta(ge=1, le=20)] = _ITERATIONS
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = _LANES


class _Sealed(msgspec.Struct, frozen=True):
    nonce: bytes
    text: bytes


class _Content(msgspec.Struct, frozen=True):
    argon2id: _Stretching
    keys: dict[str, _Sealed] = {}
    version: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1


class KeyFile:
    """The file at `path`, which need not exist.

    Args:
        path: in a folder that is made when it is missing.
        memory_kib: what stretching a new file's password takes; less is for tests.
    """

    def __init__(self, path: Path, *, memory_kib: int = _MEMORY_KIB) -> None:
        self._path = path
        self._memory_kib = memory_kib

    def origins(self) -> frozenset[str]:
        """Return the origins that have a key in the file.

        Raises:
            KeyFileDamagedError: it cannot be read.
        """
        content = self._read()
        return frozenset(content.keys) if content else frozenset()

    def unlock(self, password: str) -> dict[str, str]:
        """Return the keys by their origin.

        Raises:
            WrongPasswordError, KeyFileDamagedError: there is none to be had.
        """
        content = self._read()
        return self._opened(content, password)[1] if content else {}

    def store(self, password: str, value: str, base_url: str) -> None:
        """Encrypt an endpoint's key, replacing an old one. All keys have one password.

        Raises:
            WrongPasswordError, KeyFileDamagedError: what is there cannot be opened.
            OSError: the file cannot be written.
        """
        content = self._read() or _Content(_Stretching(os.urandom(_SALT_BYTES), self._memory_kib))
        cipher, _ = self._opened(content, password)
        nonce = os.urandom(_NONCE_BYTES)
        belongs_to = origin(base_url)
        sealed = _Sealed(nonce, cipher.encrypt(nonce, value.encode(), belongs_to.encode()))
        self._write(msgspec.structs.replace(content, keys={**content.keys, belongs_to: sealed}))

    def delete(self, base_url: str) -> bool:
        """Remove an endpoint's key, without a password. Returns whether there was one.

        Raises:
            KeyFileDamagedError, OSError: the file cannot be read or written.
        """
        content = self._read()
        if content is None or origin(base_url) not in content.keys:
            return False
        left = {name: sealed for name, sealed in content.keys.items() if name != origin(base_url)}
        if left:
            self._write(msgspec.structs.replace(content, keys=left))
        else:  # the next one may have another password
            self._path.unlink()
        return True

    def _opened(self, content: _Content, password: str) -> tuple["ChaCha20Poly1305", dict[str, str]]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        how = content.argon2id
        try:
            stretched = Argon2id(
                salt=how.salt,
                length=_KEY_BYTES,
                iterations=how.iterations,
                lanes=how.lanes,
                memory_cost=how.memory_kib,
            ).derive(password.encode())
            cipher = ChaCha20Poly1305(stretched)
            opened = {
                belongs_to: cipher.decrypt(sealed.nonce, sealed.text, belongs_to.encode()).decode()
                for belongs_to, sealed in content.keys.items()
            }
        except InvalidTag as error:
            raise WrongPasswordError(self._path) from error
        except ValueError as error:  # a salt or nonce of another length
            raise KeyFileDamagedError(self._path) from error
        return cipher, opened

    def _read(self) -> _Content | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise KeyFileDamagedError(self._path) from error

    def _write(self, content: _Content) -> None:
        private_files.make_folder(self._path.parent)
        private_files.replace(self._path, msgspec.json.encode(content).decode())
