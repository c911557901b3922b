"""Which model is configured: the settings and the key put together, by the core, at its start and on changes."""

import logging
from dataclasses import dataclass

from titan_desktop.contracts.system import ModelStatus
from titan_desktop.ports.llm import Endpoint
from titan_desktop.ports.secrets import Secrets, SecretsUnavailableError
from titan_desktop.settings import DEFAULT_BASE_URL, DEFAULT_MODEL, ModelSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The endpoint to ask, None when no model is configured; and what may be told of it."""

    endpoint: Endpoint | None
    status: ModelStatus


async def resolve(chosen: ModelSettings, secrets: Secrets) -> ResolvedModel:
    """Put the model together.

    It is configured when there is a key, or when the endpoint is not OpenAI's own: a local server needs none.
    """
    try:
        key = await secrets.key()
    except SecretsUnavailableError as error:
        _log.info("going on without a key: %s", error)
        key = None
    base_url = chosen.base_url.strip() or DEFAULT_BASE_URL
    name = chosen.name.strip() or DEFAULT_MODEL
    configured = key is not None or base_url.rstrip("/") != DEFAULT_BASE_URL
    endpoint = Endpoint(base_url=base_url, model=name, key=key.value if key else "")
    status = ModelStatus(
        configured=configured, name=name, base_url=base_url, key=key.source if key else "none"
    )
    return ResolvedModel(endpoint if configured else None, status)
