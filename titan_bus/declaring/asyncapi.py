"""What a program takes from the bus and gives to it, as an AsyncAPI 3.0 document made from its `Handlers`.

A topic is a channel, an event type a message. On the wire an event is one JSON object; here its `payload` is the
message's payload and the rest of the envelope its headers. A handler is an operation that receives, what is
declared with `sends` one that sends; a handler whose result is annotated replies to whom `meta.reply_to` names.
What AsyncAPI has no word for stands under `x-titan-bus`. (asyncapi.com/docs/reference/specification/v3.0.0)
"""

import inspect
import itertools
import re
from collections.abc import Container
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from titan_bus import codec, names
from titan_bus.config import BusConfig
from titan_bus.declaring.handlers import Declared, Handlers
from titan_bus.declaring.signatures import Bound, type_name
from titan_bus.errors import UndescribableError
from titan_bus.event import Event

ASYNCAPI_VERSION = "3.0.0"
ANY_EVENT = "any"
"""The message of a handler that takes every event type of its topic."""
EXTENSION = "x-titan-bus"
_ENVELOPE = "titan_bus.Envelope"
_REPLIES = "titan_bus.replies"
_OBJECT = {"type": "object"}
_COMPONENT = "#/components/schemas/{name}"
_NO_COMPONENT = re.compile(r"[^A-Za-z0-9._-]")

Document = dict[str, Any]


