"""The one secret that Titan keeps: the key of the model's endpoint."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


class SecretsUnavailableError(Exception):
    """There is no keyring, or it is locked and stays so.

    Attributes:
        reason: the keyring's own words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The system's keyring cannot be used: {reason}. Unlock it, or install one (GNOME Keyring, KWallet),"
            " or set the environment variable OPENAI_API_KEY before starting Titan."
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it is from. The value stays out of `repr`, so it stays out of logs."""

    value: str = field(repr=False)
    source: Literal["keyring", "environment"]


class Secrets(Protocol):
    """Reads and writes the key. All raise SecretsUnavailableError."""

    async def key(self) -> Key | None:
        """Return the key; the environment's wins over the keyring's."""
        ...

    async def store(self, value: str) -> None:
        """Put the key into the keyring, replacing the one there."""
        ...

    async def delete(self) -> bool:
        """Take the key out of the keyring; say whether there was one."""
        ...
