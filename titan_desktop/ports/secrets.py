"""The secrets that Titan keeps: for each endpoint of models its key, which no other endpoint is sent."""

from dataclasses import dataclass, field
from typing import Literal, Protocol


class SecretsUnavailableError(Exception):
    """There is no keyring, or it is locked and stays so.

    Attributes:
        reason: the keyring's own words.
        absent: this system has none, so no key can have been lost with it.
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
    """A key and where it is from. The value stays out of `repr`, so it stays out of logs."""

    value: str = field(repr=False)
    source: Literal["keyring", "environment"]


class Secrets(Protocol):
    """Reads and writes keys. All methods raise SecretsUnavailableError.

    `base_url` says whose the key is: its scheme, host and port count, not its path.
    """

    async def key(self, base_url: str) -> Key | None:
        """Return an endpoint's key; the environment's wins over the keyring's."""
        ...

    async def store(self, value: str, base_url: str) -> None:
        """Put an endpoint's key into the keyring, replacing the one there."""
        ...

    async def delete(self, base_url: str) -> bool:
        """Take an endpoint's key out of the keyring; say whether there was one."""
        ...
