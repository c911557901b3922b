"""Authenticates each call and reads its first message before the method runs. No method runs without a token.

gRPC reads the message of a unary call before the server's code sees the call. A client that sent headers and no
body could therefore hold calls open without a token, up to the server's limit. On the wire a unary call is a
stream of one message (gRPC over HTTP/2, "Requests"), so each call is served as a stream: the token is checked
first, and the message has a time limit. A client with a token can still keep calls open for that time, and streams
without limit.
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
"""How long a call may be open before its first message."""


class Authenticator(Protocol):
    """A service that can authenticate its callers."""

    def caller(self, context: Context) -> "Caller":
        """Return the caller of this call."""
        ...


Self = TypeVar("Self", bound=Authenticator)
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def admitted(
    call: "Callable[[Self, Caller, Asked, Context], Awaitable[Answer]]",
) -> Callable[[Self, object, Context], Awaitable[Answer]]:
    """Turn a method into a call handler: passes the caller and the first message, turns errors into statuses."""

    @functools.wraps(call)
    async def method(self: Self, _requests: object, context: Context) -> Answer:
        async with status.ending(context):
            caller = self.caller(context)
            answer = await call(self, caller, await _first(context), context)
        return answer  # noqa: RET504 -- a return within would look as if `ending` could swallow it

    return method


def handler_of(service: Authenticator) -> "grpc.GenericRpcHandler[Any, Any]":
    """Return the handlers of all methods. The generated ones read the message before the token is checked."""
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
