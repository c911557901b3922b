"""From entries of a stream to deliveries in flight: what `reader` read, and what `claims` took over."""

from collections.abc import Mapping

from titan_bus import codec
from titan_bus.consumer.delivery import Delivery, Entry
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.spec import PartitionBy


class Intake:
    """What one consumer does with entries that it was given.

    Args:
        partition_by: which events need their order; None when none does.
    """

    def __init__(
        self, in_flight: InFlight, disposition: Disposition, partition_by: PartitionBy | None
    ) -> None:
        self._in_flight = in_flight
        self._disposition = disposition
        self._partition_by = partition_by

    def receive(
        self, stream: str, entries: list[Entry], delivered: Mapping[bytes, int] | None = None
    ) -> None:
        """Take entries over, without waiting in between, so that nothing is taken twice.

        Args:
            stream: where they are from.
            entries: those that are held already are passed over.
            delivered: how often each was delivered before, when they were claimed.
        """
        if self._in_flight.closed:
            return
        held = self._in_flight.held()
        batch = []
        for entry_id, fields in entries:
            if (stream, entry_id) in held:
                continue
            times = None if delivered is None else delivered[entry_id]
            delivery = self._take(stream, entry_id, fields, times)
            if delivery is not None:
                batch.append(delivery)
        self._in_flight.queue(batch)

    def _take(
        self, stream: str, entry_id: bytes, fields: list[bytes], delivered: int | None
    ) -> Delivery | None:
        """Hold one entry; None when it waits behind its key, or is buried as it cannot be understood."""
        key = stream, entry_id
        try:
            delivery = Delivery(stream, entry_id, fields, codec.decode(fields), None, delivered)
            if self._partition_by is not None:
                delivery.partition = self._partition_by(delivery.event)
            goes = self._in_flight.hold(key, delivery)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 -- a fault of the entry, of `partition_by` or of its key
            self._disposition.refuse(key, fields or [], error)
            return None
        return delivery if goes else None
