"""The configuration file: YAML in, a `BusConfig` out, and for all faults the line and what to write instead.

    redis:
      url: redis://:${REDIS_PASSWORD}@localhost:6379
    source: shop@v1
    streams:
      - {name: orders.v1, maxlen: 1000000, rate_limit: 500, retry_limit: 5}
    priority_weights: {high: 3, medium: 2, low: 1}

`redis.url` stands where the specification has it; every other key is a field of `BusConfig`, by its name.
`${NAME}` in a text is a variable of the environment, so that no secret need stand in the file; in a URL it has to
be percent-encoded as everything there. `$$` is one dollar sign.

`load` reads one small file and is made for a program's start; in a running loop call it in a thread.
"""

import contextlib
import difflib
import math
import os
import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import yaml
from msgspec import inspect

from titan_bus.config.yaml import Entries, compose, entries_of, is_null, line_of, scalar_of
from titan_bus.errors import ConfigError, ConfigValueError

_NAME = re.compile(r"[\w.()-]+", re.ASCII)
_VARIABLE = re.compile(r"\$(?:\$|\{([^}]{0,255})\})")  # bounded: many that nobody closes would take for ever


class _Redis(msgspec.Struct):
    """The content of `redis`."""

    url: str


class _NotedError(Exception):
    """This part of the file cannot be used; the reason was recorded."""


_Fields = dict[str, inspect.Field]


C = TypeVar("C")


def load(path: str | os.PathLike[str], schema: type[C]) -> C:
    """Read a configuration file.

    Args:
        path: the file.
        schema: `BusConfig`, which calls this function and passes itself.

    Raises:
        ConfigError: the file cannot be read, or has faults: all of them, each with its line.
    """
    config: C = _File(os.fspath(path), schema).config()
    return config


