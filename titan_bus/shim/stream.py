"""One Subscribe stream: events out, verdicts in, until the client leaves, its token expires or the shim closes."""

import asyncio
from collections import deque
from typing import Any

from titan_bus.consumer.workers import cancel
from titan_bus.errors import (
    CallMalformedError,
    ClientGoneError,
    FatalError,
    NackedError,
    RequestRefused,
    TokenRefusedError,
)
from titan_bus.shim import messages, texts
from titan_bus.shim import titan_bus_pb2 as pb
from titan_bus.shim.dealer import Dealer, Loan
from titan_bus.shim.status import EOF, Context
from titan_bus.shim.tokens import CURE, Caller

TOGETHER_MAX = 32
"""So many events travel in one message at most: about 1 MiB of the longest."""
UNKNOWN_MAX = 1_000
"""So many verdicts on events that it does not hold a client may send without reading."""
ID_CHARS_MAX = 64


class Stream:
    """What one client has in hand.

    Attributes:
        concurrency: how much it takes at once.
    """

    def __init__(self, context: Context, caller: Caller, concurrency: int) -> None:
        self.concurrency = concurrency
        self._context = context
        self._caller = caller
        self._in_hand: dict[str, Loan] = {}
        self._outgoing: deque[Loan] = deque()
        self._unknown: deque[str] = deque()
        self._to_send = asyncio.Event()
        self._ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @property
    def has_room(self) -> bool:
        """Whether it takes one more event now."""
        return len(self._in_hand) < self.concurrency

    def take(self, loan: Loan) -> None:
        """Send an event."""
        self._in_hand[loan.event.event_id] = loan
        self._outgoing.append(loan)
        self._to_send.set()

    def give_back(self, loan: Loan) -> None:
        """The event has its verdict, or is wanted back: one that was not sent yet stays here."""
        self._in_hand.pop(loan.event.event_id, None)

    def end(self, error: Exception) -> None:
        """End the stream with an error."""
        if not self._ended.done():
            self._ended.set_result(error)

    async def run(self, dealer: Dealer) -> None:
        """Serve until the client has closed its side.

        Raises:
            TokenRefusedError: the token has expired.
            CallMalformedError: the client sent what is no verdict.
            BusClosedError: the shim is closing.
        """
        name = f"titan_bus shim: stream of {self._caller.subject}"
        tasks = {
            asyncio.create_task(self._take_verdicts(dealer), name=f"{name}: verdicts"),
            asyncio.create_task(self._send(), name=f"{name}: events"),
        }
        watched: set[asyncio.Future[Any]] = {*tasks, self._ended}
        try:
            done, _ = await asyncio.wait(
                watched,
                timeout=max(0.0, self._caller.remaining_s()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                raise TokenRefusedError(f"the token has expired; {CURE}")
            if self._ended in done:
                raise self._ended.result()
            for task in tasks & done:
                task.result()
        finally:
            await cancel(tasks)

    def abandon(self) -> None:
        """Hand back what has no verdict. It counts as a failure: some events kill whoever takes them."""
        for loan in tuple(self._in_hand.values()):
            if not loan.verdict.done():
                loan.verdict.set_exception(ClientGoneError(self._caller.subject))

    async def _take_verdicts(self, dealer: Dealer) -> None:
        while (request := await self._context.read()) is not EOF:
            if request.HasField("subscription"):
                raise CallMalformedError(
                    "subscription", "belongs into the first message alone: open another stream"
                )
            for ack in request.acks:
                if (loan := self._settled(ack.event_id)) is not None:
                    accept(loan, ack)
            for nack in request.nacks:
                if (loan := self._settled(nack.event_id)) is not None:
                    refuse(loan, nack)
            if request.HasField("flow"):
                self.concurrency = messages.concurrency(request.flow.concurrency)
                dealer.room_changed()

    def _settled(self, event_id: str) -> Loan | None:
        """Return what gets a verdict; the client is told when there is nothing."""
        loan = self._in_hand.pop(event_id, None)
        if loan is not None and not loan.verdict.done():
            return loan
        if len(event_id) > ID_CHARS_MAX or len(self._unknown) >= UNKNOWN_MAX:
            raise CallMalformedError("event_id", "has to be that of an event which this stream has in hand")
        self._unknown.append(event_id)
        self._to_send.set()
        return None

    async def _send(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._outgoing or self._unknown:
                loans = [self._outgoing.popleft() for _ in range(min(TOGETHER_MAX, len(self._outgoing)))]
                events = [messages.event(loan.event) for loan in loans if not loan.verdict.done()]
                unknown = [self._unknown.popleft() for _ in range(len(self._unknown))]
                if events or unknown:
                    await self._context.write(pb.Deliveries(events=events, unknown_ids=unknown))


def accept(loan: Loan, ack: pb.Ack) -> None:
    """The client has handled the event."""
    result: object = None
    if loan.event.meta.reply_to is not None:
        try:
            result = messages.result(ack)
        except CallMalformedError as error:
            loan.verdict.set_exception(RequestRefused("reply_malformed", str(error)))
            return
    loan.verdict.set_result(result)


def refuse(loan: Loan, nack: pb.Nack) -> None:
    """The client could not handle the event."""
    reason = texts.one_line(nack.reason) or "no reason was given"
    if loan.event.meta.reply_to is not None:
        code = texts.one_line(nack.code, texts.NAME_CHARS_MAX) or "refused"
        loan.verdict.set_exception(RequestRefused(code, reason))
    else:
        loan.verdict.set_exception(FatalError(reason) if nack.fatal else NackedError(reason))
