"""What a person has chosen: read from `settings.toml`, overridden by the environment.

The window writes the file, the core reads it again when it hears `settings_changed`. Keys and passwords live in
the system's keyring (`adapters/keyring`).
"""

from titan_desktop.settings.address import is_endpoint, is_on_this_machine, origin, shown_url
from titan_desktop.settings.environment import VARIABLES, origin_of_key
from titan_desktop.settings.file import SettingsError, load, prepare, save, unknown_keys
from titan_desktop.settings.schema import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    NO_EMBEDDER,
    ArchiveSettings,
    EmbedderSettings,
    FolderSettings,
    KeySettings,
    ModelSettings,
    Place,
    Settings,
    StoreSettings,
)

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_MODEL",
    "NO_EMBEDDER",
    "VARIABLES",
    "ArchiveSettings",
    "EmbedderSettings",
    "FolderSettings",
    "KeySettings",
    "ModelSettings",
    "Place",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "is_endpoint",
    "is_on_this_machine",
    "load",
    "origin",
    "origin_of_key",
    "prepare",
    "save",
    "shown_url",
    "unknown_keys",
]
