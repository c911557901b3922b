"""How the server can fail, by name: with a status, or in the middle of a stream."""

STATUS_FAULTS: dict[str, tuple[int, str, str, str, dict[str, str]]] = {
    # name: status, type, code, message, headers -- as api.openai.com words them
    "invalid_api_key": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: sk-wrong-key-0123456789. You can find your API key in your account.",
        {},
    ),
    "permission_denied": (
        403,
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
        {},
    ),
    "model_not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
        {},
    ),
    "ollama_model_not_found": (404, "api_error", "", "model 'm' not found, try pulling it first", {}),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again in 20s.",
        {"Retry-After": "20"},
    ),
    "daily_limit": (
        429,
        "tokens",
        "rate_limit_exceeded",
        "Rate limit reached for tokens per day.",
        {"Retry-After": "86400"},
    ),
    "insufficient_quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
        {},
    ),
    "context_length_exceeded": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8192 tokens.",
        {},
    ),
    "content_policy_violation": (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
        {},
    ),
    "bad_request": (400, "invalid_request_error", "", "Unrecognized request argument supplied.", {}),
    "server_error": (500, "server_error", "", "The server had an error while processing your request.", {}),
}
STREAM_FAULTS = frozenset(
    {
        "drop",  # the connection breaks after `fault_after` tokens
        "hang_midway",  # nothing more comes after `fault_after` tokens
        "hang",  # nothing comes at all, not even a status line
        "error_in_stream",  # an error object instead of the next chunk
        "content_filter",  # ends after `fault_after` tokens with that finish reason
        "hangup",  # the connection is closed before a status line
        "no_done",  # a whole answer, after which the connection stays open
        "cut",  # ends cleanly, but without a finish reason or [DONE]
        "no_route",  # 404 as plain text: the base URL points somewhere else
        "html",  # a web page with status 200: the base URL points somewhere else
        "empty",  # a whole answer without a token
        "length",  # ends with that finish reason: the tokens were used up
    }
)
