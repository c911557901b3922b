"""The addresses at which a server is tried.

People copy `http://localhost:11434`, which lacks the /v1, or the whole address of a method.
"""

import re

_NAMES_VERSION = re.compile(r"/v\d\w*(/|$)|[?#]")
_METHOD = re.compile(r"/(chat/completions|completions|embeddings|models)/*$")


def addresses(base_url: str, known: str | None = None) -> tuple[str, ...]:
    """Return them in order.

    The last that answered, the one that is set, the same without a method, and with /v1 if it lacks one.
    """
    bare = _METHOD.sub("", base_url)
    versioned = bare if _NAMES_VERSION.search(bare) else bare.rstrip("/") + "/v1"
    return tuple(dict.fromkeys(filter(None, (known, base_url, bare, versioned))))
