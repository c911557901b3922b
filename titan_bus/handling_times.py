"""How long the handlers of a consumer have had their events, as it tells and as it is read.

Told with each refresh (`consumer.claims`), so of those that take longer than a third of `min_idle_s`; read by
`inspection`. Durations travel and no times, since the clocks of two machines differ: what has passed since is the
part of the key's time to live that is used up.
"""

import time
from collections.abc import Iterable

import msgspec


class _Told(msgspec.Struct, frozen=True):
    """The value. `for_ms`: by entry id."""

    ttl_ms: int
    for_ms: dict[str, int]


def encode(started: Iterable[tuple[bytes, float]], ttl_ms: int) -> bytes:
    """Return the value for these entries, each with the start of its handler by `time.monotonic`."""
    now = time.monotonic()
    return msgspec.json.encode(
        _Told(ttl_ms, {entry_id.decode(): int((now - start) * 1000) for entry_id, start in started})
    )


def decode(told: bytes, left_ms: int) -> dict[str, int]:
    """Return for how many milliseconds each entry is being handled now.

    Args:
        told: the value; another program's is none.
        left_ms: the key's time to live.
    """
    try:
        value = msgspec.json.decode(told, type=_Told)
    except msgspec.MsgspecError:
        return {}
    since_ms = max(0, value.ttl_ms - left_ms)
    return {entry_id: for_ms + since_ms for entry_id, for_ms in value.for_ms.items()}
