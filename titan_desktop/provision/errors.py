"""What can go wrong where servers come from.

ProvisionError
├── StoreUnavailableError    one store cannot be had; `sentence` says why and names the cure
└── ServerHostLostError          the server host of the embedded servers cannot be kept alive
"""


class ProvisionError(Exception):
    """Root of this package's errors.

    Attributes:
        sentence: what happened and the cure, for the person. Never holds a password.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StoreUnavailableError(ProvisionError):
    """One store cannot be had from the place that was asked for.

    Attributes:
        store: "redis", "postgres" or "graph".
    """

    def __init__(self, store: str, sentence: str) -> None:
        super().__init__(sentence)
        self.store = store


class ServerHostLostError(ProvisionError):
    """The server host ended again and again; the embedded servers are gone with it."""
