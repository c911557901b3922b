"""Assembles an answer from the objects of a stream, and normalises the differences between servers.

They differ where the protocol is silent or young. Reasoning comes as `reasoning_content` (DeepSeek, llama.cpp) or
`reasoning` (Ollama, vLLM, OpenRouter), sometimes as both; as parts of the content (Mistral); or within the text
(`thoughts`). Ollama sends each tool call whole and all of them under index 0 (ollama/ollama#15457). Usage comes
with the last text or in a separate object after it. A server that does not stream sends one whole `message`; some
that do (Perplexity) send all so far as a `message` beside each `delta`.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from titan_desktop.adapters.openai.thoughts import Splitter
from titan_desktop.ports.model import Part, Reasoning, Text, ToolCall, Usage, WereThoughts

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_text", "reasoning_details")
_THOUGHT_TYPES = ("thinking", "reasoning", "thought", "reasoning_content")
_TEXT_FIELDS = ("text", "content", "parts", "value", "summary")
_DEPTH_MAX = 4
"""How deep texts lie within parts: Mistral's `{"type": "thinking", "thinking": [{"type": "text", …}]}` is two."""


class Ending(Enum):
    """What a finish reason says. The servers have many words for four things."""

    NOT_YET = "not_yet"
    DONE = "done"
    LENGTH = "length"
    FILTERED = "filtered"
    BROKEN = "broken"


_ENDINGS = {
    "length": Ending.LENGTH,
    "max_tokens": Ending.LENGTH,  # Anthropic's and Gemini's word, from gateways before them
    "model_length": Ending.LENGTH,  # Mistral
    "model_context_window_exceeded": Ending.LENGTH,  # Anthropic, Z.ai
    "content_filter": Ending.FILTERED,
    "safety": Ending.FILTERED,  # Gemini
    "recitation": Ending.FILTERED,
    "prohibited_content": Ending.FILTERED,
    "refusal": Ending.FILTERED,  # Anthropic
    "sensitive": Ending.FILTERED,  # Z.ai
    "error": Ending.BROKEN,  # OpenRouter, Mistral
    "network_error": Ending.BROKEN,  # Z.ai
    "insufficient_system_resource": Ending.BROKEN,  # DeepSeek
    "abort": Ending.BROKEN,  # vLLM, SGLang
}


