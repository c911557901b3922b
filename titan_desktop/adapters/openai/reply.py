"""Assembles a streamed answer from chunks, and normalises the differences between servers.

They differ where the protocol is silent or young. Reasoning comes as `reasoning_content` (DeepSeek, llama.cpp) or
`reasoning` (Ollama, vLLM, OpenRouter), sometimes as both. Ollama sends each tool call whole and all of them under
index 0 (ollama/ollama#15457). Usage comes with the last text or in a separate chunk after it.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from titan_desktop.ports.model import Part, Reasoning, Text, ToolCall, Usage


@dataclass
class _Call:
    """A tool call that is still incomplete."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Reply:
    """The answer so far.

    Attributes:
        finish: the finish reason, "" before it has come.
        said: whether there was any text.
        declined: whether the text says that the model will not answer.
        usage: None when the endpoint has not sent it.
    """

    def __init__(self) -> None:
        self.finish = ""
        self.said = self.declined = False
        self.usage: Usage | None = None
        self._calls: list[_Call] = []
        self._at_index: dict[int | None, _Call] = {}

    def take(self, chunk: Any) -> Iterator[Part]:
        """Yield a chunk's text and reasoning; calls and usage are kept until the end."""
        self.usage = _usage(getattr(chunk, "usage", None)) or self.usage
        for choice in getattr(chunk, "choices", None) or ():
            self.finish = choice.finish_reason or self.finish
            yield from self._take_delta(choice.delta)

    def calls(self) -> list[ToolCall]:
        """Return the tool calls, complete once `finish` has come."""
        return [
            ToolCall(call.id or f"call_{secrets.token_hex(8)}", call.name, call.arguments or "{}")
            for call in self._calls
        ]

    def _take_delta(self, delta: Any) -> Iterator[Part]:
        for name in ("reasoning_content", "reasoning"):
            if thought := _clean(getattr(delta, name, None)):
                yield Reasoning(thought)
                break
        refusal = _clean(getattr(delta, "refusal", None))
        if text := _clean(getattr(delta, "content", None)) or refusal:
            self.said = True
            self.declined = self.declined or bool(refusal)
            yield Text(text)
        for fragment in getattr(delta, "tool_calls", None) or ():
            self._take_call(fragment)

    def _take_call(self, fragment: Any) -> None:
        """Add a fragment to the call at its index; another id at the same index is another call."""
        index, call_id = getattr(fragment, "index", None), getattr(fragment, "id", None) or ""
        call = self._at_index.get(index)
        if call is None or (call_id and call.id and call_id != call.id):
            call = self._at_index[index] = _Call()
            self._calls.append(call)
        function = getattr(fragment, "function", None)
        call.id = call.id or call_id
        call.name = call.name or _clean(getattr(function, "name", None))
        call.arguments += _clean(getattr(function, "arguments", None))


def _usage(told: Any) -> Usage | None:
    prompt = getattr(told, "prompt_tokens", None)
    answer = getattr(told, "completion_tokens", None)
    if prompt is None and answer is None:
        return None
    cached = getattr(getattr(told, "prompt_tokens_details", None), "cached_tokens", None)
    reasoning = getattr(getattr(told, "completion_tokens_details", None), "reasoning_tokens", None)
    return Usage(prompt or 0, answer or 0, cached or 0, reasoning or 0)


def _clean(text: object) -> str:
    """Return text without half characters: a lone surrogate, of an emoji that was cut, becomes a question mark."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""
