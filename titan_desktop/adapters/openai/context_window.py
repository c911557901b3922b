"""The length of a model's context in tokens, as its server tells it in the list of models or elsewhere.

The protocol has no field for it, so each server has its own: `max_model_len` (vLLM, SGLang), `context_length`
(OpenRouter, Together), `context_window` (Groq), `max_context_length` (Mistral). Three tell elsewhere with which
length they have loaded the model: llama.cpp at `/props`, LM Studio at `/api/v0/models`, Ollama at `/api/ps` and
`/api/show`.

Ollama matters most. It cuts a longer prompt from its beginning, the rules first, and says nothing
(ollama/ollama#4967); its OpenAI endpoint takes no `num_ctx`. So Titan has to know the length before it sends.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from titan_desktop.adapters.openai.context_length import LIMIT_MAX, LIMIT_MIN

if TYPE_CHECKING:
    import openai

OLLAMA_DEFAULT = 4_096
"""What Ollama loads a model with on a computer of the usual size, unless it was told otherwise."""

_NAMES = (
    "loaded_context_length",
    "n_ctx",
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
)
_ABSENT = frozenset({400, 404, 405, 422, 501})
_VERSION = re.compile(r"/v\d+/?$")
_NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)


class Told(NamedTuple):
    """A length in tokens, None when the server tells none.

    `is_final`: it will be the same when it is asked for again. Ollama's is not while the model is not loaded.
    """

    tokens: int | None
    is_final: bool = True


async def told_by(client: "openai.AsyncOpenAI", base_url: str, model: str) -> Told | None:
    """Ask a server; None when it has no list of models at this address.

    Raises:
        openai.APIError: nobody answers, or the key is wrong.
    """
    listed = await _get(client, "/models")
    entries = listed.get("data")
    if not isinstance(entries, list):
        return None
    entry = next((each for each in entries if isinstance(each, Mapping) and each.get("id") == model), {})
    root = _VERSION.sub("", base_url.rstrip("/"))
    match entry.get("owned_by"):
        case "library":
            return await _of_ollama(client, root, model)
        case "llamacpp":
            props = await _get(client, f"{root}/props")
            return Told(_length(props.get("default_generation_settings")) or _length(props))
        case "organization_owner":
            loaded = await _get(client, f"{root}/api/v0/models/{model}")
            return Told(_length(loaded))
    return Told(_length(entry) or _length(entry.get("meta")))


async def _of_ollama(client: "openai.AsyncOpenAI", root: str, model: str) -> Told:
    running = (await _get(client, f"{root}/api/ps")).get("models")
    for each in running if isinstance(running, list) else ():
        if isinstance(each, Mapping) and model in {each.get("name"), each.get("model")}:
            if length := _length(each):
                return Told(length, is_final=False)  # it may be loaded with another the next time
            break
    shown = await _get(client, f"{root}/api/show", asked={"model": model})
    set_to = _NUM_CTX.search(str(shown.get("parameters") or ""))
    return Told(_sane(int(set_to[1])) if set_to else OLLAMA_DEFAULT, is_final=False)


async def _get(
    client: "openai.AsyncOpenAI", path: str, *, asked: Mapping[str, str] | None = None
) -> Mapping[str, object]:
    """Return the object at a path of this server; an empty one if there is none."""
    import openai as package

    try:
        if asked is None:
            found: object = await client.get(path, cast_to=object)
        else:
            found = await client.post(path, body=dict(asked), cast_to=object)
    except ValueError:  # no JSON, whatever its content type says
        return {}
    except package.APIStatusError as error:
        if error.status_code not in _ABSENT:
            raise
        return {}
    return found if isinstance(found, Mapping) else {}


def _length(told: object) -> int | None:
    if not isinstance(told, Mapping):
        return None
    lengths = (told.get(name) for name in _NAMES)
    return next((_sane(length) for length in lengths if isinstance(length, int)), None)


def _sane(tokens: int) -> int | None:
    return tokens if LIMIT_MIN <= tokens <= LIMIT_MAX else None
