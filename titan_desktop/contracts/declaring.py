"""How a service declares what it takes and what it tells: by its messages alone.

A handler's annotation names the message that it takes, and the message knows its topic and its event type:

    handlers = Handlers()
    take(handlers, "search", self.search, concurrency=4)  # async def search(self, search: Search) -> SearchResult
    tell(handlers, FileIndexed)
"""

from typing import Any

from titan_bus import HandlerRefusedError, Handlers
from titan_bus.consumer.spec import PartitionBy
from titan_bus.declaring.signatures import AnyHandler, bind, type_name
from titan_desktop.contracts.message import BusMessage, Request, event_type, reply_type


def take(
    handlers: Handlers,
    group: str,
    *functions: AnyHandler,
    concurrency: int | None = None,
    start: str | None = None,
    partition_by: PartitionBy | None = None,
) -> None:
    """Declare handlers of one group. The options hold for each of their topics; see `Handlers.on`.

    Raises:
        HandlerRefusedError: one takes no message of the contracts, answers a request with something else than its
            reply, or returns what nobody has asked for.
    """
    for function in functions:
        kind = _message_of(function)
        declare = handlers.on(
            kind.topic,
            group,
            event_type=kind,
            concurrency=concurrency,
            start=start,
            partition_by=partition_by,
        )
        declare(function)


def tell(handlers: Handlers, *kinds: type[BusMessage]) -> None:
    """Declare messages that the service publishes."""
    for kind in kinds:
        handlers.sends(kind.topic, event_type(kind), kind)


def _message_of(function: AnyHandler) -> type[BusMessage]:
    bound = bind(function)
    kind: Any = bound.payload
    if not (isinstance(kind, type) and issubclass(kind, BusMessage)):
        raise HandlerRefusedError(bound.name, "a handler of a service takes one message of the contracts")
    reply = reply_type(kind) if issubclass(kind, Request) else None
    if bound.returns != reply:
        answer = "nothing" if reply is None else type_name(reply)
        raise HandlerRefusedError(
            bound.name,
            f"{kind.__name__} is answered with {answer}, not with {type_name(bound.returns)}",
        )
    return kind
