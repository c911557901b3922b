"""Turns an error into a gRPC status: a code, a sentence that says how to fix it, a name and fields for programs.

The name and the fields are plain trailing metadata. google.rpc.ErrorInfo would need one more package in every
client language.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import grpc

from titan_bus import errors
from titan_bus.grpc import titan_bus_pb2 as pb

REASON = "titan-bus-reason"
DETAIL = "titan-bus-detail"
DETAIL_BYTES_MAX = 2_000
"""After encoding. Clients refuse more than 8 KB of metadata in all (gRPC, `max_metadata_size`)."""

logger = logging.getLogger("titan_bus")

Code = grpc.StatusCode
Context = grpc.aio.ServicerContext[Any, Any]
EOF: object = grpc.aio.EOF  # type: ignore[attr-defined]  # missing in the stubs
_RETRY = "Try again in a moment."
_SERVERS_CODES = {
    "OOM": (Code.RESOURCE_EXHAUSTED, "Its memory is full: raise maxmemory or lower the streams' maxlen."),
    "MISCONF": (Code.UNAVAILABLE, "It cannot write its disk: free some space there."),
    "LOADING": (Code.UNAVAILABLE, _RETRY),
    "READONLY": (Code.UNAVAILABLE, _RETRY),
    "MASTERDOWN": (Code.UNAVAILABLE, _RETRY),
    "CLUSTERDOWN": (Code.UNAVAILABLE, _RETRY),
    "NOREPLICAS": (Code.UNAVAILABLE, _RETRY),
}


class Status(NamedTuple):
    """How a call ends."""

    code: grpc.StatusCode
    reason: str
    sentence: str

    def failure(self) -> pb.Failure:
        """Convert it into a message, for one result of many."""
        return pb.Failure(code=self.code.value[0], reason=self.reason, message=self.sentence)


# The first match counts, so special cases stand before general ones.
_KNOWN: tuple[tuple[type[Exception], grpc.StatusCode, str], ...] = (
    (
        errors.EventTooLargeError,
        Code.INVALID_ARGUMENT,
        "Store what is large elsewhere and publish where it is.",
    ),
    (errors.PublishRefusedError, Code.INVALID_ARGUMENT, ""),
    (errors.CallMalformedError, Code.INVALID_ARGUMENT, ""),
    (errors.HandlerRefusedError, Code.INVALID_ARGUMENT, ""),  # the names that it was to have
    (errors.ConsumerNameTakenError, Code.FAILED_PRECONDITION, "Start one gRPC server of a name: --consumer."),
    (errors.TokenRefusedError, Code.UNAUTHENTICATED, ""),
    (
        errors.RightMissingError,
        Code.PERMISSION_DENIED,
        "Make a token with this right: `titan-bus token --help`.",
    ),
    (errors.EventNotHeldError, Code.NOT_FOUND, "It has its outcome, or its stream ended and it comes again."),
    (errors.EventNotFoundError, Code.NOT_FOUND, ""),
    (errors.GroupNotFoundError, Code.NOT_FOUND, ""),
    (errors.RequestTimedOutError, Code.DEADLINE_EXCEEDED, "See that somebody subscribes, or wait longer."),
    (errors.RequestFailedError, Code.FAILED_PRECONDITION, ""),
    (errors.BusOverloadedError, Code.RESOURCE_EXHAUSTED, "Send less at a time."),
    (errors.BusUnavailableError, Code.UNAVAILABLE, _RETRY),
    (
        errors.NotReplicatedError,
        Code.UNAVAILABLE,
        "It may be there all the same: published again, it is another event.",
    ),
    (errors.BusClosedError, Code.UNAVAILABLE, "The gRPC server is closing: connect again in a moment."),
    (errors.StoreError, Code.UNAVAILABLE, _RETRY),
    (errors.SegmentDamagedError, Code.DATA_LOSS, ""),
)


def of(error: Exception) -> Status:
    """Return the status of an error. A fault of our own is reported without details."""
    reason = _name_of(error)
    if isinstance(error, errors.ServerRefusedError):
        code, cure = _SERVERS_CODES.get(error.code, (Code.INTERNAL, "The gRPC server's log says more."))
        return Status(code, reason, f"the server refused ({error.code}). {cure}")
    for kind, code, cure in _KNOWN:
        if isinstance(error, kind):
            return Status(code, reason, f"{str(error).rstrip('.') or 'the bus is closed'}. {cure}".rstrip())
    return Status(Code.INTERNAL, "INTERNAL", "a fault of the gRPC server; its log says more")


@asynccontextmanager
async def ending(context: Context) -> AsyncIterator[None]:
    """End the call with the status of the error that the body raises.

    Raises:
        AbortError: gRPC expects it after a call was ended.
    """
    try:
        yield
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        status = of(error)
        if status.code is Code.INTERNAL:
            logger.exception("titan_bus grpc: a call failed")
        detail = json.dumps(vars(error), default=str) if status.reason != "INTERNAL" else "{}"
        if len(detail) > DETAIL_BYTES_MAX:
            detail = "{}"
        await context.abort(status.code, cut(status.sentence), ((REASON, status.reason), (DETAIL, detail)))


def cut(sentence: str) -> str:
    """Cut a sentence so that it fits when percent-encoded (gRPC over HTTP/2, "Status-Message")."""
    ends = accumulate(
        1 if " " <= letter <= "~" and letter != "%" else 3 * len(letter.encode())
        for letter in sentence[:DETAIL_BYTES_MAX]
    )
    return sentence[: sum(end <= DETAIL_BYTES_MAX for end in ends)]


def _name_of(error: Exception) -> str:
    """Return EVENT_TOO_LARGE for an EventTooLargeError."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).lstrip("_")
