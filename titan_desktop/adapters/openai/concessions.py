"""What an endpoint does not accept, and how a request is repeated without it.

Some endpoints refuse a parameter that others need. The request is repeated without it, and what helped is
remembered for the model at that address. A refused parameter is named in the refusal. A refused response format
often is not: servers fail at a schema in their own words. So any refusal without a known code is attributed to
the format.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from titan_desktop.adapters.openai.errors import known_code
from titan_desktop.adapters.openai.refusal import Refusal

SYSTEM = "system"
"""Stands among the parameters for the system's turn, which some models' templates do not know."""

_OPTIONAL = ("stream_options", "temperature", "tools")
_SUCCESSORS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""OpenAI's reasoning models refuse the former, servers of before 2024 the latter."""
_REFUSING = frozenset({None, 400, 404, 422, 500, 501})
"""None: an event of the stream, LM Studio's way; 404: OpenRouter, "No endpoints found that support tool use"; 500:
a template's error in llama.cpp."""
_NO_SYSTEM = re.compile(
    r"\bsystem\b.{0,20}(\b(role|message|prompt|instruction)|角色|消息|提示)|(\brole\b|角色).{0,40}\bsystem\b|'system'"
    r"|\b(roles?)\b.{0,60}\b(alternate|supported)\b|developer instruction is not enabled",
    re.IGNORECASE | re.ASCII,
)  # Gemma, Mistral 0.1 and others' templates, in vLLM, SGLang, llama.cpp; o1-mini; Gemini's endpoint for Gemma
_NO_TOOLS = re.compile(r"\b(tools?|function.?call(s|ing)?)\b", re.IGNORECASE | re.ASCII)


def without(body: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
    """Return the request without what the endpoint refuses, and with the strictest form that it accepts."""
    asked = {name: value for name, value in body.items() if name not in refused or name in _SUCCESSORS}
    for name, successor in _SUCCESSORS.items():
        if name in refused and name in body:
            del asked[name]
            if successor not in refused:
                asked[successor] = body[name]
    if "stream_options" not in refused:
        asked["stream_options"] = {"include_usage": True}
    forms = [form for form in asked.pop("response_format", ()) if form["type"] not in refused]
    if forms:
        asked["response_format"] = forms[0]
    if SYSTEM in refused:
        asked["messages"] = _rules_in_question(asked["messages"])
    return asked


def culprit(told: Refusal, asked: Mapping[str, Any]) -> str | None:
    """Return the part of this request that the endpoint refuses, None if that is not known."""
    if told.status not in _REFUSING or known_code(told) is not None:
        return None
    for name in (*_OPTIONAL, *_SUCCESSORS):
        if name in asked and (told.param == name or re.search(rf"\b{name}\b", told.message, re.ASCII)):
            return name
    if "tools" in asked and _NO_TOOLS.search(told.message):
        return "tools"
    if asked["messages"][0]["role"] == "system" and (
        told.param == "messages[0].role" or _NO_SYSTEM.search(told.message)
    ):
        return SYSTEM
    form = asked.get("response_format")
    return form["type"] if form and told.status in {400, 422} else None


def _rules_in_question(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages with the system's text in front of the person's first one."""
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    rules, rest = str(messages[0]["content"]), list(messages[1:])
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": rules}, *rest]
    first = rest[0]["content"]
    if isinstance(first, str):
        merged: str | list[dict[str, Any]] = f"{rules}\n\n{first}"
    else:
        merged = [{"type": "text", "text": rules}, *first]
    return [{**rest[0], "content": merged}, *rest[1:]]
