"""Handlers and requests: what a handler raises or runs into, and what a requester gets."""

from titan_bus.errors.root import BusError


class RequestError(BusError):
    """A request got no useful answer."""


class RequestTimedOutError(RequestError):
    """Nobody answered within `timeout_s`."""

    def __init__(self, topic: str, event_type: str, timeout_s: float) -> None:
        super().__init__(f"{topic} {event_type}: no answer within {timeout_s} s")
        self.topic = topic
        self.event_type = event_type
        self.timeout_s = timeout_s


class RequestFailedError(RequestError):
    """The responder refused; `code` and `message` are its own, or the bus's.

    The bus's own codes are `internal` (the handler raised), `reply_too_large` and `reply_malformed`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class RequestRefused(Exception):  # noqa: N818 -- it is an answer, not a fault
    """Raised by a responder: the requester gets `code` and `message`, and the request is acknowledged."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class FatalError(BusError):
    """Raised by a handler: trying again cannot help, the event goes to the dead letters at once."""


class PayloadMismatchError(FatalError):
    """The payload of `event_id` is not an `expected`."""

    def __init__(self, event_id: str, expected: str, detail: str) -> None:
        super().__init__(f"{event_id} is no {expected}: {detail}")
        self.event_id = event_id
        self.expected = expected
        self.detail = detail


class UpcastError(FatalError):
    """An upcaster of `topic` and `event_type` failed on `event_id`, which is of version `from_version`."""

    def __init__(self, event_id: str, topic: str, event_type: str, from_version: int, detail: str) -> None:
        super().__init__(f"{topic} {event_type} {event_id}: from version {from_version}: {detail}")
        self.event_id = event_id
        self.topic = topic
        self.event_type = event_type
        self.from_version = from_version
        self.detail = detail


class HandlerTimedOutError(BusError):
    """A handler took longer than its `timeout_s` and was cancelled."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the handler took longer than its timeout_s of {timeout_s:g}")
        self.timeout_s = timeout_s


class ConsumerNameTakenError(BusError):
    """`holder`, a process, has the name `consumer` in the `group` on the `topic`, and keeps it."""

    def __init__(self, consumer: str, topic: str, group: str, holder: str) -> None:
        super().__init__(
            f"another consumer of {group} on {topic} is named {consumer}, in {holder}: give each a `consumer` of "
            "its own, or none, then they name themselves"
        )
        self.consumer = consumer
        self.topic = topic
        self.group = group
        self.holder = holder


class OnceMisusedError(BusError):
    """A guard was used where it cannot work; `cure` says how it can."""

    def __init__(self, guard: str, cure: str) -> None:
        super().__init__(f"{guard}: {cure}")
        self.guard = guard
        self.cure = cure
