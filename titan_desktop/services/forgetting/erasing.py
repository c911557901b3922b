"""One pass: finds the events of deleted conversations, erases them, and checks whether more have come since."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from titan_bus import Bus
from titan_bus.erasure.receipt import ErasureReceipt
from titan_desktop.ports.erasures import Erasures, Unerased
from titan_desktop.services.forgetting import traces

_log = logging.getLogger(__name__)


class FilesUnwrittenError(Exception):
    """A server of the bus could not rewrite its files, for example on a full disk: they still contain the events.

    Attributes:
        address: the server.
    """

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} could not write its files anew; what was erased still stands in them")
        self.address = address


async def erase(bus: Bus, erasures: Erasures, unerased: Sequence[Unerased]) -> bool:
    """Erase all events of these conversations. Returns whether their bytes are gone.

    After a kill the next call finishes the work, because everything is recorded before it is erased.

    Raises:
        BusError: the server or the archive is away, or refuses.
        ErasuresUnavailableError: the erasure cannot be recorded.
        FilesUnwrittenError: not now; perhaps later.
    """
    began = datetime.now(UTC)
    since = min(datetime.fromisoformat(one.since) for one in unerased)
    conversation_ids = frozenset(one.conversation_id for one in unerased)
    wanted = {event_id for one in unerased for event_id in one.event_ids}
    is_complete = True
    while True:
        for conversation_id, event_ids in (await traces.find(bus, conversation_ids, since)).items():
            await erasures.note(conversation_id, event_ids)
            wanted |= event_ids
        if not wanted:
            return is_complete
        receipt = await bus.erase(wanted, topics=traces.TOPICS)
        report(receipt)
        is_complete &= receipt.complete
        # An answer that was being published when its conversation was deleted may have been added meanwhile.
        wanted, since = set(), began


def report(receipt: ErasureReceipt) -> None:
    """Log what was done, without any content.

    Raises:
        FilesUnwrittenError: a server's files were not rewritten.
    """
    copies = sum(one.copies for one in receipt.found)
    _log.info("erased %d events in %d copies", len({one.event_id for one in receipt.found}), copies)
    for reason in (*receipt.unreadable, *receipt.uncompacted):
        _log.warning("something of what was erased may be left: %s", reason)
    for server in receipt.files:
        if "failed" in {server.aof, server.snapshot}:
            raise FilesUnwrittenError(server.address)
        if not {server.aof, server.snapshot} <= {"rewritten", "off"} or server.replicas:
            _log.warning(
                "something of what was erased may be left in files: append-only file %s, snapshot %s, %d replicas",
                server.aof, server.snapshot, server.replicas,
            )  # fmt: skip
