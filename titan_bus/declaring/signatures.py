"""The parameters of a handler, read from its annotations once, when it is declared or subscribed.

`bind` converts every kind of handler to the one that a processor calls: `async (Event) -> object`. A handler of
the Event alone is not wrapped.
"""

import functools
import inspect
import types
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from titan_bus.errors import HandlerRefusedError, PayloadMismatchError
from titan_bus.event import Event

AnyHandler = Callable[[Any], Awaitable[object]] | Callable[[Any, Any], Awaitable[object]]
"""`async`, and takes the Event, the payload, or both, or a list of Events, according to its annotations."""

_EVENT = object()
_EVENTS = object()
_OBJECTS = (
    msgspec.inspect.StructType, msgspec.inspect.DictType, msgspec.inspect.TypedDictType,
    msgspec.inspect.DataclassType, msgspec.inspect.RawType,
)  # fmt: skip
"""The types whose JSON is an object, as a payload must be."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A handler that is ready to be called with an event.

    Attributes:
        handler: the handler as it was given.
        call: takes the event; raises PayloadMismatchError when the payload has another type.
        name: the function's name, for messages.
        payload: the type that the payload is decoded as; None when the handler takes the Event alone.
        returns: the annotated result, None when it is annotated so or not at all.
        description: the handler's docstring.
        batch: whether it takes a list of events.
    """

    handler: AnyHandler
    call: Callable[[Any], Awaitable[object]]
    name: str
    payload: Any
    returns: Any
    description: str
    batch: bool = False


def bind(handler: AnyHandler) -> Bound:
    """Read a handler's signature.

    Raises:
        HandlerRefusedError: it is not `async`, or takes other than an Event, a payload, or both.
    """
    name = _name_of(handler)
    if (fault := _no_async_function(handler)) is not None:
        raise HandlerRefusedError(name, fault)
    parameters = _parameters(handler, name)
    kinds = [_kind(handler, name, parameter) for parameter in parameters]
    if batch := _EVENTS in kinds:
        if len(kinds) > 1:
            raise HandlerRefusedError(name, "a handler of `list[Event]` takes no other parameter")
        kinds = [_EVENT]
    payloads = [kind for kind in kinds if kind is not _EVENT]
    payload = payloads[0] if payloads else None
    if len(payloads) > 1 or len(kinds) - len(payloads) > 1:
        raise HandlerRefusedError(name, "of two parameters one is annotated as Event and one as the payload")
    call = _call(handler, payload, event_first=bool(kinds) and kinds[0] is _EVENT, both=len(kinds) == 2)  # noqa: PLR2004
    _check_event_parameter(handler, name, parameters)
    returns = _resolve(handler, inspect.signature(handler).return_annotation, strict=False)
    description = inspect.getdoc(inspect.unwrap(_function_of(handler))) or ""
    return Bound(handler, call, name, payload, returns, description, batch)


