"""Converts old payloads to the version that this program uses, step by step: 1 to 2, 2 to 3.

A bus applies the steps when an event reaches a handler, a tail or a replay. The event on the server stays as it
was published, also when it is retried or dead-lettered. An event of a newer version than the last step passes
unchanged: its fields decide whether an older program can read it.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from titan_bus import codec
from titan_bus.errors import BusError, UpcastError
from titan_bus.event import Event

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes a payload of one version and returns it as the next one: synchronous, quick, without side effects."""


class Upcasters:
    """A collection of steps, to be declared in modules and given to a `Bus` or to `Handlers`.

    @upcasters.step("orders.v1", "order_placed", 1)
    def with_currency(payload: dict[str, Any]) -> dict[str, Any]:
        return payload | {"currency": "EUR"}
    """

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], dict[int, Upcaster]] = {}

    def register(self, topic: str, event_type: str, from_version: int, upcaster: Upcaster) -> None:
        """Register `upcaster` as the step from `from_version` to `from_version + 1`.

        Raises:
            ValueError: the step exists already, the version is no whole number of 1 or more, or the function is
                not synchronous.
        """
        if not isinstance(from_version, int) or isinstance(from_version, bool) or from_version < 1:
            raise ValueError(f"versions begin with 1, there is none from {from_version!r}")
        if not callable(upcaster) or inspect.iscoroutinefunction(upcaster):
            raise ValueError(
                f"{topic} {event_type}: a step is a function that returns the payload: write `def`"
            )
        steps = self._steps.setdefault((topic, event_type), {})
        if steps.setdefault(from_version, upcaster) is not upcaster:
            raise ValueError(f"{topic} {event_type} has a step from version {from_version} already")

    def step(self, topic: str, event_type: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
        """Register the decorated function and return it unchanged."""

        def declare(upcaster: Upcaster) -> Upcaster:
            self.register(topic, event_type, from_version, upcaster)
            return upcaster

        return declare

    def include(self, others: "Upcasters") -> None:
        """Include the steps of another collection.

        Raises:
            ValueError: both have the same step with different functions.
        """
        for topic, event_type, from_version, upcaster in others:
            self.register(topic, event_type, from_version, upcaster)

    def __iter__(self) -> Iterator[tuple[str, str, int, Upcaster]]:
        """Iterate over the steps, as arguments of `register`."""
        for (topic, event_type), steps in self._steps.items():
            for from_version, upcaster in steps.items():
                yield topic, event_type, from_version, upcaster

    def latest(self, topic: str, event_type: str) -> int:
        """Return the version of the last step; 1 when there is none."""
        return max(self._steps.get((topic, event_type), {0: None})) + 1

    def apply(self, event: Event) -> Event:
        """Return the event after all steps, unchanged when there are none.

        Raises:
            UpcastError: a step raised or returned something other than a JSON object.
        """
        steps = self._steps.get((event.topic, event.event_type))
        if steps is None or event.schema_version not in steps:
            return event
        version = event.schema_version
        try:
            payload = event.payload_as(dict[str, Any])
            while (upcaster := steps.get(version)) is not None:
                payload = upcaster(payload)
                version += 1
            encoded = codec.encode_payload(event.topic, event.event_type, payload)
        except Exception as error:  # a retry would give the same error
            detail = str(error) if isinstance(error, BusError) else repr(error)
            raise UpcastError(event.event_id, event.topic, event.event_type, version, detail) from error
        return msgspec.structs.replace(event, encoded_payload=encoded, schema_version=version)
