"""How every call begins: its token, then its first message, then the method; no method runs without a token.

gRPC reads the one message of a unary call before anybody sees the call. Whoever sent headers and no body could so
hold calls open, as many as the server takes, without a token. On the wire a unary call is a stream of one message
(gRPC over HTTP/2, "Requests"), so here each call is served as a stream: the token comes first, and what follows it
has a time limit. What is left is for who has a token: his calls may be slow for that time, and his streams stay.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import grpc
from google.protobuf.message import DecodeError

from titan_bus.errors import CallMalformedError
from titan_bus.grpc import status
from titan_bus.grpc import titan_bus_pb2 as pb
from titan_bus.grpc.status import Context

if TYPE_CHECKING:
    from titan_bus.grpc.tokens import Caller

FIRST_MESSAGE_S = 10.0
"""For so long a call may be open before it says what it wants."""


class Doorkeeper(Protocol):
    """What the beginning of a call needs of who answers it."""

    def caller(self, context: Context) -> "Caller":
        """Return who calls."""
        ...


Self = TypeVar("Self", bound=Doorkeeper)
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def admitted(
    call: "Callable[[Self, Caller, Asked, Context], Awaitable[Answer]]",
) -> Callable[[Self, object, Context], Awaitable[Answer]]:
    """Make a method of a call: with its caller and its first message, and with its errors as statuses."""

    @functools.wraps(call)
    async def method(self: Self, _requests: object, context: Context) -> Answer:
        async with status.ending(context):
            caller = self.caller(context)
            answer = await call(self, caller, await _first(context), context)
        return answer  # noqa: RET504 -- a return within would look as if `ending` could swallow it

    return method


def handler_of(service: Doorkeeper) -> "grpc.GenericRpcHandler[Any, Any]":
    """Return what a gRPC server calls for each method of the protocol; the generated one reads bodies itself."""
    described = pb.DESCRIPTOR.services_by_name["Bus"]
    handlers = {}
    for method in described.methods:
        make = (
            grpc.stream_stream_rpc_method_handler
            if method.server_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        asked, answer = getattr(pb, method.input_type.name), getattr(pb, method.output_type.name)
        handlers[method.name] = make(
            getattr(service, method.name), functools.partial(_parsed, asked), answer.SerializeToString
        )
    return grpc.method_handlers_generic_handler(described.full_name, handlers)


async def _first(context: Context) -> Any:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_S):
            message = await context.read()
    except TimeoutError:
        message = status.EOF
    if message is status.EOF:
        raise CallMalformedError("message", f"the first message has to come within {FIRST_MESSAGE_S:g} s")
    return message


def _parsed(kind: Any, message: bytes) -> Any:
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise CallMalformedError("message", f"is no {kind.DESCRIPTOR.name} of titan_bus.proto") from error
