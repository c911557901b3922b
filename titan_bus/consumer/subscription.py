"""What a program holds of a handler at work: how to change it, and how to stop it."""

from collections.abc import Callable

from titan_bus.consumer.processor import Processor


class Subscription:
    """A handler at work. `topic` and `group` say where."""

    def __init__(self, processor: Processor, drain_s: float, forget: Callable[[Processor], None]) -> None:
        self.topic = processor.topic
        self.group = processor.group
        self._processor = processor
        self._drain_s = drain_s
        self._forget = forget

    def resize(self, concurrency: int) -> None:
        """Run so many handlers at once from now on; 0 pauses, and what runs goes on to its end.

        Raises:
            ValueError: it is no whole number of 0 or more.
        """
        if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 0:
            raise ValueError(f"concurrency has to be a whole number of 0 or more, not {concurrency!r}")
        self._processor.resize(concurrency)

    async def stop(self, drain_s: float | None = None, *, hand_back: bool = False) -> None:
        """Take no more events, wait for running handlers, cancel unacknowledged those that take longer.

        What was read ahead and not begun stays this consumer's, for its return. `hand_back` is for one that will
        not return soon: the other consumers of the group get it now, in place of after `claim.min_idle_s`.
        """
        try:
            await self._processor.stop(self._drain_s if drain_s is None else drain_s, hand_back=hand_back)
        finally:
            self._forget(self._processor)
