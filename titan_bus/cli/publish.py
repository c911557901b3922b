"""`titan-bus publish`: publishes one event, or one for each line of a file or of standard input."""

import asyncio
from datetime import UTC, datetime

import msgspec

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes, reading
from titan_bus.cli.arguments import Options
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import Output
from titan_bus.errors import PublishRefusedError

IN_FLIGHT_MAX = 1_000

Payload = dict[str, msgspec.Raw]


async def run(options: Options, output: Output) -> int:
    """Publish, and print each id once the server has stored the event."""
    source = _source(options)
    config = visitor_of(options, options.topic)
    if options.source:
        config = msgspec.structs.replace(config, source=options.source)
    if options.lines:
        descriptor = reading.open_input(source)
        async with Bus(config) as bus:
            return await _Lines(bus, options, output).publish(descriptor)
    payload = _decode(await _text(source))
    async with Bus(config) as bus:
        event_id = await _published(bus, options, payload)
    output.report({"event_id": event_id}, event_id)
    return exit_codes.DONE


def _published(bus: Bus, options: Options, payload: Payload) -> asyncio.Future[str]:
    at = None
    if options.at is not None:
        at = datetime.fromisoformat(options.at)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return bus.publish(options.topic, options.type, payload, options.priority, delay_s=options.delay, at=at)


def _source(options: Options) -> str:
    if options.payload is None:
        return "-" if options.lines else "{}"
    if not options.payload:  # usually an unset variable of a script
        raise CommandError("the payload is an empty text: write {} for an event that needs none.")
    return str(options.payload)


async def _text(source: str) -> bytes:
    if source == "-" or source.startswith("@"):
        return await reading.whole(reading.open_input(source))
    return source.encode(errors="replace")


def _decode(text: bytes) -> Payload:
    try:
        text.decode()  # msgspec does not check what it does not decode
        return msgspec.json.decode(text, type=Payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CommandError(f"the payload is no JSON object: {error}.") from error


class _Lines:
    """Publishes line by line, many in flight; a refused line does not stop the others."""

    def __init__(self, bus: Bus, options: Options, output: Output) -> None:
        self._bus = bus
        self._options = options
        self._output = output
        self._number = 0
        self._failed = 0

    async def publish(self, descriptor: int) -> int:
        async for batch in reading.lines(descriptor):
            for start in range(0, len(batch), IN_FLIGHT_MAX):
                await self._send(batch[start : start + IN_FLIGHT_MAX])
        return exit_codes.NOTHING if self._failed else exit_codes.DONE

    async def _send(self, batch: list[bytes]) -> None:
        sent: list[asyncio.Future[str]] = []
        for line in batch:
            self._number += 1
            if not line.strip():
                continue
            try:
                sent.append(self._publish(line))
            except (CommandError, PublishRefusedError) as error:
                self._failed += 1
                self._output.note(f"line {self._number} is left out: {str(error).rstrip('.')}.")
        # In order, so that ids are printed in the order of the lines. The first failure of the server ends it,
        # because all that follow would fail as well; the ids stored until then are printed.
        for event_id in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(event_id, BaseException):
                raise event_id
            self._output.report({"event_id": event_id}, event_id)

    def _publish(self, line: bytes) -> asyncio.Future[str]:
        return _published(self._bus, self._options, _decode(line))
