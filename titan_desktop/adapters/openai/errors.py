"""The one table of an endpoint's errors, for chat and embeddings: maps class, status and code to a Fault.

Errors are never distinguished by their text, which differs from endpoint to endpoint.
See https://platform.openai.com/docs/guides/error-codes.
"""

import contextlib
import json
import math
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from titan_desktop.adapters.openai.masking import masked
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import Endpoint, ModelError

if TYPE_CHECKING:
    import openai

_CODES = {
    "context_length_exceeded": Fault.CONTEXT_TOO_LONG,
    "exceed_context_size_error": Fault.CONTEXT_TOO_LONG,  # llama.cpp, as the error's type
    "insufficient_quota": Fault.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": Fault.QUOTA_EXCEEDED,
    "rate_limit_exceeded": Fault.RATE_LIMITED,
    "invalid_api_key": Fault.WRONG_KEY,
    "model_not_found": Fault.MODEL_NOT_FOUND,
    "content_filter": Fault.REFUSED,
    "content_policy_violation": Fault.REFUSED,
}
_STATUSES = {
    401: Fault.WRONG_KEY,
    402: Fault.QUOTA_EXCEEDED,
    403: Fault.WRONG_KEY,
    408: Fault.TIMED_OUT,
    413: Fault.CONTEXT_TOO_LONG,
    429: Fault.RATE_LIMITED,
}


@contextlib.contextmanager
def translated(endpoint: Endpoint, *, proxy: str = "") -> Iterator[None]:
    """Raise ModelError for errors of the package and our own deadlines. The package must be loaded.

    Args:
        endpoint: what is asked; its key is in no detail.
        proxy: through which, as it may be told; an error on the way there names it.
    """
    import openai as package

    try:
        yield
    except (TimeoutError, package.APITimeoutError) as error:
        raise ModelError(Fault.TIMED_OUT) from error
    except package.APIConnectionError as error:
        cause = error.__cause__ or error
        detail = masked(str(cause) or type(cause).__name__, endpoint)
        raise ModelError(_on_the_way(error), f"{proxy}: {detail}" if proxy else detail) from error
    except package.APIResponseValidationError as error:
        raise ModelError(Fault.MALFORMED, type(error).__name__) from error
    except package.APIError as error:
        fault = _fault(error)
        if fault is Fault.WRONG_KEY and not endpoint.key:
            fault = Fault.KEY_MISSING
        raise ModelError(fault, masked(error.message, endpoint), retry_after_s=_wait_of(error)) from error
    except package.OpenAIError as error:
        raise ModelError(Fault.SERVER_ERROR, masked(str(error), endpoint)) from error
    except json.JSONDecodeError as error:  # the package lets a chunk that is no JSON through
        raise ModelError(Fault.MALFORMED, type(error).__name__) from error


def known_code(error: "openai.APIError") -> Fault | None:
    """Return the Fault of the error's code or type; None when it is unknown."""
    told: tuple[object, object] = (
        error.code,
        error.type,
    )  # whatever a server puts there: Azure's are numbers
    return next((_CODES[code] for code in told if isinstance(code, str) and code in _CODES), None)


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


def _fault(error: "openai.APIError") -> Fault:
    status: int | None = getattr(error, "status_code", None)
    if known := known_code(error):
        return known
    if status == 404:  # noqa: PLR2004
        # Ollama names no code. A 404 without an error object is no OpenAI-compatible endpoint at all.
        named = isinstance(error.body, dict) and "message" in error.body
        return Fault.MODEL_NOT_FOUND if named else Fault.UNREACHABLE
    if status in _STATUSES:
        return _STATUSES[status]
    if status is not None and 400 <= status < 500:  # noqa: PLR2004
        return Fault.REFUSED
    return Fault.SERVER_ERROR


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


def _wait_of(error: "openai.APIError") -> float:
    response = getattr(error, "response", None)
    return retry_after_s(response.headers) if response is not None else 0.0
