"""The handle of a running subscription: resize it, stop it."""

from collections.abc import Callable

from titan_bus.consumer.processor import Processor


class Subscription:
    """A running subscription to `topic` in `group`, where this bus is the `consumer` of that name."""

    def __init__(self, processor: Processor, drain_s: float, forget: Callable[[Processor], None]) -> None:
        self.topic = processor.topic
        self.group = processor.group
        self.consumer = processor.consumer
        self._processor = processor
        self._drain_s = drain_s
        self._forget = forget

    def resize(self, concurrency: int) -> None:
        """Set the number of concurrent handlers; 0 pauses, and running handlers finish.

        Raises:
            ValueError: not a whole number of 0 or more.
        """
        if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 0:
            raise ValueError(f"concurrency must be a whole number of 0 or more, not {concurrency!r}")
        self._processor.resize(concurrency)

    async def stop(self, drain_s: float | None = None, *, hand_back: bool = False) -> None:
        """Stop consuming, wait for running handlers, then cancel those that take longer, unacknowledged.

        Deliveries that were read ahead and not started stay pending for this consumer's next start. `hand_back` is
        for a consumer that will not return soon: others of the group get them now, not after `claim.min_idle_s`.
        """
        try:
            await self._processor.stop(self._drain_s if drain_s is None else drain_s, hand_back=hand_back)
        finally:
            self._forget(self._processor)
