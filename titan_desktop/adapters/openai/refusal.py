"""Reads an endpoint's refusal, whatever its form: an object, a list, a string, a web page, nothing.

OpenAI's is `{"error": {"message", "type", "param", "code"}}`. vLLM once sent the inner object bare, Ollama and
LM Studio a string as `error`, FastAPI (vLLM, many gateways) `{"detail": …}`, Gemini a list of one, Cloudflare
`{"errors": […]}`, MiniMax `{"base_resp": {"status_code", "status_msg"}}`; a gateway in between sends a web page.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

READ_CHARS_MAX = 10_000
"""What an endpoint says is looked at so far; the patterns that run over it stay cheap."""

_TITLE = re.compile(r"<(title|h1)\b[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{1,500}>")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An endpoint's refusal.

    Attributes:
        status: the HTTP status, or the one that the object names; None for none.
        message: the endpoint's sentence; "" when it says nothing.
        codes: its code and type, as far as they are words.
        param: the parameter that it is about, "" for none.
        fields: the object with the sentence.
        is_object: it is an error object, not a page, a line of text or nothing.
    """

    status: int | None
    message: str
    codes: tuple[str, ...] = ()
    param: str = ""
    fields: Mapping[str, Any] | None = None
    is_object: bool = False


def read(body: str, status: int | None = None) -> Refusal:
    """Read the body of a refusal."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Refusal(status, _plain(body))
    return of_object(told, status) or Refusal(status, _plain(body))


def read_any(body: str) -> Refusal | None:
    """Read a body with status 200; None when it is no error object."""
    try:
        return of_object(json.loads(body))
    except (ValueError, RecursionError):
        return None


def of_object(told: object, status: int | None = None) -> Refusal | None:
    """Read a decoded object; None when it says no error."""
    if isinstance(told, list):
        return of_object(told[0], status) if told else None
    if not isinstance(told, Mapping):
        return None
    error, base = told.get("error"), told.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code") and not told.get("choices"):
        error = base.get("status_msg")
    if isinstance(error, Mapping) and error:
        return _of_fields({**told, **error}, status)
    if isinstance(error, str) and error:
        return _of_fields({**told, "message": error}, status)
    if status is not None or told.get("object") == "error" or told.get("type") == "error":
        return _of_fields(told, status)
    return None


def of_event(data: str) -> Refusal:
    """Read the data of an event that is called "error"."""
    told = read(data)
    if told.is_object:
        return told
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return told
    return _of_fields(fields, None) if isinstance(fields, Mapping) else Refusal(None, _plain(str(fields)))


def _of_fields(fields: Mapping[str, Any], status: int | None) -> Refusal:
    code, param = fields.get("code"), fields.get("param")
    if status is None and isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)):
        status = int(code)
    sentences = (_sentence(fields.get(name)) for name in ("message", "detail", "msg", "error", "errors"))
    words = (code, fields.get("type"), fields.get("status"), fields.get("error_type"))
    return Refusal(
        status=status,
        message=next(filter(None, sentences), "")[:READ_CHARS_MAX],
        codes=tuple(word for word in words if isinstance(word, str) and word),
        param=param if isinstance(param, str) else "",
        fields=fields,
        is_object=True,
    )


def _sentence(told: object) -> str:
    """Return what stands in a message: a string, or, from servers that check types, where what is wrong."""
    if isinstance(told, str):
        return told.strip()
    if isinstance(told, list | Mapping) and told:
        return "; ".join(_leaves(told)) or json.dumps(told, ensure_ascii=False)
    return ""


def _leaves(told: object) -> Iterator[str]:
    if isinstance(told, Mapping):
        where = told.get("loc")
        said = told.get("msg") or told.get("message") or told.get("detail") or told.get("type")
        named = ".".join(map(str, where)) if isinstance(where, list) else ""
        if isinstance(said, str):
            yield f"{named}: {said}" if named else said
        else:
            yield from _leaves(said)
    elif isinstance(told, list):
        for item in told[:5]:
            yield from _leaves(item)


def _plain(body: str) -> str:
    """Return a page's title, or the first line of a text."""
    body = body[:READ_CHARS_MAX].strip()
    if body.startswith("<"):
        title = _TITLE.search(body)
        body = title[2] if title else _TAG.sub(" ", body)
        body = html.unescape(" ".join(body.split()))
    return body.partition("\n")[0].strip()
