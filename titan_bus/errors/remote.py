"""Programs in other languages (`grpc`), and their calls."""

from titan_bus.errors.root import BusError


class RemoteClientError(BusError):
    """An error between the gRPC server and a client in another language."""


class TokenRefusedError(RemoteClientError):
    """The token of a call is missing or invalid; `reason` says why, and how to fix it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RightMissingError(RemoteClientError):
    """The token of `subject` does not permit to `act` on `target`."""

    def __init__(self, subject: str, act: str, target: str) -> None:
        super().__init__(f"{subject} may not {act} {target}")
        self.subject = subject
        self.act = act
        self.target = target


class CallMalformedError(RemoteClientError):
    """The `field` of a call violates the protocol; `detail` says what it must be."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class NackedError(RemoteClientError):
    """A client could not handle the event, for `reason`; the event is retried."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ClientGoneError(RemoteClientError):
    """The client's stream ended before it sent an outcome; the event is retried."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"the stream of {subject} ended without an outcome")
        self.subject = subject
