"""Structured answers: a struct's JSON schema for the endpoint, and the validation of the answer."""

from typing import Any

import msgspec

from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import ModelError, Structure


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a struct's JSON schema in the subset of OpenAI's strict mode.

    The root is an object, every field is required, none may be added, and there are no defaults.
    See https://platform.openai.com/docs/guides/structured-outputs, "Supported schemas".
    """
    (reference,), definitions = msgspec.json.schema_components([kind])
    root = definitions[reference["$ref"].rpartition("/")[2]]
    strict: dict[str, Any] = _strict({**root, "$defs": definitions})
    return strict


def response_format(kind: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the request's parameter; `kind` is "json_schema" or "json_object"."""
    if kind != "json_schema":
        return {"type": kind}
    return {"type": kind, "json_schema": {"name": name, "schema": schema, "strict": True}}


def read(text: str, kind: type[Structure]) -> Structure:
    """Return the answer as a struct. Prose or a fence around the object is ignored.

    Raises:
        ModelError: MALFORMED, there is no object, or it does not match; the detail says where.
    """
    start, end = text.find("{"), text.rfind("}")
    try:
        return msgspec.json.decode(text[start : end + 1] if start >= 0 else "", type=kind)
    except msgspec.DecodeError as error:
        raise ModelError(Fault.MALFORMED, str(error)) from error


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    strict = {key: _strict(value) for key, value in node.items() if key not in {"default", "discriminator"}}
    if isinstance(node.get("properties"), dict):
        strict["required"] = list(node["properties"])
        strict["additionalProperties"] = False
    return strict
