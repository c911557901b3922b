"""Prints an event: a JSON line for programs, one line or a paragraph for people."""

import msgspec

from titan_bus.cli.output import GAP, Output, line_of, local_time
from titan_bus.event import Event, Priority

STYLES = {Priority.HIGH: "red", Priority.MEDIUM: "cyan", Priority.LOW: "dim"}


def show(event: Event, output: Output, *, pretty: bool = False) -> None:
    """Print an event."""
    if output.json:
        output.record(event)
        return
    priority = event.meta.priority
    head = GAP.join(
        (
            output.paint("dim", local_time(event.timestamp)),
            line_of(event.topic),
            output.paint(STYLES[priority], line_of(event.event_type)),
            event.event_id,
        )
    )
    if not pretty:
        payload = msgspec.json.format(bytes(event.encoded_payload), indent=-1).decode(errors="replace")
        output.line(f"{head}{GAP}{line_of(payload)}")
        return
    output.line(head)
    meta = f"{priority} from {line_of(event.meta.source)}, trace {line_of(event.meta.trace_id)}"
    output.line(
        output.paint("dim", f"{GAP}{meta}{f', retries {event.meta.retries}' if event.meta.retries else ''}")
    )
    for line in msgspec.json.format(bytes(event.encoded_payload)).decode(errors="replace").split("\n"):
        output.line(f"{GAP}{line[: len(line) - len(line.lstrip())]}{line_of(line)}")
