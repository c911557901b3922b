"""Backup and restore: everything that Titan keeps, in one file.

`file` is the file's format, `making` writes one while Titan works, `restoring` puts one back while it does not.
"""

from pathlib import Path

from titan_desktop.system.paths import Paths


def mark_of(paths: Paths) -> Path:
    """Return the file that is there while a restore changes places: till it is gone no core may start."""
    return paths.data / "restoring"
