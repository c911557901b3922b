"""What a person has chosen: one frozen struct, read from `settings.toml`, written atomically.

The window writes it, the core reads it again when `system.v1` says `settings_changed`. Keys and passwords never
stand here: they live in the system's keyring (`adapters/keyring`). The environment overrides the file.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import tomli_w

from titan_desktop import private

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"

Place = Literal["embedded", "docker", "external"]


VARIABLES = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "TITAN_MODEL",
    "TITAN_EMBEDDING_MODEL",
    "TITAN_REDIS_URL",
    "TITAN_POSTGRES_URL",
    "TITAN_NEO4J_URL",
)
"""The variables of the environment that decide something; the core's own count, read when it starts."""


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


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chat model: any endpoint that speaks Chat Completions. An empty `base_url` means OpenAI's own."""

    base_url: str = ""
    name: str = ""


class EmbedderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The embedding model. Off while `name` is empty: passages leave the machine only when the person says so."""

    base_url: str = ""
    name: str = ""


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each server comes from: started by us, by Docker Compose, or by somebody else (`TITAN_…_URL`)."""

    redis: Place = "embedded"
    postgres: Place = "embedded"
    graph: Place = "embedded"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. Every field has a default, so an absent file is a good file."""

    language: Literal["system", "ru", "en"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    model: ModelSettings = ModelSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    stores: StoreSettings = StoreSettings()


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
    return _with_environment(chosen, environment)


def _with_environment(chosen: Settings, environment: Mapping[str, str]) -> Settings:
    replace = msgspec.structs.replace
    base_url = environment.get("OPENAI_BASE_URL", "")
    model, embedder, stores = chosen.model, chosen.embedder, chosen.stores
    if base_url:
        model = replace(model, base_url=base_url)
        embedder = replace(embedder, base_url=base_url)
    if name := environment.get("TITAN_MODEL"):
        model = replace(model, name=name)
    if name := environment.get("TITAN_EMBEDDING_MODEL"):
        embedder = replace(embedder, name=name)
    for field, variable in (
        ("redis", "TITAN_REDIS_URL"),
        ("postgres", "TITAN_POSTGRES_URL"),
        ("graph", "TITAN_NEO4J_URL"),
    ):
        if environment.get(variable):
            stores = replace(stores, **{field: "external"})
    return replace(chosen, model=model, embedder=embedder, stores=stores)


def shown_url(url: str) -> str:
    """Return an endpoint's address as it may be told on the bus and on paper: without a user and a password."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def save(path: Path, settings: Settings) -> None:
    """Replace the file in one step; a crash leaves the old one or the new one, never half.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    private.make_folder(path.parent)
    private.replace(path, tomli_w.dumps(msgspec.to_builtins(settings)))
