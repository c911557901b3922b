"""Hands a content over to the core as a private file, for `WriteFile`: contents never travel on the bus."""

import os
from collections.abc import Iterable

from titan_desktop.system import private_files
from titan_desktop.system.paths import Paths


def hand_over(paths: Paths, content_id: str, content: Iterable[bytes]) -> None:
    """Write a content under an id, a new ULID; the core removes it once it has been used.

    Raises:
        OSError: it cannot be written.
    """
    private_files.make_folder(paths.handed)
    path = paths.handed / content_id
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        for chunk in content:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
