"""Shows a folder's path with a tilde for the home, as desktop programs do."""

from pathlib import Path, PurePath


def short_path(path: str | PurePath) -> str:
    """Return `~/Desktop` for a folder beneath the home, and any other path as it is."""
    try:
        return str(Path("~") / Path(path).relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's home is known
        return str(path)