def document(
    handlers: Handlers,
    config: BusConfig | None = None,
    *,
    title: str | None = None,
    version: str | None = None,
    description: str = "",
) -> Document:
    """Describe a program.

    Args:
        handlers: its handlers and declared publishes.
        config: its server, described without user and password; and its name.
        title: of the program; default: the `source` of `config` before its @.
        version: of the program; default: the `source` of `config` after its @.
        description: the purpose of the program, in CommonMark.

    Raises:
        UndescribableError: JSON Schema cannot describe the type of a payload or a result.
    """
    name, _, its_version = (config or BusConfig(url="redis://")).source.partition("@")
    info = {"title": title or name, "version": version or its_version or "0", "description": description}
    described = _Described(handlers)
    made: Document = {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {key: value for key, value in info.items() if value},
        "defaultContentType": "application/json",
        "servers": {} if config is None else _servers(config.url),
        "channels": described.channels,
        "operations": described.operations,
        "components": {"schemas": described.schemas},
    }
    # Through JSON, so that it contains no object of the program, and no part twice by reference.
    plain: Document = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def to_json(described: Document) -> str:
    """Return a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(described)).decode() + "\n"


def to_yaml(described: Document) -> str:
    """Return a document as YAML."""
    import yaml

    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=100)


class _Described:
    """The parts of a document that refer to each other."""

    def __init__(self, handlers: Handlers) -> None:
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self._keys: dict[str, dict[tuple[str | None, str], str]] = {}
        self._replies = _unused(
            _REPLIES, {one.topic for one in handlers} | {sent.topic for sent in handlers.sent()}
        )
        self._load_schemas(handlers)
        for sent in handlers.sent():
            schema = self._schema(sent.payload)
            message = self._message(sent.topic, sent.event_type, "", schema)
            self._operation("send", sent.topic, sent.event_type, message, sent.description)
        for declared in handlers:
            for event_type, bound in declared.routes.items():
                self._receive(declared, event_type, bound)

    def _load_schemas(self, handlers: Handlers) -> None:
        bounds = [bound for declared in handlers for bound in declared.routes.values()]
        named = [
            ("", Event),
            *((f"{sent.topic} {sent.event_type}", sent.payload) for sent in handlers.sent()),
        ]
        named += [(bound.name, kind) for bound in bounds for kind in (bound.payload, bound.returns)]
        kinds = [_describable(kind, where) for where, kind in named if kind is not None]
        schemas, components = _schemas(kinds)
        self._by_kind = list(zip(kinds, map(_plain, schemas), strict=True))
        event = _plain(components.pop(self._schema(Event)["$ref"].rpartition("/")[2]))
        event["properties"].pop("payload")
        event["required"].remove("payload")
        event["description"] = "All of an event but its payload."
        self.schemas = {_ENVELOPE: event} | {name: _plain(schema) for name, schema in components.items()}

    def _schema(self, kind: Any) -> dict[str, Any]:
        return next(dict(schema) for known, schema in self._by_kind if known is kind or known == kind)

    def _receive(self, declared: Declared, event_type: str | None, bound: Bound) -> None:
        schema = None if bound.payload is None else self._schema(bound.payload)
        if schema == _OBJECT:
            schema = None  # a plain dict: another description of this message is better
        message = self._message(declared.topic, event_type, declared.group, schema)
        operation = self._operation(
            "receive",
            declared.topic,
            f"{declared.group}.{event_type or ANY_EVENT}",
            message,
            bound.description,
        )
        operation[EXTENSION] = {"group": declared.group, "handler": bound.name}
        if bound.returns is not None:
            operation["reply"] = self._reply(f"{bound.name}.reply", self._schema(bound.returns))

    def _operation(self, action: str, topic: str, name: str, message: str, text: str) -> dict[str, Any]:
        channel = _pointer("channels", topic)
        operation: dict[str, Any] = {
            "action": action,
            "channel": {"$ref": channel},
            "messages": [{"$ref": message}],
        } | _said(text)
        self.operations[_unused(f"{action}.{topic}.{name}", self.operations)] = operation
        return operation

    def _message(self, topic: str, event_type: str | None, group: str, schema: dict[str, Any] | None) -> str:
        """Return the pointer to a message, which is created if the channel has no equal one."""
        stream = {"stream": names.stream_of(topic), "field": codec.FIELD.decode()}
        channel = self.channels.setdefault(topic, {"address": topic, "messages": {}, EXTENSION: stream})
        messages, key = channel["messages"], self._key(topic, event_type, "")
        message = messages.setdefault(key, _new_message(event_type))
        if schema is not None and message["payload"] not in (_OBJECT, schema):
            key = self._key(topic, event_type, group)  # this group decodes it as another struct
            message = messages.setdefault(key, _new_message(event_type))
        message["payload"] = schema or message["payload"]
        return _pointer("channels", topic, "messages", key)

    def _key(self, topic: str, event_type: str | None, group: str) -> str:
        """Return a message's key in its channel; `group` is empty for a message that all groups decode alike."""
        keys = self._keys.setdefault(topic, {})
        if (event_type, group) not in keys:
            name = ANY_EVENT if event_type is None else event_type
            keys[event_type, group] = _unused(f"{name}.{group}" if group else name, keys.values())
        return keys[event_type, group]

    def _reply(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        messages = self.channels.setdefault(
            self._replies, {"address": None, "description": "The stream of who asks.", "messages": {}}
        )["messages"]
        reply = {"name": "reply", "contentType": "application/json", "payload": schema}
        key = _NO_COMPONENT.sub("_", name)
        if messages.get(key, reply) != reply:
            key = _unused(key, messages)  # a function of this name in another module
        messages[key] = reply
        return {
            "address": {"location": "$message.header#/meta/reply_to"},
            "channel": {"$ref": _pointer("channels", self._replies)},
            "messages": [{"$ref": _pointer("channels", self._replies, "messages", key)}],
        }


def _unused(name: str, taken: Container[str]) -> str:
    """Return an unused name, with a number if necessary: joined with dots, different things may have one name."""
    numbered = (f"{name}.{number}" for number in itertools.count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _schemas(kinds: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return msgspec.json.schema_components(kinds, schema_hook=_hooked, ref_template=_COMPONENT)


def _hooked(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError


def _describable(kind: Any, where: str) -> Any:
    """Return a type that has a schema; each is checked alone, so that the error names it.

    Raises:
        UndescribableError: JSON Schema cannot describe it.
    """
    try:
        _schemas([kind])
    except (TypeError, NameError, RecursionError) as error:
        raise UndescribableError(where, type_name(kind)) from error
    return kind


def _new_message(event_type: str | None) -> dict[str, Any]:
    """Describe an event of which only the type is known; None is every type."""
    headers: dict[str, Any] = {"type": "object", "allOf": [{"$ref": _COMPONENT.format(name=_ENVELOPE)}]}
    if event_type is not None:
        headers["properties"] = {"event_type": {"const": event_type}}
    name = ANY_EVENT if event_type is None else event_type
    return {"name": name, "contentType": "application/json", "headers": headers, "payload": _OBJECT}


def _servers(url: str) -> dict[str, Any]:
    """Describe each host of a URL, without user, password and query."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        socket = {"host": "localhost", "pathname": parts.path, "protocol": "redis"}
        return {"bus": socket | {"description": "A unix socket."}}
    servers: dict[str, Any] = {}
    for host in parts.netloc.rpartition("@")[2].split(","):
        server = {"host": host or "localhost", "protocol": parts.scheme.replace("valkey", "redis")}
        path = {"pathname": parts.path} if parts.path.strip("/") else {}
        servers[_unused("bus", servers)] = server | path
    return servers


def _pointer(*steps: str) -> str:
    """Return a JSON pointer as the fragment of a URI (RFC 6901, section 6)."""
    return "#/" + "/".join(quote(step.replace("~", "~0").replace("/", "~1")) for step in steps)


def _said(text: str) -> dict[str, str]:
    """Return a docstring's first line as summary, and all of it as description if it is longer."""
    text = text.strip()
    summary = text.partition("\n")[0]
    return ({"summary": summary} if summary else {}) | ({"description": text} if text != summary else {})


def _plain(schema: Any) -> Any:
    """Convert msgspec's JSON Schema (2020-12, with OpenAPI's discriminator) to AsyncAPI's, which is draft 7."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: _plain(value) for key, value in schema.items() if key != "discriminator" or not _tags(value)
    }
    if isinstance(plain.get("prefixItems"), list):
        plain["additionalItems"] = plain.pop("items", True)
        plain["items"] = plain.pop("prefixItems")
    if isinstance(plain.get("description"), str):
        plain["description"] = inspect.cleandoc(plain["description"])
    return plain


def _tags(value: Any) -> bool:
    return isinstance(value, dict) and "propertyName" in value
