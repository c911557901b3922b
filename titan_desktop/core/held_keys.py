"""Keys in the core's memory: given for as long as it runs, or decrypted from the key file.

They take precedence over the keyring, and are gone with the process.
"""

import asyncio

from titan_desktop.adapters.key_file.store import KeyFile, KeyFileDamagedError
from titan_desktop.ports.secrets import (
    Key,
    Secrets,
    SecretsDamagedError,
    SecretsLockedError,
    SecretsUnavailableError,
)
from titan_desktop.settings import origin


class HeldKeys:
    """`Secrets` for the core: its own, then those of `secrets`.

    Args:
        secrets: the keyring and the environment.
        file: the keys under a password.
    """

    def __init__(self, secrets: Secrets, file: KeyFile) -> None:
        self._secrets = secrets
        self._file = file
        self._held: dict[str, Key] = {}

    def hold(self, base_url: str, value: str) -> None:
        """Keep an endpoint's key until this process ends; "" drops the key that is held for it."""
        self._held.pop(origin(base_url), None)
        if value:
            self._held[origin(base_url)] = Key(value, "memory")

    async def unlock(self, password: str) -> None:
        """Decrypt the file; its keys replace those held for the same origins.

        Raises:
            WrongPasswordError, KeyFileDamagedError: it stays closed.
        """
        opened = await asyncio.to_thread(self._file.unlock, password)
        self._held |= {belongs_to: Key(value, "file") for belongs_to, value in opened.items()}

    async def key(self, base_url: str) -> Key | None:
        """See `Secrets.key`.

        Raises:
            SecretsLockedError: it is in the file, which nobody has unlocked.
            SecretsDamagedError: there is no other, and the file cannot be read.
        """
        if held := self._held.get(origin(base_url)):
            return held
        try:
            if found := await self._secrets.key(base_url):
                return found
        except SecretsUnavailableError as error:
            if await self._is_locked(base_url):
                raise SecretsLockedError(error.reason) from error
            raise
        if await self._is_locked(base_url):
            raise SecretsLockedError("the key is under a password")
        return None

    async def store(self, value: str, base_url: str) -> None:
        """See `Secrets.store`."""
        await self._secrets.store(value, base_url)

    async def delete(self, base_url: str) -> bool:
        """See `Secrets.delete`."""
        self._held.pop(origin(base_url), None)
        return await self._secrets.delete(base_url)

    async def _is_locked(self, base_url: str) -> bool:
        try:
            return origin(base_url) in await asyncio.to_thread(self._file.origins)
        except KeyFileDamagedError as error:
            raise SecretsDamagedError(str(error.path)) from error
