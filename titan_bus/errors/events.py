"""Events and names: what cannot be published, cannot be read, or is not there."""

from titan_bus.errors.root import BusError, speakable


class PublishRefusedError(BusError):
    """The event can never be published as it is.

    Attributes:
        topic: its topic.
        event_type: its type.
        reason: what is wrong with it.
    """

    def __init__(self, topic: str, event_type: str, reason: str) -> None:
        super().__init__(f"{topic} {event_type}: {reason}")
        self.topic = topic
        self.event_type = event_type
        self.reason = reason


class EventTooLargeError(PublishRefusedError):
    """The encoded event has `size` bytes, more than the `limit`."""

    def __init__(self, topic: str, event_type: str, size: int, limit: int) -> None:
        super().__init__(topic, event_type, f"{size} bytes, the limit is {limit}")
        self.size = size
        self.limit = limit


class EventMalformedError(PublishRefusedError):
    """The topic, the type, the priority or the payload is not valid."""


class NameMalformedError(BusError, ValueError):
    """A topic, a group or another word that cannot be sent: `name` has a lone surrogate, unknown to UTF-8."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{speakable(name)} is no Unicode text: it has a lone surrogate, as undecodable bytes leave"
        )
        self.name = name


class EntryMalformedError(BusError):
    """An entry of a stream that is no event, and why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EventNotFoundError(BusError):
    """Neither the stream of `topic` nor the archive has `event_id` near its time."""

    def __init__(self, topic: str, event_id: str) -> None:
        super().__init__(f"{event_id} is not in {topic}, nor in its archive")
        self.topic = topic
        self.event_id = event_id


class EventNotHeldError(BusError):
    """`event_id` is in flight on no subscription of this bus."""

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"{event_id} waits for no acknowledgement here: it has one, or its subscription ended"
        )
        self.event_id = event_id


class GroupNotFoundError(BusError):
    """There is no group `group` on `topic`."""

    def __init__(self, topic: str, group: str) -> None:
        super().__init__(f"no group {group} on {topic}")
        self.topic = topic
        self.group = group
