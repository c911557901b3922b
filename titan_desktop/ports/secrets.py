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


@dataclass(frozen=True, slots=True)
class Key:
    """A key and its origin. The value stays out of `repr`, and so out of logs."""

    value: str = field(repr=False)
    source: Literal["keyring", "environment"]


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
