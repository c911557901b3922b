"""`LocalFileChanges`: changes beneath the roots of a `LocalFilesRoot`, which decides what lies beneath them.

The folder of each name is opened beneath its root without following a link, and held until the change has taken
place in it. New content is written beside its place and renamed onto it: a kill, or a disk that is full, leaves
the old file, and at most a hidden temporary one, which the next try with the same key removes.
"""

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

from titan_desktop.adapters.files_root.beneath import LinkError, RootAwayError
from titan_desktop.adapters.files_root.folder import Folder, is_link
from titan_desktop.adapters.files_root.root import LocalFilesRoot
from titan_desktop.adapters.files_root.trash import TrashError, forget_note, system_trash
from titan_desktop.contracts.file_actions import Refusal
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.file_changes import ChangeRefusedError, Prepared
from titan_desktop.ports.files_root import FilesRootError, Stamp
from titan_desktop.system.file_names import spelled, written

if sys.platform == "win32":
    from titan_desktop.adapters.files_root.folder_windows import WindowsFolder as SystemFolder
else:
    from titan_desktop.adapters.files_root.folder_posix import PosixFolder

_CHUNK_BYTES = 1 << 20
_RIGHTS = 0o777
"""Of a file that is replaced its rights stay; its set-user-ID does not."""
_NEW = 0o666
"""Less the umask, as with every program."""

_BY_REASON = {
    Reason.OUTSIDE: Refusal.OUTSIDE,
    Reason.VANISHED: Refusal.VANISHED,
    Reason.NOT_REGULAR: Refusal.NOT_REGULAR,
}
_BY_NUMBER = {
    errno.EEXIST: Refusal.EXISTS,
    errno.ENOTEMPTY: Refusal.EXISTS,
    errno.ENOENT: Refusal.VANISHED,
    errno.ENOTDIR: Refusal.NO_FOLDER,
    errno.ENOSPC: Refusal.DISK_FULL,
    errno.EDQUOT: Refusal.DISK_FULL,
    errno.EACCES: Refusal.FORBIDDEN,
    errno.EPERM: Refusal.FORBIDDEN,
    errno.EROFS: Refusal.FORBIDDEN,
    errno.ENAMETOOLONG: Refusal.NAME,
    errno.EILSEQ: Refusal.NAME,
    errno.EXDEV: Refusal.OTHER_DISK,
    errno.EINVAL: Refusal.WITHIN_ITSELF,
}


def refused(path: Path | str, error: OSError) -> ChangeRefusedError:
    """Translate what the system says, by its number."""
    if isinstance(error, LinkError):
        return ChangeRefusedError(str(path), Refusal.OUTSIDE)
    if isinstance(error, RootAwayError):
        return ChangeRefusedError(str(path), Refusal.VANISHED)
    number = error.errno or 0
    return ChangeRefusedError(str(path), _BY_NUMBER.get(number, Refusal.SYSTEM), error.strerror or "")


