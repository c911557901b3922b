"""Turns entries of a stream, read by `reader` or claimed by `claims`, into deliveries in flight."""

from collections.abc import Mapping

from titan_bus import codec
from titan_bus.consumer.delivery import Delivery, Entry
from titan_bus.consumer.disposition import Disposition
from titan_bus.consumer.in_flight import InFlight
from titan_bus.consumer.spec import PartitionBy


class Intake:
    """Adds the entries of one consumer to its table.

    Args:
        partition_by: gives the key within which events are handled in order; None for no order.
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
        """Add entries. Does not await in between, so that no entry is added twice.

        Args:
            stream: the stream of the entries.
            entries: those already in flight are skipped.
            delivered: the delivery count of each entry before it was claimed; None when they were read.
        """
        if self._in_flight.closed:
            return
        held = self._in_flight.entry_keys()
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
        """Add one entry; None when it waits behind its partition, or is dead-lettered because it is malformed."""
        key = stream, entry_id
        try:
            delivery = Delivery(stream, entry_id, fields, codec.decode(fields), None, delivered)
            if self._partition_by is not None:
                delivery.partition = self._partition_by(delivery.event)
            goes = self._in_flight.add(key, delivery)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 -- a fault of the entry, of `partition_by` or of its key
            self._disposition.reject(key, fields or [], error)
            return None
        return delivery if goes else None
