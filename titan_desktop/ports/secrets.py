"""Stored secrets: a key for each model endpoint, sent to no other endpoint."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


class SecretsUnavailableError(Exception):
    """There is no keyring, or it stays locked.

    Attributes:
        reason: the keyring's message.
        absent: this system has none, so no key can be in it.
    """

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(
            f"The system's keyring cannot be used: {reason}. Unlock it, or install one (GNOME Keyring, KWallet),"
            " or set the environment variable OPENAI_API_KEY before starting Titan."
        )
        self.reason = reason
        self.absent = absent


class SecretsLockedError(SecretsUnavailableError):
    """The endpoint's key is in a file under a password, which was not given yet."""


class SecretsDamagedError(SecretsUnavailableError):
    """The file of keys cannot be read. `reason` is its path."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it is from. The value stays out of `repr`, and so out of logs.

    Attributes:
        source: `memory`: given for as long as the core runs; `file`: sealed under a password.
    """

    value: str = field(repr=False)
    source: Literal["keyring", "environment", "memory", "file"]


class Secrets(Protocol):
    """Reads and writes keys. All methods raise SecretsUnavailableError.

    `base_url` identifies the endpoint by its scheme, host and port; the path is ignored.
    """

    async def key(self, base_url: str) -> Key | None:
        """Return an endpoint's key; the environment's has precedence over the keyring's."""
        ...

    async def store(self, value: str, base_url: str) -> None:
        """Store an endpoint's key in the keyring, replacing an old one."""
        ...

    async def delete(self, base_url: str) -> bool:
        """Delete an endpoint's key from the keyring. Returns whether there was one."""
        ...
