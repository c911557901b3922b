"""A strict subset of YAML: small, plain text without anchors, in nodes that have a line.

Anchors and aliases are refused (ten lines with them can make a billion values), and so are tags, a second
document, a duplicate key and deep nesting. Numbers are plain decimals: YAML's 0100 (64) and 1:30 (90) are refused.
`config.file` interprets the nodes.
"""

import re
from pathlib import Path

import yaml

from titan_bus.errors import ConfigError

FILE_BYTES_MAX = 256 * 1024
DEPTH_MAX = 16
_TAG = "tag:yaml.org,2002:"
_PLAIN = {_TAG + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_NUMBERS = {_TAG + "int", _TAG + "float"}
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*|(?=\.[0-9]))(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_WRITTEN_OUT = "anchors (&) and aliases (*) are not read: write the value out"

Entries = dict[str, tuple[yaml.Node, yaml.Node]]
"""A mapping's keys, each with the nodes of key and value."""


def compose(path: str) -> yaml.Node:
    """Parse a file.

    Raises:
        ConfigError: it is missing, not UTF-8, not YAML, empty, or not in the subset.
    """
    text = _text(path)
    try:
        _check(path, text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 0 if mark is None else mark.line + 1
        raise ConfigError(path, line, f"this is no YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise ConfigError(
            path, line, "a control character, which YAML does not allow: take it away"
        ) from error
    if root is None:
        raise ConfigError(path, 0, "it is empty")
    return root


def entries_of(path: str, node: yaml.MappingNode) -> Entries:
    """Return the entries of a mapping.

    Raises:
        ConfigError: a key is duplicate, or no word.
    """
    found: Entries = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(path, line_of(key), "a key is a word, not a list or a mapping")
        if key.value in found:
            first = line_of(found[key.value][0])
            raise ConfigError(
                path, line_of(key), f"{key.value} is there twice, first on line {first}: keep one"
            )
        found[key.value] = (key, value)
    return found


def scalar_of(node: yaml.ScalarNode) -> object:
    """Return the text, number, truth value or None that a node is.

    Raises:
        ValueError: it is a number to YAML and not in plain decimal digits, as 0100, 0x64, 1:30, 1_000 and .inf
            are; or `=` or `<<`, which have no meaning as a value; or is not what its tag says.
    """
    if node.tag in _NUMBERS and _DECIMAL.fullmatch(node.value) is None:
        raise ValueError("a number is written in plain decimal digits")
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (yaml.constructor.ConstructorError, KeyError) as error:  # KeyError: !!bool maybe
        raise ValueError(f"{node.value!r} is not what its tag says") from error


def is_null(node: yaml.Node) -> bool:
    """Whether a node is empty or `null`."""
    return bool(node.tag == _TAG + "null")


def line_of(node: yaml.Node) -> int:
    """Return a node's line, from 1."""
    return int(node.start_mark.line) + 1


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(path, 0, f"it cannot be read: {error.strerror or error}") from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigError(path, 0, f"it is longer than {FILE_BYTES_MAX} bytes: is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(path, line, "it is not UTF-8: save it as UTF-8") from error


def _check(path: str, text: str) -> None:
    """Check the text before nodes are composed: the parser does not recurse, the composer does."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if getattr(event, "anchor", None) is not None:  # an AliasEvent has one too
            raise ConfigError(path, line, _WRITTEN_OUT)
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _PLAIN:
            raise ConfigError(path, line, f"the tag {tag} is not read: write the value without it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEPTH_MAX:
            raise ConfigError(path, line, f"more than {DEPTH_MAX} lists and mappings in one another")
        if documents > 1:
            raise ConfigError(path, line, "a second document begins here (---): a file has one")
