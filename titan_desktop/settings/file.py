"""`settings.toml`: read, and written atomically.

Keys that this version does not know have no effect and are kept: the file may be a newer version's, and a person
who goes back to that finds their choices again.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from titan_desktop.settings.environment import with_environment
from titan_desktop.settings.schema import Settings
from titan_desktop.system import private_files


class SettingsError(Exception):
    """The settings file cannot be used.

    Attributes:
        path: the file.
        reason: what is wrong with it, with the line or the key.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}. Correct the line, or delete the file to start from the defaults."
        )
        self.path = path
        self.reason = reason


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings and lay the environment over them.

    `OPENAI_BASE_URL`, `TITAN_MODEL` and `TITAN_EMBEDDING_MODEL` override the file; `TITAN_REDIS_URL`,
    `TITAN_POSTGRES_URL` and `TITAN_NEO4J_URL` make their store external.

    Raises:
        SettingsError: the file is not TOML, or a key has a value that it cannot have.
    """
    raw = _read(path)
    try:
        chosen = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(path, str(error)) from error
    return with_environment(chosen, environment)


def unknown_keys(path: Path) -> tuple[str, ...]:
    """Return the keys that have no effect in this version, as `table.key`; none of a file that cannot be read."""
    try:
        return tuple(_unknown(_read(path), Settings))
    except SettingsError:
        return ()


def save(path: Path, settings: Settings) -> None:
    """Replace the file in one step; a crash leaves the old one or the new one, never half.

    Unknown keys of the old one are kept.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    prepare(path, settings).take_place()


def prepare(path: Path, settings: Settings) -> private_files.Replacement:
    """Write the new file beside the old one, for `save` in two steps: something else may fail between them.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    private_files.make_folder(path.parent)
    try:
        old = _read(path)
    except SettingsError:  # the choices that are saved now are its cure
        old = {}
    return private_files.Replacement(path, tomli_w.dumps(_laid_over(old, msgspec.to_builtins(settings))))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(path, str(error)) from error


def _unknown(raw: Mapping[str, Any], kind: type[msgspec.Struct], table: str = "") -> Iterator[str]:
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in known:
            yield table + key
        elif isinstance(value, dict) and issubclass(known[key], msgspec.Struct):
            yield from _unknown(value, known[key], f"{table}{key}.")


def _laid_over(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return `new` with what `old` has beyond it, in tables too."""

    def both(key: str, value: Any) -> Any:
        former = old.get(key)
        return _laid_over(former, value) if isinstance(former, dict) and isinstance(value, dict) else value

    return {key: value for key, value in old.items() if key not in new} | {
        key: both(key, value) for key, value in new.items()
    }
