"""Turns an error of a command into one sentence with its cure, and an exit status."""

from collections.abc import Callable
from typing import Any, NamedTuple

from titan_bus import errors
from titan_bus.cli import exit_codes

CURES = {
    "NOPERM": "Give the user the rights that `titan-bus acl` prints.",
    "NOAUTH": "Put user and password into the URL: redis://user:password@host.",
    "WRONGPASS": "Check user and password in the URL.",
    "OOM": "The server's memory is full: raise its maxmemory or lower the streams' maxlen.",
    "MISCONF": "The server cannot write its disk: free some space there.",
    "READONLY": "That server is a replica: name the primary, or use redis+sentinel://.",
    "NOREPLICAS": "Too few replicas are connected: bring them back, or lower min-replicas-to-write.",
    "MOVED": "That server is part of a cluster: use redis+cluster://.",
    "LOADING": "The server is reading its data: try again in a moment.",
}


class CommandError(Exception):
    """The command cannot be run: a sentence for the person, and the exit status."""

    def __init__(self, sentence: str, status: int = exit_codes.USAGE) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class Failure(NamedTuple):
    """A sentence for the person, and the exit status."""

    sentence: str
    status: int


def explain(error: Exception) -> Failure | None:
    """Return the sentence and status of an error, or None when it is a fault of titan-bus."""
    if isinstance(error, CommandError):
        return Failure(error.sentence, error.status)
    for kind, status, sentence in _KNOWN:
        if isinstance(error, kind):
            return Failure(sentence(error), status)
    return None


def _as_it_says(error: Exception) -> str:
    said = str(error)
    return said if said.endswith(("?", ".")) else f"{said}."


def _unavailable(error: errors.BusUnavailableError) -> str:
    if isinstance(error, errors.AccessRefusedError):
        return f"{error.address} does not let us in: {error.reason}."
    cause = error.__cause__
    if isinstance(cause, errors.ServerRefusedError):
        return f"{error.address} does not let us in: {_refusal(cause)}"
    return (
        f"{error.address} does not answer: {error.reason}."
        " Start the server, or name another with --url, --config or TITAN_BUS_URL."
    )


def _refused(error: errors.ServerRefusedError) -> str:
    return f"the server refused: {_refusal(error)}"


def _refusal(error: errors.ServerRefusedError) -> str:
    return " ".join((_as_it_says(error), CURES.get(error.code, ""))).strip()


def _too_large(error: errors.EventTooLargeError) -> str:
    return f"the event has {error.size} bytes, {error.limit} at most. Store what is large elsewhere."


def _malformed(error: errors.PublishRefusedError) -> str:
    return f"the event is refused: {error.reason.rstrip('.')}."


def _overloaded(error: errors.BusOverloadedError) -> str:
    return f"the server is too slow: {error}. Publish less at a time."


def _not_empty(error: errors.RestoreRefusedError) -> str:
    return (
        f"{error.topic} has {error.length} events on the server: restore into an empty server, or say --newer-only"
        " for what is newer than they are."
    )


def _taken(error: errors.ConsumerNameTakenError) -> str:
    return (
        f"another worker of {error.group} on {error.topic} is named {error.consumer}, in {error.holder}: "
        "give each its own --consumer, or none."
    )


# The first match counts, so special cases stand before general ones.
_KNOWN: tuple[tuple[type[Exception], int, Callable[[Any], str]], ...] = (
    (errors.BusUnavailableError, exit_codes.UNAVAILABLE, _unavailable),
    (errors.ServerRefusedError, exit_codes.REFUSED, _refused),
    (errors.EventTooLargeError, exit_codes.REFUSED, _too_large),
    (errors.PublishRefusedError, exit_codes.REFUSED, _malformed),
    (errors.BusOverloadedError, exit_codes.REFUSED, _overloaded),
    (errors.ServerTooOldError, exit_codes.MISCONFIGURED, _as_it_says),
    (errors.NotReplicatedError, exit_codes.UNAVAILABLE, _as_it_says),
    (errors.RestoreDisturbedError, exit_codes.REFUSED, _as_it_says),
    (errors.RestoreRefusedError, exit_codes.REFUSED, _not_empty),
    (errors.ArchiveElsewhereError, exit_codes.MISCONFIGURED, _as_it_says),
    (errors.ArchiveError, exit_codes.UNAVAILABLE, _as_it_says),
    (errors.ErasureInterruptedError, exit_codes.UNAVAILABLE, _as_it_says),
    (errors.EventNotFoundError, exit_codes.NOTHING, _as_it_says),
    (errors.GroupNotFoundError, exit_codes.NOTHING, _as_it_says),
    (errors.HandlerRefusedError, exit_codes.USAGE, _as_it_says),
    (errors.ConsumerNameTakenError, exit_codes.MISCONFIGURED, _taken),
    (errors.NameMalformedError, exit_codes.USAGE, _as_it_says),
    (errors.ConfigError, exit_codes.MISCONFIGURED, _as_it_says),
    (errors.ConfigValueError, exit_codes.MISCONFIGURED, _as_it_says),
    (errors.ExtraMissingError, exit_codes.MISCONFIGURED, _as_it_says),
)