class _File:
    """One file being converted to a configuration; the path is for errors."""

    def __init__(self, path: str, schema: type[Any]) -> None:
        self._path = path
        self._schema = schema
        self._faults: list[ConfigError] = []

    def config(self) -> Any:
        root = compose(self._path)
        config = None
        with self._noting():
            config = self._whole(root)
        if config is None or self._faults:
            first, *others = sorted(self._faults, key=lambda fault: fault.line)
            raise ConfigError(self._path, first.line, first.detail, others)
        return config

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Record a fault and continue, so that all faults of a file are reported at once."""
        try:
            yield
        except ConfigError as error:
            self._faults.append(error)
        except _NotedError:
            pass

    def _whole(self, root: yaml.Node) -> Any:
        entries = self._entries(root, "the file")
        values: dict[str, Any] = {"url": "redis://"}  # when it is wrong, the rest is checked all the same
        redis = entries.pop("redis", None)
        with self._noting():
            if redis is None:
                raise self._error(root, "redis.url is missing: write `redis: {url: redis://localhost:6379}`")
            values["url"] = self._struct(_Redis, redis[1], "redis").url
        fields = _fields_of(self._schema)
        del fields["url"]
        values |= self._values(entries, fields, "")
        return self._made(self._schema, values, root, entries | ({"url": redis} if redis else {}))

    def _struct(self, cls: type[Any], node: yaml.Node, path: str) -> Any:
        entries = self._entries(node, path)
        fields = _fields_of(cls)
        values = self._values(entries, fields, f"{path}.")
        for name, field in fields.items():
            if field.required and name not in entries:
                raise self._error(node, f"{path}.{name} is missing")
        return self._made(cls, values, node, entries)

    def _made(self, cls: type[Any], values: dict[str, Any], node: yaml.Node, entries: Entries) -> Any:
        """Build the struct, which checks the values.

        Each value that it refuses is recorded and left out, so that the next one is checked.
        """
        needed = {name for name, field in _fields_of(cls).items() if field.required}
        while needed <= values.keys():
            try:
                return cls(**values)
            except ConfigValueError as error:
                name, _, index = error.field.partition("[")
                place = entries[name][1] if name in entries else node
                if index and isinstance(place, yaml.SequenceNode):
                    place = place.value[int(index.rstrip("]"))]
                self._faults.append(self._error(place, str(error)))
                if values.pop(name, None) is None:
                    break
        raise _NotedError

    def _entries(self, node: yaml.Node, path: str) -> Entries:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{path} has to be a mapping: lines of `key: value`")
        return entries_of(self._path, node)

    def _values(self, entries: Entries, fields: _Fields, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, (key, node) in entries.items():
            with self._noting():
                if name not in fields:
                    raise self._error(key, f"there is no {path}{name}{_cure(name, path, fields)}")
                values[name] = self._value(node, fields[name].type, path + name)
        return values

    def _value(self, node: yaml.Node, kind: inspect.Type, path: str) -> Any:
        if isinstance(kind, inspect.UnionType):
            if is_null(node):
                return None
            kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
        if isinstance(kind, inspect.StructType):
            return self._struct(kind.cls, node, path)
        if isinstance(kind, inspect.VarTupleType):
            if not isinstance(node, yaml.SequenceNode):
                raise self._error(node, f"{path} has to be a list: lines of `- ...`")
            items: list[Any] = []
            for at, item in enumerate(node.value):
                with self._noting():
                    items.append(self._value(item, kind.item_type, f"{path}[{at}]"))
            if len(items) < len(node.value):
                raise _NotedError  # a list without this part would mean something else
            return tuple(items)
        if isinstance(kind, inspect.DictType):
            pairs: dict[Any, Any] = {}
            for name, (key, value) in self._entries(node, path).items():
                within = f"{path}.{name}"
                pairs[self._scalar(key, kind.key_type, within)] = self._value(value, kind.value_type, within)
            return pairs
        return self._scalar(node, kind, path)

    def _scalar(self, node: yaml.Node, kind: inspect.Type, path: str) -> Any:
        wanted, given = _words(kind), None
        if isinstance(node, yaml.ScalarNode):
            try:
                given = scalar_of(node)
            except ValueError:
                given = node
            if isinstance(given, str):
                given = self._expanded(given, node)
            if _fits(given, kind):
                return kind.cls(given) if isinstance(kind, inspect.EnumType) else given
        raise self._error(node, f"{path} has to be {wanted}, not {_what(node, given)}{_written(kind, given)}")

    def _expanded(self, text: str, node: yaml.Node) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name is None:
                return "$"
            if not _NAME.fullmatch(name):
                raise self._error(
                    node, f"{found[0]} names no variable: write ${{NAME}}, or ${found[0]} for the text"
                )
            if name not in os.environ:
                raise self._error(
                    node, f"the environment has no {name}: set it, or write $${{{name}}} for the text"
                )
            return os.environ[name]

        return _VARIABLE.sub(value, text)

    def _error(self, node: yaml.Node, detail: str) -> ConfigError:
        return ConfigError(self._path, line_of(node), detail)


def _fields_of(cls: type[Any]) -> _Fields:
    kind = inspect.type_info(cls)
    assert isinstance(kind, inspect.StructType)  # noqa: S101 -- only called for structs
    return {field.encode_name: field for field in kind.fields}


def _cure(name: str, path: str, fields: _Fields) -> str:
    if name == "url" and not path:
        return "; the server's address stands under redis: `redis: {url: ...}`"
    near = difflib.get_close_matches(name.lower(), fields, 1)
    return f"; did you mean {path}{near[0]}?" if near else f"; there are {', '.join(fields)}"


def _fits(value: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and -math.inf < value < math.inf
            )
        case inspect.EnumType():
            return value in [member.value for member in kind.cls]
        case inspect.LiteralType():
            return value in kind.values
        case _:
            return isinstance(value, str)


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.EnumType():
            return "one of " + ", ".join(str(member.value) for member in kind.cls)
        case inspect.LiteralType():
            return "one of " + ", ".join(str(value) for value in kind.values)
        case _:
            return "text"


def _written(kind: inspect.Type, given: object) -> str:
    """Return how to write the wanted type, if the given value was perhaps meant so."""
    match kind:
        case inspect.StrType() if given is not None:
            return ": put it in quotes"
        case inspect.IntType() if isinstance(given, str | yaml.Node):
            return ": write it in plain digits, as 1000"
        case inspect.FloatType() if isinstance(given, str | yaml.Node):
            return ": write it in plain digits, as 1000 or 0.5"
        case _:
            return ""


def _what(node: yaml.Node, value: object) -> str:
    """Describe the given value without showing it: it may be a secret."""
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "this text"
    return "nothing" if value is None else "this number" if isinstance(value, int | float) else "this"
