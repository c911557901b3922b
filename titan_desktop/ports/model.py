"""A chat model behind an endpoint. Called by services, implemented by `adapters/openai`.

Endpoint and ModelError are used for embedding models, too (`ports.embedder`).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from titan_desktop.contracts.faults import Fault

Structure = TypeVar("Structure", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model and its key. `key` is "" for a local server that needs none."""

    base_url: str = field(repr=False)  # as it was typed: it may hold a password until it is refused
    model: str
    key: str = field(default="", repr=False)


class ModelError(Exception):
    """The model gave no answer, or an incomplete one, whose text is kept.

    Attributes:
        fault: the reason, for the sentence and the cure.
        detail: the endpoint's message, never with a key in it.
        retry_after_s: how long the endpoint asked to wait, 0 when it did not say.
        context_tokens: of CONTEXT_TOO_LONG: how many tokens there is room for, None when it did not say.
    """

    def __init__(
        self,
        fault: Fault,
        detail: str = "",
        *,
        retry_after_s: float = 0.0,
        context_tokens: int | None = None,
    ) -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.context_tokens = context_tokens


# Input of a model


@dataclass(frozen=True, slots=True)
class Image:
    """An image for a model with vision. `media_type` is that of `content`: "image/png"."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the model may call. `parameters` is the JSON schema of the arguments, an object's."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a prompt.

    Attributes:
        images: of a user's turn.
        calls: what an assistant's turn called; each is answered by a turn of role "tool".
        call_id: of a tool's turn: the call that `text` is the result of.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    images: tuple[Image, ...] = ()
    calls: "tuple[ToolCall, ...]" = ()
    call_id: str = ""


# Output of a model


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning, never empty. It is not part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class WereThoughts:
    """All text of this answer so far was reasoning: its end was marked, and its beginning had not been."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of the model.

    Attributes:
        id: unique within the answer; the tool's turn repeats it.
        arguments: JSON as the model wrote it, "{}" for none. It may be invalid: check it before use.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of the answer. `cached` is part of `prompt`, `reasoning` part of `answer`."""

    prompt: int
    answer: int
    cached: int = 0
    reasoning: int = 0


Part = Text | Reasoning | WereThoughts | ToolCall | Usage


class ChatModel(Protocol):
    """Answers prompts. The methods that ask a model raise ModelError."""

    def stream(
        self, endpoint: Endpoint, turns: Sequence[Turn], tools: Sequence[Tool] = ()
    ) -> AsyncGenerator[Part, None]:
        """Yield the answer: text and reasoning while they grow, then whole tool calls, then the usage.

        The usage comes only from endpoints that tell it. Closing the generator, or cancelling the task that reads
        it, hangs up on the endpoint. Read it within `contextlib.aclosing`.

        Raises:
            ModelError: from the first step or any later one.
        """
        ...

    async def context_tokens(self, endpoint: Endpoint) -> int | None:
        """Return how many tokens prompt and answer may have together, None when nobody has told.

        It is asked of the endpoint where it is not known, which takes two seconds at most. Raises nothing.
        """
        ...

    def answers_at(self, endpoint: Endpoint) -> str | None:
        """Return the base URL at which this endpoint has answered, None while it has not."""
        ...

    async def structured(
        self, endpoint: Endpoint, turns: Sequence[Turn], schema: type[Structure]
    ) -> Structure:
        """Return an answer of this type: the model gets the struct's JSON schema, and its answer is validated.

        Raises:
            ModelError: MALFORMED, the answer does not match; or as for `stream`.
        """
        ...

    async def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...
