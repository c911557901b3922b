"""Resolves the configured model from settings and key; the core does so at its start and on changes."""

import logging
from dataclasses import dataclass

from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.system import ModelStatus
from titan_desktop.ports.model import Endpoint
from titan_desktop.ports.secrets import (
    Key,
    Secrets,
    SecretsDamagedError,
    SecretsLockedError,
    SecretsUnavailableError,
)
from titan_desktop.settings import DEFAULT_BASE_URL, DEFAULT_MODEL, ModelSettings, is_endpoint, shown_url

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The endpoint, None when no model is configured; and what clients may know of it.

    Attributes:
        problem: why a key that may be in the keyring could not be read; None when there is no problem.
    """

    endpoint: Endpoint | None
    status: ModelStatus
    problem: Problem | None = None


async def resolve(chosen: ModelSettings, secrets: Secrets) -> ResolvedModel:
    """Resolve the model.

    It is configured when there is a key, or when the endpoint is not OpenAI's own, because a local server needs
    none; but not while its key waits for a password: asked without it, a server only refuses.
    """
    base_url = chosen.base_url.strip() or DEFAULT_BASE_URL
    key, problem = await find_key(base_url, secrets)
    name = chosen.name.strip() or DEFAULT_MODEL
    is_locked = problem is not None and problem.code is Code.KEYS_LOCKED
    configured = key is not None or (base_url.rstrip("/") != DEFAULT_BASE_URL and not is_locked)
    endpoint = Endpoint(base_url=base_url, model=name, key=key.value if key else "")
    status = ModelStatus(
        configured=configured, name=name, base_url=shown_url(base_url), key=key.source if key else "none"
    )
    return ResolvedModel(endpoint if configured else None, status, problem)


async def find_key(base_url: str, secrets: Secrets) -> tuple[Key | None, Problem | None]:
    """Return an endpoint's key, or None and why it could not be read, if one may be in the keyring.

    An address that cannot be used has no key; whoever asks there is told the same.
    """
    if not is_endpoint(base_url):
        return None, Problem(Code.MODEL_ADDRESS, {"address": shown_url(base_url)})
    try:
        return await secrets.key(base_url), None
    except SecretsLockedError:
        return None, Problem(Code.KEYS_LOCKED)
    except SecretsDamagedError as error:
        return None, Problem(Code.KEYS_DAMAGED, {"path": error.reason})
    except SecretsUnavailableError as error:
        _log.info("going on without a key: %s", error)
        return None, None if error.absent else Problem(Code.KEYRING_UNUSABLE, {"reason": error.reason})
