"""`settings.toml`: read, and written atomically."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

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
        SettingsError: the file is not TOML, or has an unknown key or a wrong type.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
        chosen = msgspec.convert(raw, Settings)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(path, str(error)) from error
    return with_environment(chosen, environment)


def save(path: Path, settings: Settings) -> None:
    """Replace the file in one step; a crash leaves the old one or the new one, never half.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    private_files.make_folder(path.parent)
    private_files.replace(path, tomli_w.dumps(msgspec.to_builtins(settings)))
