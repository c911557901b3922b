"""What a person has chosen: read from `settings.toml`, overridden by the environment.

The window writes the file, the core reads it again when it hears `settings_changed`. Keys and passwords live in
the system's keyring (`adapters/keyring`).
"""

from titan_desktop.settings.environment import VARIABLES
from titan_desktop.settings.file import SettingsError, load, save, unknown_keys
from titan_desktop.settings.schema import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    ArchiveSettings,
    EmbedderSettings,
    ModelSettings,
    Place,
    Settings,
    StoreSettings,
    shown_url,
)

__all__ = [
    "DEFAULT_BASE_URL",
    "DEFAULT_MODEL",
    "VARIABLES",
    "ArchiveSettings",
    "EmbedderSettings",
    "ModelSettings",
    "Place",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "load",
    "save",
    "shown_url",
    "unknown_keys",
]
