"""Converts between the protocol's messages and the bus's values, and refuses invalid messages."""

from typing import Any

import msgspec

from titan_bus.errors import CallMalformedError, EventMalformedError
from titan_bus.event import SCHEMA_VERSION, Event, Priority
from titan_bus.grpc import texts
from titan_bus.grpc import titan_bus_pb2 as pb

CONCURRENCY = 16
CONCURRENCY_MAX = 100
"""This many events of the largest size fit into the 4 MiB that a client accepts in one message."""
BATCH_MAX = 1_000
_STARTS = ("0", "$")
_TO_PRIORITY = {
    pb.PRIORITY_UNSPECIFIED: Priority.MEDIUM,
    pb.PRIORITY_LOW: Priority.LOW,
    pb.PRIORITY_MEDIUM: Priority.MEDIUM,
    pb.PRIORITY_HIGH: Priority.HIGH,
}
_FROM_PRIORITY = {priority: number for number, priority in _TO_PRIORITY.items() if number}
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any = msgspec.json.Decoder(msgspec.Raw)


def check_names(**named: str) -> None:
    """Check that these can be names.

    Raises:
        CallMalformedError: one is too long or has control characters.
    """
    for field, name in named.items():
        if fault := texts.fault_of(name):
            raise CallMalformedError(field, fault)


def event(event: Event) -> pb.Event:
    """Convert an event into a message."""
    meta = event.meta
    return pb.Event(
        event_id=event.event_id,
        topic=event.topic,
        event_type=event.event_type,
        schema_version=event.schema_version,
        timestamp=event.timestamp,
        payload_json=bytes(event.encoded_payload).decode(),
        meta=pb.Meta(
            priority=_FROM_PRIORITY[meta.priority],
            retries=meta.retries,
            trace_id=meta.trace_id,
            parent_id=meta.parent_id or "",
            source=meta.source,
            is_request=meta.reply_to is not None,
            deadline_ms=meta.deadline or 0,
        ),
    )


def payload(request: pb.PublishRequest) -> dict[str, Any]:
    """Return the payload. Its values stay the JSON that was sent.

    Raises:
        EventMalformedError: it is not a JSON object.
    """
    try:
        return _object.decode(request.payload_json or "{}")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        detail = f"payload_json has to be a JSON object: {error}"
        raise EventMalformedError(request.topic, request.event_type, detail) from error


def priority(request: pb.PublishRequest) -> Priority:
    """Return the priority.

    Raises:
        EventMalformedError: the number is no priority.
    """
    try:
        return _TO_PRIORITY[request.priority]
    except KeyError as error:
        detail = f"priority {request.priority} is none: 1 is low, 2 medium, 3 high"
        raise EventMalformedError(request.topic, request.event_type, detail) from error


def schema_version(request: pb.PublishRequest) -> int:
    """Return the version of the payload."""
    return request.schema_version or SCHEMA_VERSION


def result(ack: pb.Ack) -> msgspec.Raw | None:
    """Return the answer to a request, None when there is none.

    Raises:
        CallMalformedError: it is not JSON.
    """
    if not ack.result_json:
        return None
    try:
        # A copy, because a Raw may point into the text that it was decoded from.
        return _any.decode(ack.result_json).copy()
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CallMalformedError("result_json", f"has to be JSON: {error}") from error


def subscription(request: pb.SubscribeRequest) -> pb.Subscription:
    """Return the subscription that a stream's first message asks for, with its defaults.

    Raises:
        CallMalformedError: it is missing or invalid.
    """
    if not request.HasField("subscription"):
        raise CallMalformedError("subscription", "has to be in the first message of the stream")
    wanted = request.subscription
    if not wanted.topic or not wanted.group:
        raise CallMalformedError("subscription", "topic and group have to be named")
    check_names(topic=wanted.topic, group=wanted.group)
    if wanted.start and wanted.start not in _STARTS:
        raise CallMalformedError(
            "subscription.start", 'has to be "0" for all that is there, or "$" for what comes'
        )
    return pb.Subscription(
        topic=wanted.topic,
        group=wanted.group,
        concurrency=concurrency(wanted.concurrency or CONCURRENCY),
        start=wanted.start or _STARTS[0],
    )


def concurrency(wanted: int) -> int:
    """Return the value if it is allowed.

    Raises:
        CallMalformedError: it is too large.
    """
    if wanted > CONCURRENCY_MAX:
        raise CallMalformedError("concurrency", f"has to be {CONCURRENCY_MAX} or less, not {wanted}")
    return wanted
