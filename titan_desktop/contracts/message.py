"""A message knows its topic, its event type and, when it is a request, its reply.

Every struct of the contracts that travels by itself derives from `BusMessage` or `Request`. The application sends
them by `publish` and `ask` alone: nobody writes a topic or an event type down beside the message.
"""

import functools
import re
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast, get_args

import msgspec

if TYPE_CHECKING:
    import asyncio

    from titan_bus import Bus, Event, Priority

R = TypeVar("R")
M = TypeVar("M", bound="BusMessage")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def _snake_case(name: str) -> str:
    return _WORD.sub("_", name).lower()


class BusMessage(msgspec.Struct, frozen=True, kw_only=True, tag=_snake_case, tag_field="type"):
    """What travels as one event. Its event type is the class's name in snake case: `send_prompt` for SendPrompt.

    Attributes:
        topic: where it is published.
    """

    topic: ClassVar[str]


class Request(BusMessage, Generic[R], frozen=True, kw_only=True):
    """A question with a deadline; `R` is the struct that answers it: `class Search(Request[SearchResult])`."""


def event_type(kind: type[BusMessage]) -> str:
    """Return the event type of a kind of message."""
    return str(kind.__struct_config__.tag)


@functools.cache
def reply_type(kind: type[Request[R]]) -> type[R]:
    """Return the struct that answers a kind of request."""
    (reply,) = get_args(kind.__orig_bases__[0])  # type: ignore[attr-defined]  # every subclass of a Generic has it
    return cast("type[R]", reply)


class Kinds(Generic[M]):
    """Some kinds of message, for who reads along and wants these alone.

    Attributes:
        topics: where they are published; what to tail.
    """

    def __init__(self, *kinds: type[M]) -> None:
        self._kinds = {(kind.topic, event_type(kind)): kind for kind in kinds}
        self.topics = tuple({kind.topic: None for kind in kinds})

    def read(self, event: "Event") -> M | None:
        """Return the event's message, None when it is of another kind.

        Raises:
            PayloadMismatchError: it is not what it says it is.
        """
        kind = self._kinds.get((event.topic, event.event_type))
        return None if kind is None else event.payload_as(kind)


def publish(bus: "Bus", message: BusMessage, priority: "Priority | str" = "medium") -> "asyncio.Future[str]":
    """Publish a message on its topic; see `Bus.publish`.

    Raises:
        PublishRefusedError: at the call: the message is longer than an event may be.
        BusError: from the future.
    """
    return bus.publish(message.topic, event_type(type(message)), message, priority)


async def ask(bus: "Bus", request: Request[R], timeout_s: float = 5.0) -> R:
    """Send a request and return its reply; see `Bus.request`.

    Raises:
        RequestTimedOutError: nobody answered within `timeout_s`.
        RequestFailedError: the answer is a refusal.
        BusError: the bus is away.
    """
    kind = type(request)
    return await bus.request(request.topic, event_type(kind), request, reply_type(kind), timeout_s)