def type_name(kind: Any) -> str:
    """Return a type's name for messages."""
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _call(
    handler: Any, payload: Any, *, event_first: bool, both: bool
) -> Callable[[Event], Awaitable[object]]:
    if payload is None:
        return typing.cast("Callable[[Event], Awaitable[object]]", handler)
    decoder, expected = msgspec.json.Decoder(payload), type_name(payload)

    # These return the handler's own coroutine: one frame less for every event.
    def call(event: Event) -> Awaitable[object]:
        try:
            decoded = decoder.decode(event.encoded_payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise PayloadMismatchError(event.event_id, expected, str(error)) from error
        if not both:
            return typing.cast("Awaitable[object]", handler(decoded))
        arguments = (event, decoded) if event_first else (decoded, event)
        return typing.cast("Awaitable[object]", handler(*arguments))

    return call


def _parameters(handler: Any, name: str) -> list[inspect.Parameter]:
    """Return the one or two parameters that the bus fills; others need a default."""
    try:
        every = list(inspect.signature(handler).parameters.values())
    except (ValueError, TypeError) as error:
        raise HandlerRefusedError(
            name, f"its signature cannot be read ({error}): wrap it in an async def"
        ) from error
    by_place = [p for p in every if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if by_place and by_place[0].name in {"self", "cls"} and by_place[0].annotation is inspect.Parameter.empty:
        raise HandlerRefusedError(
            name,
            f"nobody gives it {by_place[0].name}: make the object first and give its method, "
            "as in `handlers.on(topic, group)(service.method)`",
        )
    for parameter in every:
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise HandlerRefusedError(
                name,
                f"nobody gives it {parameter.name}: give it a default or use functools.partial; "
                "the bus gives what stands before the `*`",
            )
    needed = [p for p in by_place if p.default is p.empty]
    if len(needed) > 2:  # noqa: PLR2004
        raise HandlerRefusedError(
            name, f"takes {len(needed)} parameters; a handler takes the Event, the payload, or both"
        )
    # In a wrapper without other parameters `*args` is the event.
    found = needed or by_place[:1] or [p for p in every if p.kind is p.VAR_POSITIONAL]
    if not found:
        raise HandlerRefusedError(name, "takes no parameter; a handler takes the Event, the payload, or both")
    return found


def _check_event_parameter(handler: Any, name: str, filled: list[inspect.Parameter]) -> None:
    """Refuse a handler whose Event parameter has a default and would not be filled."""
    for parameter in inspect.signature(handler).parameters.values():
        if parameter.default is parameter.empty or parameter.name in {one.name for one in filled}:
            continue
        if _is_event(_without_none(_resolve(handler, parameter.annotation, strict=False))):
            written = f"{parameter.name}: Event"
            raise HandlerRefusedError(
                name, f"{parameter.name} has a default and would keep it: write `{written}`, before any `*`"
            )


def _kind(handler: Any, name: str, parameter: inspect.Parameter) -> Any:
    """Return _EVENT, or the type of the payload."""
    annotation = _without_none(_resolve(handler, parameter.annotation, strict=True))
    if typing.get_origin(annotation) is list and any(map(_is_event, typing.get_args(annotation))):
        return _EVENTS
    is_loose = any(annotation is loose for loose in (None, Any, object))
    if is_loose or parameter.kind is parameter.VAR_POSITIONAL or _is_event(annotation):
        return _EVENT
    try:
        kinds = msgspec.inspect.type_info(annotation)
    except (TypeError, NameError, RecursionError) as error:
        raise HandlerRefusedError(
            name, f"{parameter.name} has a type that JSON cannot be: {error}"
        ) from error
    kinds = kinds.type if isinstance(kinds, msgspec.inspect.Metadata) else kinds
    for kind in kinds.types if isinstance(kinds, msgspec.inspect.UnionType) else (kinds,):
        if not isinstance(kind, _OBJECTS) or getattr(kind, "array_like", False):
            raise HandlerRefusedError(
                name,
                f"{parameter.name} is annotated as {type_name(annotation)}, and a payload is an object: "
                "annotate an Event, a list[Event] of several at once, a msgspec.Struct, a union of tagged ones, "
                "a dataclass, a TypedDict, or dict; "
                "of that pydantic's `model_validate` makes a model",
            )
    return annotation


def _is_event(annotation: Any) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = annotation.__origin__
    return isinstance(annotation, type) and issubclass(annotation, Event)


def _without_none(annotation: Any) -> Any:
    """Remove None from a type, because no payload is None."""
    if typing.get_origin(annotation) not in {typing.Union, types.UnionType}:
        return annotation
    return typing.Union[tuple(one for one in typing.get_args(annotation) if one is not type(None))]  # noqa: UP007


def _resolve(handler: Any, annotation: Any, *, strict: bool) -> Any:
    """Return an annotation as a type, also when `from __future__ import annotations` made it a text."""
    if annotation is inspect.Parameter.empty:
        return None
    function = inspect.unwrap(_function_of(handler))
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        known = getattr(function, "__globals__", {})
        resolved = typing.get_type_hints(holder, globalns=known, include_extras=True)["it"]
    except (NameError, SyntaxError, TypeError, AttributeError) as error:
        if isinstance(annotation, str) and annotation.strip("\"'").rpartition(".")[2] == Event.__name__:
            return Event  # imported under TYPE_CHECKING, as linters require
        if not strict:
            return None
        raise HandlerRefusedError(
            _name_of(handler),
            f"its annotation {annotation!r} cannot be read ({error}): import the type at module level and not "
            "under TYPE_CHECKING",
        ) from error
    return None if resolved is type(None) else resolved


def _no_async_function(handler: Any) -> str | None:
    """Return why this is no handler and what to write instead; None for an async function."""
    function = inspect.unwrap(_function_of(handler)) if callable(handler) else handler
    if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(function):
        return None
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return "a handler is called for each event and has no `yield`: return the answer, or publish what it makes"
    if isinstance(handler, type):
        return (
            "this is a class, and a handler is an object of it or a function: write `async def`, or make one"
        )
    if isinstance(handler, classmethod):
        return "a class method is there when its class is: give it below the class, as in `Service.method`"
    return "a handler is an async function: write `async def`"


def _function_of(handler: Any) -> Any:
    """Return the function behind a partial, a method or a callable object."""
    while isinstance(handler, functools.partial):
        handler = handler.func
    if inspect.isroutine(handler) or isinstance(handler, type):
        return getattr(handler, "__func__", handler)
    return getattr(type(handler), "__call__", handler)  # noqa: B004 -- the function itself, not whether there is one


def _name_of(handler: Any) -> str:
    function = inspect.unwrap(_function_of(handler)) if callable(handler) else handler
    return str(getattr(function, "__qualname__", None) or repr(handler))
