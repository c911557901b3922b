"""The addresses at which a server is tried: people copy `http://localhost:11434`, which lacks the /v1."""

import re

_NAMES_VERSION = re.compile(r"/v\d\w*(/|$)|[?#]")


def addresses(base_url: str, known: str | None = None) -> tuple[str, ...]:
    """Return them in order: the last that answered, the one that is set, the same with /v1 if it lacks one."""
    versioned = base_url if _NAMES_VERSION.search(base_url) else base_url.rstrip("/") + "/v1"
    return tuple(dict.fromkeys(filter(None, (known, base_url, versioned))))
