"""The key in the system's keyring, through the `keyring` package: `ports.secrets.Secrets`.

The import takes 0.3 s and a locked keyring may wait for its owner's password, so every call runs in a thread of
its own that nobody has to wait for at the end: a daemon, as the default executor's threads are joined at exit.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from titan_desktop.ports.secrets import Key, SecretsUnavailableError

SERVICE = "titan"
ENTRY = "openai-api-key"
VARIABLE = "OPENAI_API_KEY"
TIMEOUT_S = 60.0
"""Enough to type the password that unlocks a keyring."""

T = TypeVar("T")


class KeyringSecrets:
    """`Secrets` over whatever keyring the system recommends or the person has configured."""

    def __init__(self, environment: Mapping[str, str] = os.environ, *, timeout_s: float = TIMEOUT_S) -> None:
        self._environment = environment
        self._timeout_s = timeout_s

    async def key(self) -> Key | None:
        """See `Secrets.key`."""
        if value := self._environment.get(VARIABLE, "").strip():
            return Key(value, "environment")
        found = await self._call(lambda ring: ring.get_password(SERVICE, ENTRY))
        return Key(found, "keyring") if found else None

    async def store(self, value: str) -> None:
        """See `Secrets.store`."""
        await self._call(lambda ring: ring.set_password(SERVICE, ENTRY, value))

    async def delete(self) -> bool:
        """See `Secrets.delete`."""

        def delete(ring: Any) -> bool:
            if ring.get_password(SERVICE, ENTRY) is None:
                return False
            ring.delete_password(SERVICE, ENTRY)
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
                error = SecretsUnavailableError(_reason(raised))
                error.__cause__ = raised
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, value, error)

        threading.Thread(target=run, name="keyring", daemon=True).start()
        try:
            return await asyncio.wait_for(result, self._timeout_s)
        except TimeoutError as error:
            raise SecretsUnavailableError(f"it did not answer within {self._timeout_s:g} s") from error


def _backend() -> Any:
    """Return the keyring that the person has configured, or the best of those that keep secrets.

    Without the limit `keyring` would fall back on plain text files where `keyrings.alt` is installed.
    """
    from keyring import core

    core.init_backend(limit=core.recommended)
    return core.get_keyring()


def _reason(error: Exception) -> str:
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return "this system has none"
    if isinstance(error, KeyringLocked):
        return "it is locked"
    return str(error) or type(error).__name__
