"""For how long a consumer's handlers have been running, as `titan-bus pending` shows it.

A consumer stores the durations in a key that expires, each time it resets the idle time of its events
(`consumer.claims`, every third of `min_idle_s`). So only handlers that run for longer than that are in it.
`inspection` reads the key and adds the time since it was stored, which is how much of the key's time to live has
passed. Durations are stored, and no times of day, because the clocks of two machines differ.
"""

import time
from collections.abc import Iterable

import msgspec


class _Told(msgspec.Struct, frozen=True):
    """The value. `for_ms`: by entry id."""

    ttl_ms: int
    for_ms: dict[str, int]


def encode(started: Iterable[tuple[bytes, float]], ttl_ms: int) -> bytes:
    """Encode the entries in flight, each with the time at which its handler began (`time.monotonic`)."""
    now = time.monotonic()
    return msgspec.json.encode(
        _Told(ttl_ms, {entry_id.decode(): int((now - start) * 1000) for entry_id, start in started})
    )


def decode(told: bytes, left_ms: int) -> dict[str, int]:
    """Return how many milliseconds each entry has been in its handler by now, by entry id.

    Args:
        told: the stored value. What another program wrote counts as none.
        left_ms: the key's time to live.
    """
    try:
        value = msgspec.json.decode(told, type=_Told)
    except msgspec.MsgspecError:
        return {}
    since_ms = max(0, value.ttl_ms - left_ms)
    return {entry_id: for_ms + since_ms for entry_id, for_ms in value.for_ms.items()}
