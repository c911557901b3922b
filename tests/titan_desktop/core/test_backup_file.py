"""Claims about the file of a backup."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard

from titan_desktop.client import backup_key
from titan_desktop.core.backup.file import VERSION, BackupWriter, Head, NoBackupError, members, read_head

HEAD = Head(version=VERSION, made_at="2026-11-30T12:00:00Z", made_by="1")
LONG = bytes(range(256)) * 8_000


@pytest.fixture(scope="module")
def key() -> backup_key.BackupKey:
    return backup_key.new("pass word")


def write(path: Path, recipient: str = "") -> bytes:
    writer = BackupWriter(path, HEAD, recipient)
    writer.add("tables/messages", b"row\n")
    writer.add("data/long", LONG)
    size = writer.close()
    written = path.read_bytes()
    assert len(written) == size
    return written


def read(written: bytes, identity: object = None) -> dict[str, bytes]:
    file = io.BytesIO(written)
    assert read_head(file) == HEAD
    return {str(name): content.read(len(LONG)) for name, content in members(file, identity)}  # type: ignore[arg-type]


@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_written_is_read(tmp_path: Path, key: backup_key.BackupKey, *, sealed: bool) -> None:
    """Whole it is read; cut off or, under a password, changed anywhere, it is told to be no backup."""
    identity = backup_key.unseal(key.sealed_key, "pass word") if sealed else None
    written = write(tmp_path / "file", key.recipient if sealed else "")
    assert read(written, identity) == {"tables/messages": b"row\n", "data/long": LONG}
    for end in (written.index(b"\n") + 1, len(written) // 2, len(written) - 60):
        with pytest.raises(NoBackupError):
            read(written[:end], identity)
    middle = len(written) // 2
    with pytest.raises(NoBackupError):
        read(written[:middle] + bytes([written[middle] ^ 1]) + written[middle + 1 :], identity)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_another_password_opens_nothing(key: backup_key.BackupKey) -> None:
    """Nor does a key that somebody changed."""
    with pytest.raises(backup_key.WrongPasswordError):
        backup_key.unseal(key.sealed_key, "pass  word")
    with pytest.raises(backup_key.WrongPasswordError):
        backup_key.unseal(key.sealed_key[4:], "pass word")


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    """Neither one that was there before, nor one that came meanwhile; and what was not finished leaves nothing."""
    path = tmp_path / "file"
    writer = BackupWriter(path, HEAD)
    path.write_bytes(b"a letter")
    with pytest.raises(FileExistsError):
        writer.close()
    writer.discard()
    with pytest.raises(FileExistsError):
        BackupWriter(path, HEAD)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"a letter")]


@pytest.mark.parametrize("name", ["../out", "/etc/x", "data/../../x", "C:\\x", "data/a:b"])
def test_no_member_leads_outside(name: str) -> None:
    """A backup may have been made by somebody else."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(NoBackupError, match="outside"):
        list(members(io.BytesIO(zstandard.compress(packed.getvalue())), None))


def test_what_is_no_backup_is_told() -> None:
    """Another file, an empty one, a newer format."""
    for text in (
        b"",
        b"PK\x03\x04",
        b'{"type":"titan_backup","version":2,"made_at":"","made_by":""}\n',
        b"x" * 90_000,
    ):
        with pytest.raises(NoBackupError):
            read_head(io.BytesIO(text))


def test_common_tools_look_inside(tmp_path: Path) -> None:
    """As the module says: `tail`, a Zstandard program and `tar`."""
    written = write(tmp_path / "file")
    unpacked = zstandard.ZstdDecompressor().stream_reader(written.partition(b"\n")[2]).read()
    listed = subprocess.run(["tar", "-t"], input=unpacked, capture_output=True, check=True).stdout
    assert listed.split() == [b"tables/messages", b"data/long", b"END"]
