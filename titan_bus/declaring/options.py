"""The options of a subscription, and their checks.

`Handlers.on` and `Bus.subscribe` both check here, so that an error is raised where the option was written.
Otherwise it would be a consumer that never starts, or a logged error for every event.
"""

import inspect
import math
from typing import Any, TypedDict

from titan_bus import names
from titan_bus.consumer.spec import PartitionBy
from titan_bus.declaring.signatures import Bound
from titan_bus.entry_id import LAST, EntryId
from titan_bus.errors import HandlerRefusedError


class Options(TypedDict, total=False):
    """The options of a subscription, see `Bus.subscribe`."""

    concurrency: int
    auto_ack: bool
    start: str
    partition_by: PartitionBy | None
    timeout_s: float | None


def checked(bound: Bound, topic: str, group: str, options: Options, event_type: str | None = None) -> Bound:
    """Return the handler if it can be subscribed with these options.

    Raises:
        HandlerRefusedError: a name or an option is invalid.
    """
    faults = [
        f"{what} has to be a name, a text that is not empty, not {name!r}"
        for what, name in (("topic", topic), ("group", group), ("event_type", event_type))
        if not (isinstance(name, str) and name) and (what, name) != ("event_type", None)
    ]
    if not faults and (reason := names.reserved(topic, group)):
        faults.append(reason)
    faults += [fault for name, value in options.items() if (fault := _CHECKS[name](value))]
    if faults:
        raise HandlerRefusedError(bound.name, "; ".join(faults))
    return bound


def _concurrency(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return ""
    return f"concurrency has to be a whole number of 1 or more, not {value!r}"


def _auto_ack(value: Any) -> str:
    return "" if isinstance(value, bool) else f"auto_ack has to be True or False, not {value!r}"


def _start(value: Any) -> str:
    if isinstance(value, str) and (value == "$" or _is_entry_id(value)):
        return ""
    return (
        'start has to be "0" for all that is there, "$" for what comes from now on, or the id of an entry, '
        f"its milliseconds since 1970 and a number, such as 1700000000000-0, not {value!r}"
    )


def _partition_by(value: Any) -> str:
    if value is None:
        return ""
    if not callable(value):
        return (
            f"partition_by has to be a function of the event that returns its key, not {value!r}: "
            'write `lambda event: event.payload_as(dict)["number"]`'
        )
    # A coroutine is hashable: each event would have a key of its own, and no order.
    return "partition_by returns the key itself: write `def`" if inspect.iscoroutinefunction(value) else ""


def _timeout_s(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (is_number and 0 < value < math.inf):
        return ""
    return f"timeout_s has to be a number of seconds, more than 0, or None for no limit, not {value!r}"


def _is_entry_id(text: str) -> bool:
    try:
        entry_id = EntryId.parse(text)
    except ValueError:
        return False
    return entry_id.ms <= LAST.ms and entry_id.number <= LAST.number


_CHECKS = {
    "concurrency": _concurrency, "auto_ack": _auto_ack, "start": _start, "partition_by": _partition_by,
    "timeout_s": _timeout_s,
}  # fmt: skip
