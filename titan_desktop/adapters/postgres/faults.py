"""Maps driver errors to "not now" by their SQLSTATE, never by their text."""

import contextlib
from collections.abc import Callable, Iterator

import asyncpg

from titan_desktop.adapters.postgres.database import DatabaseUnavailableError
from titan_desktop.ports.passages import IndexUnavailableError

# Classes of SQLSTATE (PostgreSQL manual, appendix A): connection, transaction rollback (deadlock,
# serialisation), insufficient resources (disk full, too many connections), operator intervention (shutdown),
# system error.
TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
DISK_FULL = "53100"


@contextlib.contextmanager
def translated(
    unavailable: Callable[[str], Exception] = IndexUnavailableError,
    full: Callable[[str], Exception] | None = None,
) -> Iterator[None]:
    """Raise the port's error for errors that waiting may fix; others are bugs and pass unchanged.

    Args:
        unavailable: the port's error.
        full: its error for a full disk, if it has one.
    """
    try:
        yield
    except DatabaseUnavailableError as error:
        raise unavailable(error.reason) from error
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "")[:2] not in TRANSIENT_CLASSES:
            raise
        says = full if full is not None and error.sqlstate == DISK_FULL else unavailable
        raise says(str(error)) from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # TimeoutError is an OSError. The internal error is raised for a query that the server's shutdown
        # interrupts.
        raise unavailable(str(error) or type(error).__name__) from error
