"""A chat model behind an endpoint. Called by the chat service, implemented by `adapters/openai`."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from titan_desktop.contracts.chat import Fault


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Which model to ask, and with what key. `key` is "" for a local server that wants none."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


class LlmError(Exception):
    """The model gave no answer, or broke off in the middle of one; what came before it counts as said.

    Attributes:
        fault: why, for the sentence and the cure that a person reads.
        detail: what the endpoint said, never with a key in it.
    """

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail


class Llm(Protocol):
    """Streams answers."""

    def stream(self, endpoint: Endpoint, turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece, pieces never empty.

        Closing the generator, or cancelling the task that reads it, hangs up on the endpoint. Read it within
        `contextlib.aclosing`.

        Raises:
            LlmError: from the first step or any later one.
        """
        ...

    async def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        ...

    async def close(self) -> None:
        """Give all connections back."""
        ...
