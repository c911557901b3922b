"""Recognises a refusal because the prompt is too long, and reads the limit from it.

A few servers have a code for it. The others say it in a sentence, and nothing else in their answer distinguishes
it from any other bad request. So this module matches sentences, by their shape and not word for word; the tests
have the sentences of each server word for word.
"""

import re

from titan_desktop.adapters.openai.refusal import Refusal

LIMIT_MIN, LIMIT_MAX = 256, 100_000_000
"""Tokens. Another number is not the length of a context."""

_CODES = frozenset(
    {
        "context_length_exceeded",  # OpenAI, Azure, Groq, LM Studio, llama-cpp-python
        "exceed_context_size_error",  # llama.cpp, as the error's type
        "model_context_window_exceeded",  # Z.ai
        "context_window_exceeded",
        "request_too_large",  # Anthropic
        "prompt_too_long",
    }
)
_STATUSES = frozenset({None, 400, 413, 422, 429, 500})
"""None is an error object within a stream. Of a 429 only one that no waiting helps: more than a minute allows."""
_TOO_LONG = re.compile(
    r"""
    maximum\ (context|prompt|model|input)\ length  # OpenAI, vLLM, SGLang, DeepSeek, OpenRouter, xAI
    | (longer|larger|greater|bigger|more)\ than\ the\ (model'?s?\ |maximum\ )*(context|model)
    | context\ (length|size|window)\ (of\ only|is\ only|exceeded)  # LM Studio
    | exceed(s|ed|ing)?\ (the\ |its\ |max\ |available\ |maximum\ |configured\ |model'?s?\ |requested\ )*
      (context|token\ limit|number\ of\ tokens|input\ length|allowed\ input\ length)  # llama.cpp, Ollama, Gemini
    | context\ (length|size|window)\b.{0,40}\bexceed  # MiniMax
    | (prompt|input|request|messages?)\b.{0,30}\btoo\ (long|large)\b  # Anthropic, Ollama, Bedrock
    | too\ many\ (input\ |prompt\ )?tokens | token\ limit\ exceeded
    | (prompt|input)\ (token|length)\b.{0,60}\bexceeds  # Copilot
    | inputs?`?\ tokens?\ \+\ `?max_new_tokens`?\ must\ be | inputs`?\ must\ have\ less\ than\ \d+\ tokens  # TGI
    | range\ of\ input\ length\ should\ be  # DashScope
    | reduce\ (the|your)\ (length|prompt|input|context)  # Groq
    | max_tokens\ must\ be\ at\ least\ 1,\ got\ -  # vLLM
    | (上下文|输入|提示词|prompt|长度)[^。]{0,30}(超长|超过|超出|过长|太长)  # Zhipu and other Chinese servers
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LIMITS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"maximum (?:context|prompt|model|input) length (?:is|of)\s+(\d+)",
        r"(\d+) maximum context length",
        r"maximum number of tokens allowed \((\d+)\)",
        r"context (?:length|size|window)(?: is| of)?(?: only)?\s*\(?(\d+)",
        r"> (\d+) maximum",
        r"must be <= (\d+)",
        r"less than (\d+) tokens",
        r"\[1, (\d+)\]",
        r"maximum allowed input length of (\d+)",
        r"limit(?: of|:)?\s+(\d+)",
        r"(?:限制|上限|最大|长度)\D{0,12}(\d+)",
    )
)
_GROUPED = re.compile(r"(?<=\d),(?=\d\d\d)")


def is_too_long(refusal: Refusal) -> bool:
    """Whether the prompt is too long."""
    if refusal.status == 413 or _CODES.intersection(refusal.codes):  # noqa: PLR2004
        return True
    return refusal.status in _STATUSES and _TOO_LONG.search(refusal.message) is not None


def limit_of(refusal: Refusal) -> int | None:
    """Return the limit in tokens that a too long prompt's refusal tells, None for none."""
    named = (refusal.fields or {}).get("n_ctx")  # llama.cpp
    if isinstance(named, int):
        return _sane(named)
    message = _GROUPED.sub("", refusal.message)
    found = next((match for limit in _LIMITS if (match := limit.search(message))), None)
    return _sane(int(found[1])) if found else None


def _sane(tokens: int) -> int | None:
    return tokens if LIMIT_MIN <= tokens <= LIMIT_MAX else None
