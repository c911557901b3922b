"""Which of the driver's errors mean "not now", told by their SQLSTATE, never by their text."""

import contextlib
from collections.abc import Callable, Iterator

import asyncpg

from titan_desktop.adapters.postgres.database import DatabaseUnavailableError
from titan_desktop.ports.passages import IndexUnavailableError

# Classes of SQLSTATE (PostgreSQL manual, appendix A): connection, transaction rollback (deadlock,
# serialisation), insufficient resources (disk full, too many connections), operator intervention (shutdown),
# system error.
TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})


@contextlib.contextmanager
def translated(unavailable: Callable[[str], Exception] = IndexUnavailableError) -> Iterator[None]:
    """Raise the port's error for what waiting may mend; anything else is our own bug and passes as it is."""
    try:
        yield
    except DatabaseUnavailableError as error:
        raise unavailable(error.reason) from error
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "")[:2] not in TRANSIENT_CLASSES:
            raise
        raise unavailable(str(error)) from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # TimeoutError is an OSError. The internal error comes of a query that crosses the server's farewell.
        raise unavailable(str(error) or type(error).__name__) from error
