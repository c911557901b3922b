"""Where a server is asked, when the address that is set may lack its version: people copy `http://localhost:11434`."""

import re

_NAMES_VERSION = re.compile(r"/v\d\w*(/|$)|[?#]")


def addresses(base_url: str, known: str | None = None) -> tuple[str, ...]:
    """Return where to ask, in order: where it answered last, what is set, /v1 below it if it names no version."""
    versioned = base_url if _NAMES_VERSION.search(base_url) else base_url.rstrip("/") + "/v1"
    return tuple(dict.fromkeys(filter(None, (known, base_url, versioned))))
