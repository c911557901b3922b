"""Makes a statement of a command: checks it, and finds its parts. Pure, but for the time."""

from datetime import UTC, datetime

from titan_desktop.contracts.memory import (
    TEXT_BYTES_MAX,
    CorrectFact,
    ProposeFact,
    Remember,
    Void,
)
from titan_desktop.ports.facts import Statement, plain
from titan_desktop.services.facts import predicates

NAME_BYTES_MAX = 1_000


class VoidError(Exception):
    """A command says nothing that can be kept. `reason` says why."""

    def __init__(self, reason: Void) -> None:
        super().__init__(reason.value)
        self.reason = reason


def statement(command: Remember | ProposeFact | CorrectFact, event_id: str) -> Statement:
    """Return what a command states.

    Raises:
        VoidError: EMPTY, TOO_LONG or BAD_TIME.
    """
    _check(command)
    subject, predicate, target = command.subject, predicates.code_of(command.predicate), command.object
    text = command.text.strip()
    if text and not (predicate or target) and (parts := predicates.read(text)) is not None:
        subject, predicate, target = subject or parts.subject, parts.predicate, parts.object
    if not text and not isinstance(command, CorrectFact):
        words = command.predicate.replace("_", " ") if predicate == command.predicate else command.predicate
        text = " ".join(filter(None, (part.strip() for part in (subject, words, target))))
    replaces = predicates.ends_the_former(predicate) if command.replaces is None else command.replaces
    confidence = command.confidence if isinstance(command, ProposeFact) else 1.0
    return Statement(
        fact_id=command.fact_id,
        text=text,
        subject=subject.strip(),
        subject_kind=command.subject_kind,
        predicate=predicate,
        object=target.strip(),
        object_kind=command.object_kind,
        replaces=replaces and bool(predicate),
        valid_from=moment(command.valid_from),
        event_id=event_id,
        origin=command.origin,
        confidence=max(0.0, min(confidence, 1.0)),
    )


def moment(text: str) -> datetime:
    """Read a time of the contracts, now for "".

    Raises:
        VoidError: BAD_TIME.
    """
    if not text:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise VoidError(Void.BAD_TIME) from error


def _check(command: Remember | ProposeFact | CorrectFact) -> None:
    parts = (command.subject, command.predicate, command.object)
    if len(command.text.encode()) > TEXT_BYTES_MAX or any(
        len(one.encode()) > NAME_BYTES_MAX for one in parts
    ):
        raise VoidError(Void.TOO_LONG)
    if not command.fact_id:
        raise VoidError(Void.EMPTY)
    whole = plain(command.text) or (plain(command.predicate) and plain(command.object))
    if not whole and not (isinstance(command, CorrectFact) and (any(parts) or command.valid_from)):
        raise VoidError(Void.EMPTY)
