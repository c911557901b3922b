"""The environment's variables that override the settings file."""

from collections.abc import Mapping

import msgspec

from titan_desktop.settings.address import origin
from titan_desktop.settings.schema import DEFAULT_BASE_URL, Settings

VARIABLES = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "TITAN_MODEL",
    "TITAN_EMBEDDING_MODEL",
    "TITAN_REDIS_URL",
    "TITAN_POSTGRES_URL",
    "TITAN_NEO4J_URL",
    "TITAN_ROOTS",
)
"""The variables of the environment that decide something; the core's own count, read when it starts."""


def with_environment(chosen: Settings, environment: Mapping[str, str]) -> Settings:
    """Return the settings with what the environment says laid over them."""
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


def origin_of_key(environment: Mapping[str, str]) -> str:
    """Return whose the environment's key and account are: `OPENAI_BASE_URL`'s, or OpenAI's own.

    Together they are meant for each other, as for every client of OpenAI's; but see `KeySettings` for a server on
    this machine. An address in the settings is not meant by either.
    """
    return origin(environment.get("OPENAI_BASE_URL", "").strip() or DEFAULT_BASE_URL)
