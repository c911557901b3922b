"""What the server says when a test has not put words into its mouth."""

import json
import math
import re
import zlib
from collections.abc import Sequence
from typing import Any

DIMENSIONS = 256
FENCED = re.compile(r"^\[(\d+)\]\n<<<(\w+)\n([^\n]*)\n\n(.*?)\n\2>>>$", re.DOTALL | re.MULTILINE)
"""How `services/chat/prompt.py` fences a source: number, token, file name, text."""


def embedding(text: str) -> list[float]:
    """A unit vector of DIMENSIONS from the text's character trigrams: alike texts lie near each other."""
    padded = f"  {text.lower()} "
    vector = [0.0] * DIMENSIONS
    for start in range(len(padded) - 2):
        digest = zlib.crc32(padded[start : start + 3].encode())
        vector[digest % DIMENSIONS] += 1.0 if digest & 0x8000_0000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def tokens(text: str) -> list[str]:
    """Part a text as a model says it: word by word, each with the space behind it."""
    return re.findall(r"\S+\s*|\s+", text)


def derived_answer(body: dict[str, Any]) -> str:
    """Answer without a script: an object where a form is asked for, else the sources that the prompt has."""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        schema = form["json_schema"]["schema"]
        return json.dumps(example(schema, schema.get("$defs", {})))
    return repeated_sources(body["messages"])


def repeated_sources(messages: Sequence[dict[str, Any]]) -> str:
    """Repeat the first 120 characters of each fenced source of the last message, with its number and file name."""
    prompt = str(messages[-1]["content"])
    found = FENCED.findall(prompt)
    if not found:
        return "None of the files says anything about this."
    return "\n".join(
        f"{title} says: {' '.join(text.split())[:120]} [{number}]" for number, _, title, text in found
    )


def example(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return the least that fits a JSON schema, as a server does that forces the form on its model."""
    if "$ref" in schema:
        return example(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], definitions)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: example(field, definitions) for name, field in schema.get("properties", {}).items()}
    return {"array": [], "string": "", "integer": 0, "number": 0.0, "boolean": False}.get(str(kind))


def call_deltas(calls: Sequence[tuple[str, str]], *, whole: bool) -> list[dict[str, Any]]:
    """Return tool calls as they stream: whole under one index, or the heads first, then the arguments in turn."""

    def delta(index: int, function: dict[str, str], **head: str) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **head, "function": function}]}

    if whole:
        return [
            delta(0, {"name": name, "arguments": arguments}, id=f"call_{number}", type="function")
            for number, (name, arguments) in enumerate(calls)
        ]
    heads = [
        delta(number, {"name": name, "arguments": ""}, id=f"call_{number}", type="function")
        for number, (name, _) in enumerate(calls)
    ]
    fragments = [
        delta(number, {"arguments": arguments[start : start + 5]})
        for start in range(0, max((len(arguments) for _, arguments in calls), default=0), 5)
        for number, (_, arguments) in enumerate(calls)
        if arguments[start : start + 5]
    ]
    return heads + fragments


def refusal(body: dict[str, Any], refuses: Sequence[str]) -> dict[str, Any] | None:
    """Return what a server says that does not take a parameter of this request, None if it takes all."""
    if "stream_options" in refuses and "stream_options" in body:
        # As Mistral's endpoint says it.
        where = {"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"]}
        return {
            "object": "error",
            "message": {"detail": [where]},
            "type": "invalid_request_error",
            "code": None,
        }
    if "system" in refuses and body["messages"][0]["role"] == "system":
        # As vLLM says what Gemma's template raises.
        return {
            "object": "error",
            "message": "System role not supported",
            "type": "BadRequestError",
            "code": 400,
        }
    if "tools" in refuses and "tools" in body:
        # As Ollama says it.
        message = "registry.ollama.ai/library/gemma:2b does not support tools"
        return {"error": {"message": message, "type": "api_error", "param": None, "code": None}}
    if (body.get("response_format") or {}).get("type") in refuses:
        # As DeepSeek's endpoint says it.
        message = "This response_format type is unavailable now"
        return {
            "error": {"message": message, "type": "invalid_request_error", "code": "invalid_request_error"}
        }
    return None
