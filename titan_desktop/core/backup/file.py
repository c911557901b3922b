"""The file of a backup: a first line that says what it is, then a tar archive, compressed with Zstandard.

With a password all that follows the first line is encrypted (age), and the first line has its key as the password
opens it. So nothing but common tools is needed to look inside: without a password

    tail -n +2 FILE | zstd -d | tar -tv

The last member is empty and called `END`: a file without it was cut off. Everything here blocks, and works on a
stream: neither memory nor disk ever has the whole of it.
"""

import contextlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

import msgspec

from titan_desktop.system import private_files

if TYPE_CHECKING:
    from pyrage.x25519 import Identity

VERSION = 1
_END = "END"
_LINE_BYTES_MAX = 65_536
_COPY_BYTES = 1024 * 1024


class Head(msgspec.Struct, frozen=True, kw_only=True, tag="titan_backup", tag_field="type"):
    """The first line.

    Attributes:
        version: of the format.
        made_at: RFC 3339, UTC.
        made_by: the version of Titan.
        sealed_key: see `client.backup_key`; "" when the content is not encrypted.
    """

    version: int
    made_at: str
    made_by: str
    sealed_key: str = ""


class NoBackupError(Exception):
    """It is no backup, one of a newer format, or it was cut off or changed. `reason` says which, for a log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BackupWriter:
    """Writes one file, which has its name only when it is whole.

    Args:
        path: where; its folder must be there.
        head: its first line.
        recipient: the key to encrypt for; "" for nobody.

    Raises:
        FileExistsError: something is at `path`.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, head: Head, recipient: str = "") -> None:
        import zstandard

        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        if os.path.lexists(path):
            raise FileExistsError(17, os.strerror(17), str(path))
        self._part.unlink(missing_ok=True)
        private_files.make_file(self._part)
        self._file = self._part.open("wb")
        self._file.write(msgspec.json.encode(head) + b"\n")
        self._pipe = _Pipe(lambda source: _encrypt(source, self._file, recipient)) if recipient else None
        sink: IO[bytes] = self._pipe.end if self._pipe else self._file
        compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._packed = compressor.stream_writer(sink, closefd=False)
        self._tar = tarfile.open(fileobj=self._packed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, data: bytes) -> None:
        """Add a member."""
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._add(info, io.BytesIO(data))

    def add_file(self, name: str, path: Path) -> int:
        """Add a file as it is now; return its size. One that is gone is left out, with 0."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return 0
        with file:
            status = os.fstat(file.fileno())
            info = tarfile.TarInfo(name)
            info.size, info.mtime = status.st_size, int(status.st_mtime)
            self._add(info, file)
        return info.size

    def close(self) -> int:
        """Finish the file, give it its name, and return its size in bytes."""
        self.add(_END, b"")
        self._tar.close()
        self._packed.close()  # type: ignore[no-untyped-call]
        if self._pipe is not None:
            self._pipe.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        size = os.fstat(self._file.fileno()).st_size
        self._file.close()
        if os.path.lexists(self._path):
            raise FileExistsError(17, os.strerror(17), str(self._path))
        self._part.replace(self._path)
        return size

    def discard(self) -> None:
        """Leave nothing behind. May be called after `close`."""
        if self._pipe is not None:
            self._pipe.close(quietly=True)
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _add(self, info: tarfile.TarInfo, file: IO[bytes]) -> None:
        info.mode = 0o600
        try:
            self._tar.addfile(info, file)
        except OSError:
            if self._pipe is not None:
                self._pipe.raise_failure()
            raise


def read_head(file: IO[bytes]) -> Head:
    """Read the first line.

    Raises:
        NoBackupError: it is none.
    """
    line = file.readline(_LINE_BYTES_MAX)
    try:
        head = msgspec.json.decode(line, type=Head)
    except msgspec.MsgspecError as error:
        raise NoBackupError("it does not begin as a backup does") from error
    if head.version != VERSION:
        raise NoBackupError(f"it is of format {head.version}, this Titan reads {VERSION}")
    return head


class Content:
    """What a member holds."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:
            NoBackupError: it was cut off or changed.
        """
        with _told():
            return self._file.read(size)


def members(file: IO[bytes], identity: "Identity | None") -> Iterator[tuple[PurePosixPath, Content]]:
    """Read what follows the first line: each member's name and its content, to be read before the next one.

    Raises:
        NoBackupError: it was cut off or changed; what came before was right.
    """
    import zstandard

    pipe = _Pipe(lambda end: _decrypt(file, end, identity), reads=True) if identity else None
    source: IO[bytes] = pipe.end if pipe else file
    finished = False
    try:
        unpacked = zstandard.ZstdDecompressor().stream_reader(source, closefd=False)
        with _told(), tarfile.open(fileobj=unpacked, mode="r|") as tar:
            for info in tar:
                if info.name == _END:
                    finished = True
                    break
                content = tar.extractfile(info) if info.isreg() else None
                if content is None:
                    raise NoBackupError(f"{info.name} is no file")
                yield _inside(info.name), Content(content)
        with _told():
            while unpacked.read(_COPY_BYTES):  # to the checksum at its end
                pass
    finally:
        if pipe is not None:
            pipe.close(quietly=not finished)
    if not finished:
        raise NoBackupError("its end is missing")


def write_out(content: Content, path: Path) -> None:
    """Write a member's content to a new private file."""
    private_files.make_folder(path.parent)
    private_files.make_file(path)
    with path.open("wb") as file:
        while data := content.read(_COPY_BYTES):
            file.write(data)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raise NoBackupError for what the libraries say of damaged bytes."""
    import zstandard

    try:
        yield
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise NoBackupError(str(error)) from error


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or any(char in name for char in "\\:\0") or not path.parts:
        raise NoBackupError(f"a member would lie outside: {name!r}")
    return path


def _encrypt(source: IO[bytes], file: IO[bytes], recipient: str) -> None:
    import pyrage

    pyrage.encrypt_io(source, file, [pyrage.x25519.Recipient.from_str(recipient)])


def _decrypt(file: IO[bytes], end: IO[bytes], identity: "Identity") -> None:
    import pyrage

    try:
        pyrage.decrypt_io(file, end, [identity])
    except pyrage.DecryptError as error:
        raise NoBackupError(str(error)) from error


class _Pipe:
    """Makes a stream of what wants to read or write one: `work` gets the other end of a pipe, in a thread."""

    def __init__(self, work: Callable[[IO[bytes]], None], *, reads: bool = False) -> None:
        source, sink = os.pipe()
        reading, writing = os.fdopen(source, "rb"), os.fdopen(sink, "wb")
        self.end: IO[bytes] = reading if reads else writing
        theirs: IO[bytes] = writing if reads else reading
        self._failure: BaseException | None = None

        def run() -> None:
            try:
                with contextlib.suppress(BrokenPipeError), theirs:
                    work(theirs)
            except BaseException as error:  # noqa: BLE001  # raised by `close`, in the caller's thread
                self._failure = error

        self._thread = threading.Thread(target=run, name="backup's cipher", daemon=True)
        self._thread.start()

    def close(self, *, quietly: bool = False) -> None:
        """Close our end, wait for the thread, and raise what went wrong in it."""
        with contextlib.suppress(BrokenPipeError):
            self.end.close()
        self._thread.join()
        if not quietly:
            self.raise_failure()

    def raise_failure(self) -> None:
        """Raise what went wrong in the thread, when it has ended."""
        self._thread.join(1.0)
        if self._failure is not None:
            raise self._failure
