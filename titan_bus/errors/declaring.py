"""Declarations and settings that cannot be used, and packages that are not installed."""

from typing import TYPE_CHECKING

from titan_bus.errors.root import BusError

if TYPE_CHECKING:
    from collections.abc import Sequence


class HandlerRefusedError(BusError):
    """A `handler` that cannot be declared or subscribed; `reason` says why, and how to fix it."""

    def __init__(self, handler: str, reason: str) -> None:
        super().__init__(f"{handler}: {reason}")
        self.handler = handler
        self.reason = reason


class UndescribableError(BusError, TypeError):
    """JSON Schema cannot describe the type `kind` in the handler or event `where`."""

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(
            f"{where}: {kind} is, or has in it, a type that JSON Schema cannot describe: annotate "
            "a msgspec.Struct, a dataclass, a TypedDict, or Any where it may be anything"
        )
        self.where = where
        self.kind = kind


class ConfigValueError(BusError, ValueError):
    """The setting `field` has an invalid value; `detail` says what it must be."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


FAULTS_SHOWN = 10
"""How many faults of a file an error lists."""


class ConfigError(BusError):
    """The configuration file at `path` cannot be used.

    Attributes:
        path: the file.
        line: the line, from 1; 0 when it is about the whole file.
        detail: what is wrong, and what to write instead.
        others: the other faults, by line; the sentence lists the first ten.
    """

    def __init__(self, path: str, line: int, detail: str, others: "Sequence[ConfigError]" = ()) -> None:
        said = [f"{path}:{line}: {detail}" if line else f"{path}: {detail}", *map(str, others)]
        if (rest := len(said) - FAULTS_SHOWN) > 0:
            said[FAULTS_SHOWN:] = [f"{path}: and {rest} more"]
        super().__init__("\n".join(said))
        self.path = path
        self.line = line
        self.detail = detail
        self.others = tuple(others)


class ExtraMissingError(BusError, ImportError):
    """`what` needs a package that is not installed; the extra `extra` of titan-bus installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs a package that is not installed: pip install 'titan-bus[{extra}]'")
        self.what = what
        self.extra = extra
