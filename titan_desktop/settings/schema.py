"""What a person can choose: frozen structs, each field with its default. Keys and passwords never stand here.

A file may hold more than these fields: a newer version's choices, which an older one keeps (`settings.file`).
"""

from typing import Annotated, Literal

import msgspec

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"
NO_EMBEDDER = "none"
"""The name of the embedding model that switches vectors off."""

Place = Literal["embedded", "docker", "external"]

Megabytes = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
"""Of 1,048,576 bytes."""

Days = Annotated[int, msgspec.Meta(ge=1, le=36_525)]
"""At least one; at most a century, which is for ever."""


Facts = Annotated[int, msgspec.Meta(ge=100, le=1_000_000)]


class ModelSettings(msgspec.Struct, frozen=True):
    """The chat model: any endpoint that speaks Chat Completions. An empty `base_url` means OpenAI's own."""

    base_url: str = ""
    name: str = ""


class EmbedderSettings(msgspec.Struct, frozen=True):
    """The embedding model: an empty `name` is the built-in one, `NO_EMBEDDER` is none.

    So passages leave the machine only when the person says so.
    """

    base_url: str = ""
    name: str = ""


class StoreSettings(msgspec.Struct, frozen=True):
    """Where each server comes from: started by us, by Docker Compose, or by somebody else (`TITAN_…_URL`)."""

    redis: Place = "embedded"
    postgres: Place = "embedded"
    graph: Place = "embedded"


class ArchiveSettings(msgspec.Struct, frozen=True):
    """How many days the record of what happened is kept; it holds for the core that starts next.

    Conversations, files and the index are not in it: they stay as long as the person keeps them.
    """

    days: Days = 365


class FolderSettings(msgspec.Struct, frozen=True):
    """What is read of Desktop and Downloads. A `.titanignore` in a folder leaves out more of it.

    Attributes:
        allowed: folders that are read although they hold the home, are hidden or the system's. Each is named
            exactly, as Titan names it when it refuses it: without links.
        hidden: whether files and folders are read whose names begin with a dot.
        largest_mb: a larger file is not read; it holds for the core that starts next.
    """

    allowed: tuple[str, ...] = ()
    hidden: bool = False
    largest_mb: Megabytes = 100


class MemorySettings(msgspec.Struct, frozen=True):
    """How many facts are kept; it holds for the core that starts next. The least used and not pinned go first."""

    facts: Facts = 10_000


class KeySettings(msgspec.Struct, frozen=True):
    """Addresses that OPENAI_API_KEY is meant for beside OpenAI's, each as scheme, host and port.

    A server on this machine has it only by standing here, because any program may listen on a port.
    """

    environment: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True):
    """All of it. Every field has a default, so an absent file is a good file."""

    language: Literal["system", "ru", "en"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    model: ModelSettings = ModelSettings()
    embedder: EmbedderSettings = EmbedderSettings()
    stores: StoreSettings = StoreSettings()
    archive: ArchiveSettings = ArchiveSettings()
    folders: FolderSettings = FolderSettings()
    memory: MemorySettings = MemorySettings()
    keys: KeySettings = KeySettings()
