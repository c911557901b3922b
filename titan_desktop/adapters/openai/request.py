"""Builds a Chat Completions request: messages with images, calls and results; tools; the form of an answer."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from titan_desktop.ports.model import Image, Tool, ToolCall, Turn


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return the turns as messages."""
    return [_message(turn) for turn in turns]


def tools(offered: Sequence[Tool]) -> list[dict[str, Any]]:
    """Return the tools as functions."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in offered
    ]


def with_schema(turns: Sequence[Turn], schema: Mapping[str, Any]) -> list[Turn]:
    """Return the turns with the schema of the answer in the prompt, too.

    A server that enforces the schema does not show it to the model, and another ignores it. It is in the first
    message, because some models' templates accept a system message only there.
    """
    told = (
        "Answer with one JSON object and nothing else. It has to fit this JSON schema:\n"
        f"{json.dumps(schema, ensure_ascii=False)}"
    )
    if turns and turns[0].role == "system":
        return [Turn("system", f"{turns[0].text}\n\n{told}"), *turns[1:]]
    return [Turn("system", told), *turns]


def _message(turn: Turn) -> dict[str, Any]:
    match turn.role:
        case "tool":
            return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
        case "assistant" if turn.calls:
            return {
                "role": "assistant",
                "content": turn.text or None,
                "tool_calls": [_call(call) for call in turn.calls],
            }
    if not turn.images:
        return {"role": turn.role, "content": turn.text}
    text = [{"type": "text", "text": turn.text}] if turn.text else []
    return {"role": turn.role, "content": [*text, *(_image(image) for image in turn.images)]}


def _call(call: ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _image(image: Image) -> dict[str, Any]:
    content = base64.b64encode(image.content).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{content}"}}
