"""The one table of an endpoint's errors, for chat and embeddings: maps class, status and code to a Fault.

Errors are distinguished by their text, which differs from endpoint to endpoint, only where nothing else tells them
apart: a prompt that is too long (`context_length`), and what a 404 is about.
See https://platform.openai.com/docs/guides/error-codes.
"""

import contextlib
import json
import math
import re
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from titan_desktop.adapters.openai import context_length, refusal
from titan_desktop.adapters.openai.masking import masked
from titan_desktop.adapters.openai.refusal import Refusal
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError

if TYPE_CHECKING:
    import openai

_CODES = {
    "insufficient_quota": Fault.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": Fault.QUOTA_EXCEEDED,
    "rate_limit_exceeded": Fault.RATE_LIMITED,
    "invalid_api_key": Fault.WRONG_KEY,
    "model_not_found": Fault.MODEL_NOT_FOUND,
    "DeploymentNotFound": Fault.MODEL_NOT_FOUND,  # Azure
    "invalid_model": Fault.MODEL_NOT_FOUND,  # Mistral, as the error's type
    "content_filter": Fault.REFUSED,
    "content_policy_violation": Fault.REFUSED,
    "unknown_url": Fault.WRONG_ADDRESS,  # Groq
}
_STATUSES = {
    401: Fault.WRONG_KEY,
    402: Fault.QUOTA_EXCEEDED,
    403: Fault.WRONG_KEY,
    405: Fault.WRONG_ADDRESS,
    408: Fault.TIMED_OUT,
    429: Fault.RATE_LIMITED,
}
_NAMES_A_MODEL = re.compile(r"\bmodels?\b|no endpoints found for|模型", re.IGNORECASE | re.ASCII)
_NAMES_A_PATH = re.compile(
    r"unexpected endpoint|invalid url|unknown request url|no route|cannot post", re.IGNORECASE
)


class ToldError(ModelError):
    """An endpoint's refusal, with what it said: something may be left out of the next request.

    Attributes:
        told: what it said.
    """

    def __init__(
        self, fault: Fault, detail: str, told: Refusal, *, retry_after_s: float, context_tokens: int | None
    ) -> None:
        super().__init__(fault, detail, retry_after_s=retry_after_s, context_tokens=context_tokens)
        self.told = told


@contextlib.contextmanager
def translated(endpoint: Endpoint, *, proxy: str = "") -> Iterator[None]:
    """Raise ModelError for errors of the package and our own deadlines. The package must be loaded.

    Args:
        endpoint: what is asked; its key is in no detail.
        proxy: through which, as it may be told; an error on the way there names it.
    """
    import httpx2
    import openai as package

    try:
        yield
    except ModelError as error:  # an answer that its reader refused: its words are the endpoint's
        detail = masked(error.detail, endpoint)
        if detail == error.detail:
            raise
        raise ModelError(
            error.fault, detail, retry_after_s=error.retry_after_s, context_tokens=error.context_tokens
        ) from None
    except (TimeoutError, package.APITimeoutError, httpx2.TimeoutException) as error:
        raise ModelError(Fault.TIMED_OUT) from error
    except (package.APIConnectionError, httpx2.RequestError, ssl.SSLError) as error:
        cause = (error.__cause__ if isinstance(error, package.APIConnectionError) else None) or error
        detail = masked(str(cause) or type(cause).__name__, endpoint)
        raise ModelError(_on_the_way(error), f"{proxy}: {detail}" if proxy else detail) from error
    except package.APIResponseValidationError as error:
        raise ModelError(Fault.MALFORMED, type(error).__name__) from error
    except package.APIStatusError as error:
        told = refusal_of(error)
        raise fault_told(endpoint, told, retry_after_s=retry_after_s(error.response.headers)) from error
    except package.APIError as error:
        raise ModelError(Fault.SERVER_ERROR, masked(error.message, endpoint)) from error
    except package.OpenAIError as error:
        raise ModelError(Fault.SERVER_ERROR, masked(str(error), endpoint)) from error
    except json.JSONDecodeError as error:  # the package lets a chunk that is no JSON through
        raise ModelError(Fault.MALFORMED, type(error).__name__) from error


def refusal_of(error: "openai.APIStatusError") -> Refusal:
    """Read the body of an answer with an error's status."""
    return refusal.read(error.response.text, error.status_code)


def fault_told(endpoint: Endpoint, told: Refusal, *, retry_after_s: float = 0.0) -> ToldError:
    """Return the error for what an endpoint says, with its own sentence as the detail."""
    fault = fault_of(told)
    if fault is Fault.WRONG_KEY and not endpoint.key:
        fault = Fault.KEY_MISSING
    limit = context_length.limit_of(told) if fault is Fault.CONTEXT_TOO_LONG else None
    detail = masked(told.message, endpoint) or (f"HTTP {told.status}" if told.status else "")
    return ToldError(fault, detail, told, retry_after_s=retry_after_s, context_tokens=limit)


def wrong_address(endpoint: Endpoint, words: str) -> ModelError:
    """Return the error for an answer that no model's server gives: a page, a line of text."""
    return ModelError(Fault.WRONG_ADDRESS, masked(words, endpoint))


def known_code(told: Refusal) -> Fault | None:
    """Return the Fault of the refusal's code or type; None when it is unknown."""
    if context_length.is_too_long(told):
        return Fault.CONTEXT_TOO_LONG
    return next((_CODES[code] for code in told.codes if code in _CODES), None)


def fault_of(told: Refusal) -> Fault:
    """Return what a refusal is."""
    if known := known_code(told):
        return known
    status = told.status
    if status in _STATUSES:
        return _STATUSES[status]
    if told.is_object and _NAMES_A_PATH.search(told.message):
        return Fault.WRONG_ADDRESS
    if status == 404:  # noqa: PLR2004
        # Ollama, vLLM and OpenRouter have no code for a model that they do not have; llama.cpp has the same one
        # for a path. A path that leads nowhere is told by a page, a line, or an object that names no model.
        is_model = told.is_object and (
            told.param == "model" or _NAMES_A_MODEL.search(told.message) is not None
        )
        return Fault.MODEL_NOT_FOUND if is_model else Fault.WRONG_ADDRESS
    if status is not None and 400 <= status < 500:  # noqa: PLR2004
        return Fault.REFUSED
    return Fault.SERVER_ERROR


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Return how long an endpoint asks to wait, 0 when it does not say.

    It is given in seconds or as a date (RFC 9110, 10.2.3), or in OpenAI's own milliseconds.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            wait_s = float(headers[name]) * unit_s
            return max(wait_s, 0.0) if math.isfinite(wait_s) else 0.0
    with contextlib.suppress(KeyError, ValueError):
        until = parsedate_to_datetime(headers["retry-after"])
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max((until - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


def _on_the_way(error: BaseException) -> Fault:
    """Return what kept a request from its server: a certificate, a proxy, or the net."""
    import httpx2

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fault.CERTIFICATE_REFUSED
        if isinstance(cause, httpx2.ProxyError):
            return Fault.PROXY_UNUSABLE
        cause = cause.__cause__ or cause.__context__
    return Fault.UNREACHABLE
