"""Which parameter a refusal is about, word for word as servers say it, and how the request looks without it."""

import json
from typing import Any

import pytest

from titan_desktop.adapters.openai import concessions, refusal

ASKED: dict[str, Any] = {
    "messages": [{"role": "system", "content": "Rules."}, {"role": "user", "content": "What?"}],
    "temperature": 0.2,
    "max_tokens": 500,
    "tools": [{"type": "function"}],
}


def error(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, **more}})


@pytest.mark.parametrize(
    ("status", "body", "culprit"),
    [
        (
            400,
            error(
                "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1)"
                " value is supported.",
                param="temperature",
                code="unsupported_value",
            ),
            "temperature",
        ),
        (400, error("`temperature` is deprecated for this model."), "temperature"),
        (400, error("参数temperature不支持"), "temperature"),
        (400, error("该模型不支持system角色"), "system"),
        (
            400,
            error(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'"
                " instead.",
                param="max_tokens",
                code="unsupported_parameter",
            ),
            "max_tokens",
        ),
        (400, error("registry.ollama.ai/library/gemma:2b does not support tools", type="api_error"), "tools"),
        (404, error("No endpoints found that support tool use. To learn more …", code=404), "tools"),
        (
            400,
            error('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
            "tools",
        ),
        (
            422,
            '{"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"]}]}',
            "stream_options",
        ),
        (
            400,
            '{"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}',
            "system",
        ),
        (500, error("Jinja Exception: System role not supported", type="server_error", code=500), "system"),
        (
            400,
            error(
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                param="messages[0].role",
                code="unsupported_value",
            ),
            "system",
        ),
        (400, error("Conversation roles must alternate user/assistant/user/assistant/..."), "system"),
        (400, error("Only user and assistant roles are supported!"), "system"),
        (
            400,
            '[{"error": {"message": "Developer instruction is not enabled for models/gemma-3-27b-it"}}]',
            "system",
        ),
        (400, error("Invalid image."), None),
        (401, error("temperature"), None),
        (500, error("Internal Server Error"), None),
        (400, error("This model's maximum context length is 8192 tokens, and max_tokens is 500."), None),
    ],
)
def test_a_refusal_names_what_is_refused(status: int, body: str, culprit: str | None) -> None:
    asked = concessions.without(ASKED, ())
    assert concessions.culprit(refusal.read(body, status), asked) == culprit


def test_the_request_is_made_without_it() -> None:
    assert concessions.without(ASKED, {"temperature", "tools", "stream_options", "system"}) == {
        "messages": [{"role": "user", "content": "Rules.\n\nWhat?"}],
        "max_tokens": 500,
    }


def test_a_limit_has_two_names() -> None:
    """The newer one is used where the older is refused, and the other way round; where both are, none."""
    newer = {"messages": ASKED["messages"], "max_completion_tokens": 500}
    once = concessions.without(ASKED, {"max_tokens"})
    assert (once.get("max_tokens"), once["max_completion_tokens"]) == (None, 500)
    assert concessions.without(newer, {"max_completion_tokens"})["max_tokens"] == 500
    both = concessions.without(ASKED, {"max_tokens", "max_completion_tokens"})
    assert not {"max_tokens", "max_completion_tokens"} & both.keys()


def test_rules_go_before_a_question_with_an_image() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    messages = [{"role": "system", "content": "Rules."}, {"role": "user", "content": [image]}]
    asked = concessions.without({"messages": messages}, {"system"})
    assert asked["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Rules."}, image]}]
