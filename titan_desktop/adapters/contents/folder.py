"""One file for each content, named by its SHA-256; beside them what clients hand over, named by a ULID.

A content is written beside its place and renamed, so what has the name is whole. A file's time is when it was last
kept: the oldest are removed when the store has more than it may.
"""

import contextlib
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from titan_desktop.ports.contents import ContentRefusedError
from titan_desktop.system import private_files

FILE_BYTES_MAX = 256 * 1024 * 1024
"""Of one content."""
TOTAL_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""Of all."""
HANDED_S = 7 * 86_400.0
"""A command does not wait longer for a core than its content."""
_CHUNK_BYTES = 1 << 20
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FolderContents:
    """See `ports.contents.Contents`. Threads may share one; one process writes.

    Args:
        folder: of the contents; made when the first is kept.
        handed: where clients put theirs (`client.handing`).
        file_bytes_max: what one may have.
        total_bytes_max: what all may have.
    """

    def __init__(
        self,
        folder: Path,
        handed: Path,
        *,
        file_bytes_max: int = FILE_BYTES_MAX,
        total_bytes_max: int = TOTAL_BYTES_MAX,
    ) -> None:
        self._folder = folder
        self._handed = handed
        self._file_bytes_max = file_bytes_max
        self._total_bytes_max = total_bytes_max
        self._lock = threading.Lock()

    def keep(self, content: BinaryIO) -> str:
        """See `Contents`."""
        try:
            with self._lock:
                return self._keep(content)
        except OSError as error:
            raise ContentRefusedError(0, 0, error.strerror or str(error)) from error

    def has(self, digest: str) -> bool:
        """See `Contents`."""
        return self._path(digest).is_file()

    def size(self, digest: str) -> int:
        """See `Contents`."""
        try:
            return self._path(digest).stat().st_size
        except OSError:
            return 0

    def open(self, digest: str) -> BinaryIO:
        """See `Contents`."""
        return self._path(digest).open("rb")

    def forget(self, digests: Iterable[str]) -> None:
        """See `Contents`."""
        with self._lock:
            for digest in digests:
                self._path(digest).unlink(missing_ok=True)

    def handed(self, content_id: str) -> BinaryIO:
        """See `Contents`."""
        return self._handed_path(content_id).open("rb")

    def discard_handed(self, content_id: str) -> None:
        """See `Contents`."""
        with contextlib.suppress(OSError):
            self._handed_path(content_id).unlink()
            for path in self._handed.iterdir():  # of clients that died before they sent their command
                if time.time() - path.stat().st_mtime > HANDED_S:
                    path.unlink()

    def _keep(self, content: BinaryIO) -> str:
        private_files.make_folder(self._folder)
        fresh = self._folder / f"{secrets.token_hex(8)}.new"
        hashed, size = hashlib.sha256(), 0
        try:
            descriptor = os.open(
                fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                while chunk := content.read(_CHUNK_BYTES):
                    hashed.update(chunk)
                    size += len(chunk)
                    if size > self._file_bytes_max:
                        raise ContentRefusedError(size, self._file_bytes_max)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            path = self._path(hashed.hexdigest())
            fresh.replace(path)
            private_files.sync_folder(self._folder)
        finally:
            fresh.unlink(missing_ok=True)
        self._drop_oldest(path)
        return hashed.hexdigest()

    def _drop_oldest(self, newest: Path) -> None:
        """Remove what is over the limit, and what a killed process has left unfinished."""
        found = []
        for path in self._folder.iterdir():
            if path.suffix == ".new":
                path.unlink(missing_ok=True)
            elif path != newest:
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        left = sum(size for _, size, _ in found) + newest.stat().st_size
        for _, size, path in sorted(found):
            if left <= self._total_bytes_max:
                break
            path.unlink(missing_ok=True)
            left -= size

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            return self._folder / "none"
        return self._folder / digest

    def _handed_path(self, content_id: str) -> Path:
        if not _ULID.fullmatch(content_id):
            raise FileNotFoundError(content_id)
        return self._handed / content_id
