"""Keys in the system's keyring, through the `keyring` package: `ports.secrets.Secrets`.

The import takes 0.3 s and a locked keyring may wait for its owner's password, so every call runs in a thread of
its own that nobody has to wait for at the end: a daemon, as the default executor's threads are joined at exit.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from titan_desktop.ports.secrets import Key, SecretsUnavailableError
from titan_desktop.settings import SettingsError, is_on_this_machine, load, origin, origin_of_key

SERVICE = "titan"
VARIABLE = "OPENAI_API_KEY"
"""Its key is sent to one origin alone (`settings.origin_of_key`), and to those that the settings name."""
TIMEOUT_S = 60.0
"""Enough to type the password that unlocks a keyring."""

T = TypeVar("T")


class KeyringSecrets:
    """`Secrets` over whatever keyring the system recommends or the person has configured.

    Args:
        environment: may have a key.
        settings_file: says which servers on this machine that is meant for; None for none of them.
        timeout_s: until a keyring that does not answer is given up.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        settings_file: Path | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._environment = environment
        self._settings_file = settings_file
        self._timeout_s = timeout_s

    async def key(self, base_url: str) -> Key | None:
        """See `Secrets.key`."""
        value = self._environment.get(VARIABLE, "").strip()
        if value and await self._is_meant_for(base_url):
            return Key(value, "environment")
        entry = entry_of(base_url)
        found = await self._call(lambda ring: ring.get_password(SERVICE, entry))
        return Key(found, "keyring") if found else None

    async def _is_meant_for(self, base_url: str) -> bool:
        """Return whether an endpoint gets the environment's key."""
        if origin(base_url) == origin_of_key(self._environment) and not is_on_this_machine(base_url):
            return True
        if self._settings_file is None:
            return False
        try:
            chosen = await asyncio.to_thread(load, self._settings_file, {})
        except SettingsError:  # told by whoever needs the settings
            return False
        return origin(base_url) in chosen.keys.environment

    async def store(self, value: str, base_url: str) -> None:
        """See `Secrets.store`."""
        await self._call(lambda ring: ring.set_password(SERVICE, entry_of(base_url), value))

    async def delete(self, base_url: str) -> bool:
        """See `Secrets.delete`."""
        entry = entry_of(base_url)

        def delete(ring: Any) -> bool:
            if ring.get_password(SERVICE, entry) is None:
                return False
            ring.delete_password(SERVICE, entry)
            return True

        return await self._call(delete)

    async def _call(self, work: Callable[[Any], T]) -> T:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: Exception | None) -> None:
            if result.done():  # nobody waits any more
                return
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(value)  # type: ignore[arg-type]

        def run() -> None:
            value, error = None, None
            try:
                value = work(_backend())
            except Exception as raised:  # noqa: BLE001 - backends raise what their D-Bus or C library raises
                error = _unavailable(raised)
                error.__cause__ = raised
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, value, error)

        threading.Thread(target=run, name="keyring", daemon=True).start()
        try:
            return await asyncio.wait_for(result, self._timeout_s)
        except TimeoutError as error:
            raise SecretsUnavailableError(f"it did not answer within {self._timeout_s:g} s") from error


def entry_of(base_url: str) -> str:
    """Return the name under which an endpoint's key stands in the keyring: `key of https://api.openai.com`."""
    return f"key of {origin(base_url)}"


def _backend() -> Any:
    """Return the keyring that the person has configured, or the best of those that keep secrets.

    Without the limit `keyring` would fall back on plain text files where `keyrings.alt` is installed.
    """
    from keyring import core

    core.init_backend(limit=core.recommended)
    return core.get_keyring()


def _unavailable(error: Exception) -> SecretsUnavailableError:
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return SecretsUnavailableError("this system has none", absent=True)
    if isinstance(error, KeyringLocked):
        return SecretsUnavailableError("it is locked")
    return SecretsUnavailableError(str(error) or type(error).__name__)