class _Change:
    """A prepared change: what to do, and how to leave everything as it was."""

    def __init__(self, path: Path, act: Callable[[], None], stack: contextlib.ExitStack) -> None:
        self._path = path
        self._act = act
        self._stack = stack.pop_all()
        self.digest = ""
        self.size = 0
        self.trashed = ""

    def take_place(self) -> None:
        """See `Prepared`."""
        try:
            self._act()
        except OSError as error:
            raise refused(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class LocalFileChanges:
    """See `ports.file_changes.FileChanges`. Threads may share one."""

    def __init__(self, files_root: LocalFilesRoot) -> None:
        self._files_root = files_root

    def canonical(self, path: Path) -> Path:
        """See `FileChanges`."""
        with _translating(path):
            return self._files_root.canonical(path)

    def open(self, path: Path) -> BinaryIO:
        """See `FileChanges`."""
        with _translating(path):
            return self._files_root.open(path)

    def stamp(self, path: Path) -> Stamp | None:
        """See `FileChanges`."""
        status = self._status(path)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            raise ChangeRefusedError(str(path), Refusal.NOT_REGULAR)
        return Stamp.of(status)

    def inode(self, path: Path) -> int:
        """See `FileChanges`."""
        status = self._status(path)
        return 0 if status is None else Stamp.of(status).inode

    def content(
        self, path: Path, source: BinaryIO, key: str, replaces: Stamp | None, *, like_source: bool = False
    ) -> Prepared:
        """See `FileChanges`."""
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            temporary = _temporary(key)
            _remove(folder, temporary)
            if replaces is not None:
                model: os.stat_result | None = _checked(folder, name, path, replaces)
            else:
                model = os.fstat(source.fileno()) if like_source else None
                _nothing_at(folder, name, path)
            digest, size = _write_beside(folder, temporary, source, model, stack)

            def act() -> None:
                if replaces is not None:
                    _checked(folder, name, path, replaces)
                folder.move(temporary, folder, name, replace=replaces is not None)
                folder.sync()

            change = _Change(path, act, stack)
        change.digest, change.size = digest, size
        return change

    def folder(self, path: Path) -> Prepared:
        """See `FileChanges`."""
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            _nothing_at(folder, name, path)

            def act() -> None:
                folder.make_folder(name)
                folder.sync()

            return _Change(path, act, stack)

    def move(self, path: Path, target: Path) -> Prepared:
        """See `FileChanges`."""
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            _movable(folder, name, path)
            with _translating(target):
                to, new_name = self._folder_of(target, stack)
                _nothing_at(to, new_name, target)

            def act() -> None:
                folder.move(name, to, new_name)
                to.sync()
                folder.sync()

            return _Change(target, act, stack)

    def trash(self, path: Path) -> Prepared:
        """See `FileChanges`."""
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            status = _movable(folder, name, path)
            there = self._files_root.place(path)
            real = Path(there.root.real, *there.names)
            try:
                place = system_trash(real, status.st_dev).prepare(name, real, stack)
            except TrashError as error:
                raise ChangeRefusedError(str(path), Refusal.NO_TRASH, str(error)) from error

            def act() -> None:
                try:
                    place.take(folder, name)
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    raise ChangeRefusedError(str(path), Refusal.NO_TRASH, error.strerror or "") from error
                folder.sync()

            change = _Change(path, act, stack)
        change.trashed = spelled(place.trashed)
        return change

    def restore(self, trashed: str, inode: int, path: Path) -> Prepared:
        """See `FileChanges`."""
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            _nothing_at(folder, name, path)
            if not self.in_trash(trashed, inode):
                raise ChangeRefusedError(str(path), Refusal.NOT_KEPT)
            there = written(trashed)
            bin_, thing = _folder_at(Path(there).parent, stack), Path(there).name
            if Stamp.of(bin_.status(thing)).inode != inode:
                raise ChangeRefusedError(str(path), Refusal.NOT_KEPT)

            def act() -> None:
                bin_.move(thing, folder, name)
                folder.sync()
                forget_note(there)

            return _Change(path, act, stack)

    def in_trash(self, trashed: str, inode: int) -> bool:
        """See `FileChanges`."""
        try:
            return bool(trashed) and Stamp.of(Path(written(trashed)).lstat()).inode == inode
        except (OSError, UnicodeEncodeError):
            return False

    def copy_out(self, path: Path, place: Path, key: str) -> Prepared:
        """See `FileChanges`."""
        with self.open(path) as source, _translating(place), contextlib.ExitStack() as stack:
            there = Path(written(str(place)))
            folder, name = _folder_at(there.parent, stack), there.name
            _nothing_at(folder, name, place)
            temporary = _temporary(key)
            _remove(folder, temporary)
            model = os.fstat(source.fileno())
            digest, size = _write_beside(folder, temporary, source, model, stack)

            def act() -> None:
                folder.move(temporary, folder, name)
                folder.sync()

            change = _Change(place, act, stack)
        change.digest, change.size = digest, size
        return change

    def open_anywhere(self, path: Path) -> BinaryIO:
        """See `FileChanges`. A FIFO is not waited for."""
        try:
            descriptor = os.open(
                written(str(path)), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            )
        except (OSError, ValueError) as error:
            raise ChangeRefusedError(
                str(path), Refusal.SOURCE, getattr(error, "strerror", "") or ""
            ) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ChangeRefusedError(str(path), Refusal.SOURCE)
        return os.fdopen(descriptor, "rb")

    def _folder_of(self, path: Path, stack: contextlib.ExitStack) -> tuple[Folder, str]:
        """Open the folder that a path names something in."""
        place = self._files_root.place(path)
        if not place.names:
            raise ChangeRefusedError(str(path), Refusal.ROOT)
        beneath, names = self._files_root.beneath, place.names
        folder = self._files_root.within(place.root, lambda pin: beneath.folder(pin, names[:-1]))
        return stack.enter_context(folder), names[-1]

    def _status(self, path: Path) -> os.stat_result | None:
        with _translating(path), contextlib.ExitStack() as stack:
            folder, name = self._folder_of(path, stack)
            try:
                status = folder.status(name)
            except FileNotFoundError:
                return None
            if is_link(status):
                raise ChangeRefusedError(str(path), Refusal.OUTSIDE)
            return status


@contextlib.contextmanager
def _translating(path: Path) -> Iterator[None]:
    try:
        yield
    except FilesRootError as error:
        if error.reason is Reason.UNREADABLE and isinstance(error.__cause__, OSError):
            raise refused(path, error.__cause__) from error
        refusal = _BY_REASON.get(error.reason, Refusal.NAME)
        raise ChangeRefusedError(str(path), refusal, error.detail) from error
    except OSError as error:
        raise refused(path, error) from error
    except ValueError as error:  # NUL in a place outside the roots
        raise ChangeRefusedError(str(path), Refusal.NAME) from error


def _folder_at(path: Path, stack: contextlib.ExitStack) -> "Folder":
    """Open a folder by a path that a person, or the system's trash, has named."""
    if sys.platform == "win32":
        return stack.enter_context(SystemFolder(os.path.realpath(path)))
    return stack.enter_context(PosixFolder(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)))


