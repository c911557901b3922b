"""A chat model behind an endpoint. Called by services, implemented by `adapters/openai`.

Endpoint and ModelError serve embedding models, too (`ports.embedder`).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from titan_desktop.contracts.faults import Fault

Structure = TypeVar("Structure", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model to ask, and with what key. `key` is "" for a local server that wants none."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)


class ModelError(Exception):
    """The model gave no answer, or broke off in the middle of one; what came before it counts as said.

    Attributes:
        fault: why, for the sentence and the cure that a person reads.
        detail: what the endpoint said, never with a key in it.
        retry_after_s: how long the endpoint asked us to wait, 0 when it did not say.
    """

    def __init__(self, fault: Fault, detail: str = "", *, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail
        self.retry_after_s = retry_after_s


# What a model is given


@dataclass(frozen=True, slots=True)
class Image:
    """A picture for a model that sees. `media_type` is that of `content`: "image/png"."""

    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call. `parameters` is the JSON schema of the arguments, an object's."""

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


# What a model gives


@dataclass(frozen=True, slots=True)
class Text:
    """Some more of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Some more of what the model thinks before it answers, never empty. It is no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool.

    Attributes:
        id: unique within the answer; the tool's turn repeats it.
        arguments: JSON as the model wrote it, "{}" for none. A model errs: check it before use.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the answer cost, in tokens. `cached` is a part of `prompt`, `reasoning` one of `answer`."""

    prompt: int
    answer: int
    cached: int = 0
    reasoning: int = 0


Part = Text | Reasoning | ToolCall | Usage


class ChatModel(Protocol):
    """Answers prompts. Every method raises ModelError."""

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

    async def structured(
        self, endpoint: Endpoint, turns: Sequence[Turn], schema: type[Structure]
    ) -> Structure:
        """Return an answer of this form: the struct's JSON schema goes to the model, its answer is checked.

        Raises:
            ModelError: MALFORMED, an answer came that does not fit; or as for `stream`.
        """
        ...

    async def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        ...

    async def close(self) -> None:
        """Give all connections back."""
        ...
