"""Access to a server: the credentials for each connect, and what is logged when the server refuses us.

An absent server is waited for in silence. A server that is there and refuses us goes on refusing until somebody
acts. So a refusal is logged once, at WARNING, with its cure; the end of it is logged, too. `endpoint` uses this
for every wire.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable

from titan_bus.errors import AccessRefusedError

CREDENTIALS_TIMEOUT_S = 10.0
"""How long a function for credentials may take; it may ask a server of its own."""

Credentials = Callable[[], tuple[str, str] | Awaitable[tuple[str, str]]]
"""Returns user and password for the next connect; an empty user is the server's default one. May be `async`."""

logger = logging.getLogger("titan_bus")


class Access:
    """The access of all connections that one URL makes.

    Args:
        credentials: asked at every connect, in place of the URL's user and password.
    """

    def __init__(self, credentials: Credentials | None = None) -> None:
        self._credentials = credentials
        self._admitted = False
        self._refused: dict[str, str] = {}

    async def login(self, address: str, username: str, password: str) -> tuple[str, str]:
        """Return user and password: those of the URL, or those of the function.

        Raises:
            AccessRefusedError: the function raised, took too long, or returned something else.
        """
        if self._credentials is None:
            return username, password
        try:
            async with asyncio.timeout(CREDENTIALS_TIMEOUT_S):
                given = self._credentials()
                found = await given if inspect.isawaitable(given) else given
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            # Somebody else's function: whatever it raises, also when a task of its own was cancelled
            raise AccessRefusedError(address, "CREDENTIALS", f"credentials() raised {error!r}") from error
        if not (isinstance(found, tuple) and len(found) == 2 and all(isinstance(x, str) for x in found)):  # noqa: PLR2004
            raise AccessRefusedError(
                address, "CREDENTIALS", f"credentials() returned a {type(found).__name__}"
            )
        return found

    def admitted(self, address: str) -> None:
        """Record that a server let us in."""
        self._admitted = True
        if self._refused.pop(address, None) is not None:
            logger.info("%s lets us in again", address)

    def refused(self, error: AccessRefusedError) -> None:
        """Log once that a server refuses us; before the first success whoever opens the bus gets the error."""
        if self._admitted and self._refused.get(error.address) != str(error):
            self._refused[error.address] = str(error)
            logger.warning("%s", error)