@dataclass
class _Call:
    """A tool call that is still incomplete."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Reply:
    """The answer so far.

    Args:
        opened: see `Splitter`.
        has_tools: tools were offered; a call of one that nobody offered is nothing.

    Attributes:
        finish: the finish reason as the server says it, "" before it has come.
        said: whether there was a word of text.
        heard: how many pieces of text, thoughts or calls have come, some of which are kept for later.
        declined: the text that says that the model will not answer, "" for none.
        usage: None when the endpoint has not sent it.
    """

    def __init__(self, *, opened: bool = False, has_tools: bool = True) -> None:
        self.finish = ""
        self.said = False
        self.heard = 0
        self.declined = ""
        self.usage: Usage | None = None
        self._splitter = Splitter(opened=opened)
        self._has_tools = has_tools
        self._choice: object = None
        self._has_delta = False
        self._half = ""
        self._calls: list[_Call] = []
        self._at_index: dict[object, _Call] = {}

    @property
    def ending(self) -> Ending:
        """What the finish reason says; an unknown one is an end."""
        return _ENDINGS.get(self.finish.lower(), Ending.DONE) if self.finish else Ending.NOT_YET

    @property
    def opened(self) -> bool:
        """Whether this model's next answer begins within thoughts."""
        return self._splitter.opened

    def take(self, chunk: Mapping[str, Any]) -> Iterator[Part]:
        """Yield an object's text and reasoning; calls and usage are kept until the end."""
        self.usage = _usage(chunk.get("usage")) or self.usage
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping) and self._is_ours(choice.get("index")):
                yield from self._noted(self._take_choice(choice))

    def rest(self, *, is_whole: bool) -> Iterator[Part]:
        """Yield what waited for the end. `is_whole`: the answer was not cut."""
        yield from self._noted(self._splitter.finish(cut=not is_whole))

    def calls(self) -> list[ToolCall]:
        """Return the tool calls, complete once `finish` has come."""
        return [
            ToolCall(call.id or f"call_{secrets.token_hex(8)}", call.name, call.arguments or "{}")
            for call in self._calls
        ]

    def _is_ours(self, index: object) -> bool:
        """Whether a choice is the one that is read: the first. A server may give several, in turn."""
        if self._choice is None:
            self._choice = index
        return index is None or index == self._choice

    def _noted(self, parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            if isinstance(part, Text):
                self.said = self.said or bool(part.text.strip())
            elif isinstance(part, WereThoughts):
                self.said = False
            yield part

    def _take_choice(self, choice: Mapping[str, Any]) -> Iterator[Part]:
        finish = choice.get("finish_reason")
        self.finish = finish if isinstance(finish, str) and finish else self.finish
        delta = choice.get("delta")
        self._has_delta = self._has_delta or bool(delta)
        if not self._has_delta:
            delta = choice.get("message")
        if isinstance(delta, Mapping):
            yield from self._take_delta(delta)

    def _take_delta(self, delta: Mapping[str, Any]) -> Iterator[Part]:
        for name in _THOUGHT_FIELDS:
            if thought := "".join(text for text, _ in _texts(delta.get(name))):
                self._splitter.thought_elsewhere()
                self.heard += 1
                yield Reasoning(thought)
                break
        for text, is_thought in _texts(self._whole(delta.get("content"))):
            self.heard += 1
            if is_thought:
                self._splitter.thought_elsewhere()
                yield Reasoning(text)
            else:
                yield from self._splitter.feed(text)
        if refusal := _clean(delta.get("refusal")):
            self.declined += refusal
            self.heard += 1
            yield Text(refusal)
        calls = delta.get("tool_calls")
        for fragment in calls if self._has_tools and isinstance(calls, list) else ():
            if isinstance(fragment, Mapping):
                self._take_call(fragment)

    def _whole(self, content: object) -> object:
        """Keep back the first half of a character, of a server that counts in UTF-16, until the second comes."""
        if not isinstance(content, str) or not content:
            return content
        content, self._half = self._half + content, ""
        if "\ud800" <= content[-1] <= "\udbff":
            content, self._half = content[:-1], content[-1]
        return content

    def _take_call(self, fragment: Mapping[str, Any]) -> None:
        """Add a fragment to the call at its index; another id at the same index is another call."""
        self.heard += 1
        index, call_id = fragment.get("index"), _clean(fragment.get("id"))
        index = index if isinstance(index, int) else None
        call = self._at_index.get(index)
        if call is None or (call_id and call.id and call_id != call.id):
            call = self._at_index[index] = _Call()
            self._calls.append(call)
        told = fragment.get("function")
        function = told if isinstance(told, Mapping) else {}
        call.id = call.id or call_id
        call.name = call.name or _clean(function.get("name"))
        call.arguments += _clean(function.get("arguments"))


def _texts(
    content: object, depth: int = _DEPTH_MAX, *, is_thought: bool = False
) -> Iterator[tuple[str, bool]]:
    """Yield the texts of a content, and whether each is a thought: it is a string, a part, or a list of parts."""
    if isinstance(content, str):
        if text := _clean(content):
            yield text, is_thought
    elif depth and isinstance(content, list):
        for part in content:
            yield from _texts(part, depth - 1, is_thought=is_thought)
    elif depth and isinstance(content, Mapping):
        is_thought = is_thought or content.get("type") in _THOUGHT_TYPES
        names = (*_THOUGHT_TYPES, *_TEXT_FIELDS) if is_thought else _TEXT_FIELDS
        held = next((content[name] for name in names if content.get(name)), None)
        yield from _texts(held, depth - 1, is_thought=is_thought)


def _usage(told: object) -> Usage | None:
    if not isinstance(told, Mapping):
        return None
    prompt, answer = _count(told, "prompt_tokens"), _count(told, "completion_tokens")
    if prompt is None and answer is None:
        return None
    cached = _count(told.get("prompt_tokens_details"), "cached_tokens")
    reasoning = _count(told.get("completion_tokens_details"), "reasoning_tokens")
    return Usage(prompt or 0, answer or 0, cached or 0, reasoning or 0)


def _count(told: object, name: str) -> int | None:
    count = told.get(name) if isinstance(told, Mapping) else None
    return count if isinstance(count, int) else None


def _clean(text: object) -> str:
    """Return text without half characters: two halves become one, the half of an emoji that was cut U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else ""
