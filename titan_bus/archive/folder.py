"""An archive in a folder: each object is a file, written under a temporary name and renamed."""

import asyncio
import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from titan_bus.archive.storage import Stored
from titan_bus.errors import StoreError

STALE_S = 3_600.0
"""A half-written file older than this was left by a killed program."""
_HALF = ".half"
_KEY = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]*")


class FolderStore:
    """A folder that only its owner may read, because events are personal."""

    def __init__(self, root: Path) -> None:
        self.target = str(root)
        self._root = root
        self._durable: set[Path] = set()

    async def stored(self, folder: str = "") -> list[Stored]:
        """See `Store`."""
        return await asyncio.to_thread(self._stored, folder)

    async def put(self, key: str, data: bytes) -> None:
        """See `Store`. When cancelled, the object is written whole or not at all."""
        await asyncio.to_thread(self._put, key, data)

    async def get(self, key: str) -> bytes | None:
        """See `Store`."""
        return await asyncio.to_thread(self._get, key)

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Store`."""
        await asyncio.to_thread(self._delete, keys)

    async def sweep(self, folder: str) -> None:
        """See `Store`."""
        await asyncio.to_thread(_sweep, self._root / folder, 0.0)

    def _stored(self, folder: str) -> list[Stored]:
        found: list[Stored] = []
        try:
            folders = [self._root / folder] if folder else _folders(self._root)
            for path in folders:
                found += _files(path)
        except FileNotFoundError:
            return []  # nothing was archived yet
        except OSError as error:
            raise StoreError(self.target, folder, error.strerror or str(error)) from error
        return found

    def _put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        half: Path | None = None
        try:
            self._make(path.parent)
            _sweep(path.parent, STALE_S)
            handle, name = tempfile.mkstemp(prefix=".", suffix=_HALF, dir=path.parent)  # mode 0600
            half = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            half.replace(path)
            half = None
            _sync(path.parent)
        except OSError as error:
            raise StoreError(self.target, key, error.strerror or str(error)) from error
        finally:
            if half is not None:
                with contextlib.suppress(OSError):
                    half.unlink()

    def _get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(self.target, key, error.strerror or str(error)) from error

    def _delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            try:
                self._path(key).unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(self.target, key, error.strerror or str(error)) from error

    def _path(self, key: str) -> Path:
        """Return an object's file, for any key a file in a folder of the root."""
        folder, _, name = key.partition("/")
        if not (_KEY.fullmatch(folder) and _KEY.fullmatch(name)):
            raise StoreError(self.target, key, "a key is a folder and a name, of letters, digits and _=-.")
        return self._root / folder / name

    def _make(self, folder: Path) -> None:
        """Create a folder in the root and make its name durable, also when a killed program created it."""
        if folder in self._durable and folder.is_dir():
            return
        new = [path for path in (self._root, *self._root.parents) if not path.exists()]
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        for path in (folder, self._root, *new):
            with contextlib.suppress(PermissionError):  # a parent that we may enter but not open
                _sync(path.parent)
        self._durable.add(folder)


def _folders(root: Path) -> list[Path]:
    """Return the subfolders that may belong to keys; a disk's root has an unreadable `lost+found`."""
    return [path for path in root.iterdir() if _KEY.fullmatch(path.name) and path.is_dir()]


def _files(folder: Path) -> Iterator[Stored]:
    for file in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            if not file.name.startswith(".") and file.is_file():
                yield Stored(f"{folder.name}/{file.name}", file.stat().st_size)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable. Windows does so by itself and cannot open a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path, older_s: float) -> None:
    for half in folder.glob(f".*{_HALF}"):
        with contextlib.suppress(OSError):
            if time.time() - half.stat().st_mtime >= older_s:
                half.unlink()
