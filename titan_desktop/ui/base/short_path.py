"""How a folder is called in a sentence: the person's home is a tilde, as desktop programs write it."""

from pathlib import Path, PurePath


def short_path(path: str | PurePath) -> str:
    """Return `~/Desktop` for a folder beneath the home, and any other path as it is."""
    try:
        return str(Path("~") / Path(path).relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's home is known
        return str(path)
