"""What the servers say when a prompt is too long, word for word, with the limit that they tell."""

import json

import pytest

from titan_desktop.adapters.openai import refusal
from titan_desktop.adapters.openai.context_length import is_too_long, limit_of
from titan_desktop.adapters.openai.errors import fault_of
from titan_desktop.contracts.faults import Fault

BAD = "invalid_request_error"


def error(message: str, **more: object) -> str:
    return json.dumps({"error": {"message": message, **more}})


TOO_LONG = {
    "Zhipu": (400, error("Prompt 超长", code="1261"), None),
    "in Chinese": (400, error("输入的上下文长度超过模型最大限制 8192 tokens"), 8192),
    "OpenAI": (
        400,
        error(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001"
            " tokens. Please reduce the length of the messages.",
            type=BAD,
            code="context_length_exceeded",
        ),
        8192,
    ),
    "OpenAI, newer": (
        400,
        error(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            type=BAD,
            code="context_length_exceeded",
        ),
        None,
    ),
    "OpenAI, more than a minute allows": (
        429,
        error(
            "Request too large for gpt-4o in organization org-x on tokens per"
            " min (TPM): Limit 30000, Requested 45123. The input or output tokens must be reduced in order to run"
            " successfully.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
        30000,
    ),
    "Azure": (
        400,
        error(
            "This model's maximum context length is 16385 tokens. However, your messages resulted in 20000"
            " tokens.",
            type=BAD,
            param="messages",
            code="context_length_exceeded",
        ),
        16385,
    ),
    "vLLM": (
        400,
        json.dumps(
            {
                "object": "error",
                "message": "This model's maximum context length is 4096 tokens."
                " However, you requested 5000 tokens in the messages, Please reduce the length of the messages.",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            }
        ),
        4096,
    ),
    "vLLM, newer": (
        400,
        error(
            "This model's maximum context length is 16384 tokens. However, you requested 122946"
            " tokens (112946 in the messages, 10000 in the completion). Please reduce the length of the messages"
            " or completion.",
            type="BadRequestError",
            param=None,
            code=400,
        ),
        16384,
    ),
    "vLLM, the engine": (
        400,
        error(
            "The decoder prompt (length 5000) is longer than the maximum model length of 4096."
            " Make sure that `max_model_len` is no smaller than the number of text tokens.",
            code=400,
        ),
        4096,
    ),
    "vLLM, no room for an answer": (
        400,
        json.dumps(
            {
                "object": "error",
                "message": "max_tokens must be at least 1, got -186.",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            }
        ),
        None,
    ),
    "SGLang": (
        400,
        json.dumps(
            {
                "object": "error",
                "message": "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
                "type": "BadRequestError",
                "code": 400,
            }
        ),
        8192,
    ),
    "llama.cpp": (
        400,
        error(
            "the request exceeds the available context size, try increasing it",
            code=400,
            type="exceed_context_size_error",
            n_prompt_tokens=4476,
            n_ctx=4096,
        ),
        4096,
    ),
    "llama.cpp, in words": (
        400,
        error(
            "request (4476 tokens) exceeds the available context size (4096 tokens), try increasing it",
            code=400,
            type=BAD,
        ),
        4096,
    ),
    "llama-cpp-python": (400, error("Requested tokens (5000) exceed context window of 4096", type=BAD), 4096),
    "Ollama": (
        400,
        error("prompt too long; exceeded max context length by 5000 tokens", type="api_error"),
        None,
    ),
    "Ollama, embeddings": (400, error("the input length exceeds the context length", type="api_error"), None),
    "LM Studio": (
        400,
        json.dumps(
            {
                "error": "Trying to keep the first 6547 tokens when context the overflows. However,"
                " the model is loaded with context length of only 4096 tokens, which is not enough. Try to load"
                " the model with a larger context length, or provide a"
                " shorter input"
            }
        ),
        4096,
    ),
    "LM Studio, newer": (
        400,
        json.dumps(
            {
                "error": "The number of tokens to keep from the initial prompt is greater than"
                " the context length. Try to load the model with a larger context length, or provide a"
                " shorter input"
            }
        ),
        None,
    ),
    "Anthropic": (
        400,
        json.dumps(
            {
                "type": "error",
                "error": {"type": BAD, "message": "prompt is too long: 214850 tokens > 200000 maximum"},
            }
        ),
        200000,
    ),
    "Bedrock": (400, json.dumps({"message": "Input is too long for requested model."}), None),
    "TGI": (
        422,
        json.dumps(
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given:"
                " 5000 `inputs` tokens and 100 `max_new_tokens`",
                "error_type": "validation",
            }
        ),
        4096,
    ),
    "TGI, the input": (
        422,
        json.dumps(
            {
                "error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1168",
                "error_type": "validation",
            }
        ),
        1024,
    ),
    "OpenRouter": (
        400,
        error(
            "This endpoint's maximum context length is 131072 tokens. However, you requested about"
            " 150000 tokens (150000 of text input).",
            code=400,
        ),
        131072,
    ),
    "DeepSeek": (
        400,
        error(
            "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens"
            " (70000 in the messages, 0 in the completion).",
            type=BAD,
            param=None,
            code=BAD,
        ),
        65536,
    ),
    "Mistral": (
        400,
        json.dumps(
            {
                "object": "error",
                "message": "Prompt contains 150000 tokens and 0 draft tokens, too"
                " large for model with 131072 maximum context length",
                "type": "invalid_request_prompt",
                "code": "3051",
            }
        ),
        131072,
    ),
    "Groq": (
        400,
        error(
            "Please reduce the length of the messages or completion.",
            type=BAD,
            param="messages",
            code="context_length_exceeded",
        ),
        None,
    ),
    "Groq, more than a minute allows": (
        413,
        error(
            "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 12000",
            type="tokens",
            code="rate_limit_exceeded",
        ),
        6000,
    ),
    "Gemini": (
        400,
        json.dumps(
            [
                {
                    "error": {
                        "code": 400,
                        "status": "INVALID_ARGUMENT",
                        "message": "The input token count"
                        " (1196265) exceeds the maximum number of tokens allowed (1048575).",
                    }
                }
            ]
        ),
        1048575,
    ),
    "xAI": (
        400,
        json.dumps(
            {
                "code": "Client specified an invalid argument",
                "error": "This model's maximum prompt length"
                " is 131072 but the request contains 537812 tokens.",
            }
        ),
        131072,
    ),
    "Copilot": (
        400,
        error(
            "prompt token count of 130000 exceeds the limit of 128000",
            code="model_max_prompt_tokens_exceeded",
        ),
        128000,
    ),
    "MiniMax": (400, error("invalid params, context window exceeds limit (2013)", type=BAD), None),
    "Kimi": (
        400,
        error("Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)"),
        262144,
    ),
    "DashScope": (
        400,
        error("Range of input length should be [1, 129024]", code="invalid_parameter_error"),
        129024,
    ),
    "a gateway": (413, "<html><head><title>413 Request Entity Too Large</title></head></html>", None),
    "within a stream": (
        None,
        json.dumps({"error": {"message": "This model's maximum context length is 131,072 tokens."}}),
        131072,
    ),
}
OTHERS = {
    "a rate": (
        429,
        error(
            "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000."
            " Please try again in 2s.",
            type="tokens",
            code="rate_limit_exceeded",
        ),
        Fault.RATE_LIMITED,
    ),
    "a parameter": (
        400,
        error("max_tokens is too large: 5000. This model supports at most 4096 completion tokens"),
        Fault.REFUSED,
    ),
    "a key": (401, error("Your key's maximum context length is 8192 tokens."), Fault.WRONG_KEY),
    "a field": (
        422,
        json.dumps({"detail": [{"loc": ["body", "model"], "msg": "field required"}]}),
        Fault.REFUSED,
    ),
    "no model, vLLM": (
        404,
        error("The model `x` does not exist.", type="NotFoundError", code=404),
        Fault.MODEL_NOT_FOUND,
    ),
    "no model, Ollama": (404, error("model 'x' not found", type="not_found_error"), Fault.MODEL_NOT_FOUND),
    "no model, OpenRouter": (404, error("No endpoints found for x/y.", code=404), Fault.MODEL_NOT_FOUND),
    "no model, Azure": (
        404,
        error("The API deployment for this resource does not exist.", code="DeploymentNotFound"),
        Fault.MODEL_NOT_FOUND,
    ),
    "no model, Mistral": (
        400,
        json.dumps({"object": "error", "message": "Invalid model: x", "type": "invalid_model"}),
        Fault.MODEL_NOT_FOUND,
    ),
    "no path, FastAPI": (404, '{"detail":"Not Found"}', Fault.WRONG_ADDRESS),
    "no path, llama.cpp": (
        404,
        error("File Not Found", type="not_found_error", code=404),
        Fault.WRONG_ADDRESS,
    ),
    "no path, OpenAI": (
        404,
        error("Invalid URL (POST /v1/models/chat/completions)", type=BAD),
        Fault.WRONG_ADDRESS,
    ),
    "no path, Express": (
        404,
        "<!DOCTYPE html><html><body><pre>Cannot POST /chat</pre></body></html>",
        Fault.WRONG_ADDRESS,
    ),
    "no path, nothing said": (404, "", Fault.WRONG_ADDRESS),
    "no such method": (405, '{"detail":"Method Not Allowed"}', Fault.WRONG_ADDRESS),
    "a gateway": (502, "<html><head><title>502 Bad Gateway</title></head></html>", Fault.SERVER_ERROR),
    "named within a stream": (None, error("Provider returned error", code=429), Fault.RATE_LIMITED),
}


def told(status: int | None, body: str) -> refusal.Refusal:
    return refusal.read(body, status)


@pytest.mark.parametrize("server", TOO_LONG)
def test_a_prompt_that_is_too_long_is_recognised_and_its_limit_learned(server: str) -> None:
    status, body, limit = TOO_LONG[server]
    said = told(status, body)
    assert (is_too_long(said), limit_of(said), fault_of(said)) == (True, limit, Fault.CONTEXT_TOO_LONG)


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_something_else_is_not_taken_for_it(what: str) -> None:
    status, body, fault = OTHERS[what]
    assert fault_of(told(status, body)) is fault


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"error": ' * 5_000, "9" * 10_000, '"x"', "null", "[]", "[[]]", '{"error": {}}']
)
def test_any_body_is_read(body: str) -> None:
    assert told(400, body).status == 400