def _nothing_at(folder: Folder, name: str, path: Path) -> None:
    """Refuse early where something has the name; the step itself refuses once more.

    A link there is told as a link anywhere is: nothing is said of what it leads to.
    """
    with contextlib.suppress(FileNotFoundError):
        status = folder.status(name)
        raise ChangeRefusedError(str(path), Refusal.OUTSIDE if is_link(status) else Refusal.EXISTS)


def _movable(folder: Folder, name: str, path: Path) -> os.stat_result:
    status = folder.status(name)
    if is_link(status):
        raise ChangeRefusedError(str(path), Refusal.OUTSIDE)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ChangeRefusedError(str(path), Refusal.NOT_REGULAR)
    return status


def _checked(folder: Folder, name: str, path: Path, replaces: Stamp) -> os.stat_result:
    """Return the status of the file that is replaced, if it is still the one whose content was kept."""
    status = folder.status(name)
    stamp = Stamp.of(status)
    if not stat.S_ISREG(status.st_mode) or (stamp, stamp.inode) != (replaces, replaces.inode):
        raise ChangeRefusedError(str(path), Refusal.CHANGED)
    return status


def _temporary(key: str) -> str:
    """Return a name that the watcher, the walk and people's listings leave out, whatever the key has in it."""
    return f".titan-{hashlib.sha256(key.encode()).hexdigest()[:26]}.tmp"


def _write_beside(
    folder: Folder,
    temporary: str,
    source: BinaryIO,
    model: os.stat_result | None,
    stack: contextlib.ExitStack,
) -> tuple[str, int]:
    """Write a file beside its place, on the disk when this returns; `stack` removes it if it is left."""
    descriptor = folder.create(temporary, _NEW)
    stack.callback(_remove, folder, temporary)
    hashed = hashlib.sha256()
    size = 0
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        while chunk := source.read(_CHUNK_BYTES):
            hashed.update(chunk)
            size += len(chunk)
            left = memoryview(chunk)
            while left:
                left = left[file.write(left) :]
        if model is not None and sys.platform != "win32":
            with contextlib.suppress(
                OSError
            ):  # of another owner only root can make it; the group may be shared
                os.fchown(file.fileno(), model.st_uid, model.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(model.st_mode) & _RIGHTS)
        os.fsync(file.fileno())
    return hashed.hexdigest(), size


def _remove(folder: Folder, temporary: str) -> None:
    with contextlib.suppress(OSError):
        folder.remove(temporary)
