"""What can go wrong where servers come from.

ProvisionError
├── StoreUnavailableError    one store cannot be had
└── ServerHostLostError      the server host of the embedded servers cannot be kept alive
"""

from titan_desktop.contracts.problem import Code, Problem

FOLDER_LOST = 4
"""The server host's exit code where its folders are gone, or are others."""


class ProvisionError(Exception):
    """The root of this package's errors.

    Attributes:
        problem: what happened, for the person. Never contains a password.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class StoreUnavailableError(ProvisionError):
    """A store is not available from the configured place.

    Attributes:
        store: "redis", "postgres" or "graph".
    """

    def __init__(self, store: str, problem: Problem) -> None:
        super().__init__(problem)
        self.store = store

    @classmethod
    def of(cls, store: str, code: Code, **fields: object) -> "StoreUnavailableError":
        """Create one from a code and the fields of its sentence, `store` included."""
        said = {name: str(value) for name, value in fields.items()}
        return cls(store, Problem(code, {"store": store, **said}))


class ServerHostLostError(ProvisionError):
    """The server host ended repeatedly; the embedded servers are lost with it."""
