"""The only module that reads and writes wire bytes: an entry has one field, `e`, with the event as JSON."""

import math
from collections.abc import Iterable, Sequence

import msgspec

from titan_bus.errors import EntryMalformedError, EventMalformedError, EventTooLargeError
from titan_bus.event import EVENT_BYTES_MAX, Event, Payload

FIELD = b"e"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def encode_payload(topic: str, event_type: str, payload: Payload) -> msgspec.Raw:
    """Encode a payload, which has to be a JSON object.

    Raises:
        EventMalformedError: it is no object, or holds what JSON cannot.
    """
    try:
        encoded = encode_value(payload)
        fault = "" if len(encoded) > EVENT_BYTES_MAX else fault_of(payload, encoded)
    except ValueError as error:
        raise EventMalformedError(topic, event_type, f"payload: {error}") from error
    if not encoded.startswith(b"{"):
        fault = f"a {type(payload).__name__} is no object"
    if fault:
        raise EventMalformedError(topic, event_type, f"payload: {fault}")
    return msgspec.Raw(encoded)


def encode_value(value: object) -> bytes:
    """Encode a payload or a reply. NaN and infinity become `null`: see `fault_of`.

    Raises:
        ValueError: it holds what JSON cannot, or a struct whose field was never set.
    """
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, AttributeError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(str(error)) from error


def fault_of(value: object, encoded: bytes) -> str:
    """Say where a value has a number that JSON cannot hold, "" when nowhere.

    msgspec writes NaN and infinity as `null`, which the same type does not take at the consumer.
    """
    if b"null" not in encoded:
        return ""
    # What is of no builtin type is a `Raw`, since all else could not be encoded.
    return _not_finite(msgspec.to_builtins(value, str_keys=True, enc_hook=lambda _raw: None), "")


def _not_finite(value: object, place: str) -> str:
    if isinstance(value, float):
        return (
            "" if math.isfinite(value) else f"{place.lstrip('.') or 'it'} is {value}, which JSON cannot hold"
        )
    parts: Iterable[tuple[str, object]] = ()
    if isinstance(value, dict):
        parts = ((f".{key}", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"[{at}]", part) for at, part in enumerate(value))
    return next((fault for name, part in parts if (fault := _not_finite(part, place + name))), "")


def encode(event: Event) -> bytes:
    """Encode an event.

    Raises:
        EventTooLargeError: it is longer than 32,768 bytes.
        EventMalformedError: a name in it is no Unicode text.
    """
    try:
        encoded = _encoder.encode(event)
    except UnicodeEncodeError as error:  # a lone surrogate
        raise EventMalformedError(event.topic, event.event_type, str(error)) from error
    if len(encoded) > EVENT_BYTES_MAX:
        raise EventTooLargeError(event.topic, event.event_type, len(encoded), EVENT_BYTES_MAX)
    return encoded


def decode(fields: Sequence[bytes]) -> Event:
    """Decode an entry's flat list of names and values.

    Raises:
        EntryMalformedError: there is no field `e`, or it contains no event.
    """
    return decode_body(body(fields))


def decode_body(encoded: bytes) -> Event:
    """Decode the bytes of an event.

    Raises:
        EntryMalformedError: they are none.
    """
    try:
        encoded.decode()  # msgspec checks only what it decodes; a part that is not UTF-8 would fail later
        return _decoder.decode(encoded)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EntryMalformedError(str(error)) from error


def body(fields: Sequence[bytes]) -> bytes:
    """Return the bytes of the event in an entry.

    Raises:
        EntryMalformedError: the entry has no field `e`.
    """
    if len(fields) == 2 and fields[0] == FIELD:  # noqa: PLR2004 -- one field, as this bus writes it
        return fields[1]
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name == FIELD:
            return value
    raise EntryMalformedError("no field e")


def with_retries(encoded: bytes, retries: int) -> bytes:
    """Return the event with another count of retries, otherwise unchanged, unknown fields included."""
    fields = _fields.decode(encoded)
    meta = _fields.decode(fields["meta"])
    meta["retries"] = msgspec.Raw(_encoder.encode(retries))
    fields["meta"] = msgspec.Raw(_encoder.encode(meta))
    return _encoder.encode(fields)
