"""Claims about archives: their members are sources of their own, and none does harm."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.titan_desktop.adapters.extraction import archives
from titan_desktop.adapters.extraction import worker
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.messages import is_possible
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Lines, Member, Place
from titan_desktop.ports.extractor import Extracted, ExtractionError

LETTER = "<w:p><w:r><w:t>Залог 45 000</w:t></w:r></w:p>"


def read(path: Path, content: bytes, limits: Limits | None = None) -> Extracted:
    """What a worker makes of a file of this content, in this process."""
    path.write_bytes(content)
    with path.open("rb") as file:
        found = worker.read_file(file, path.suffix[1:], limits or Limits())
    assert all(is_possible(block.place) for block in found.blocks)
    return found


def said(found: Extracted) -> list[tuple[str, Place | None]]:
    return [(block.text, block.place) for block in found.blocks]


def tarred(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def test_members_of_a_zip_are_sources(tmp_path: Path) -> None:
    """Each with its name and its own place; what has no text is found by its name; a link is nothing."""
    link = zipfile.ZipInfo("ссылка.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    inner = archives.packed({"глубже.txt": "дно"})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("2024/договор.docx", archives.docx(LETTER))
        archive.writestr("заметка.txt", "раз\nдва")
        archive.writestr("крыша.jpg", b"\xff\xd8\xff")
        archive.writestr("внутри.zip", inner)
        archive.writestr("пусто/", "")
        archive.writestr("__MACOSX/._a.txt", "x")
        archive.writestr(link, "/etc/passwd")
    found = read(tmp_path / "a.zip", made.getvalue())
    assert found.gap is Reason.NONE
    assert said(found) == [
        ("договор.docx", Member(path="2024/договор.docx")),
        ("Залог 45 000", Member(path="2024/договор.docx")),
        ("заметка.txt", Member(path="заметка.txt")),
        ("раз\nдва", Member(path="заметка.txt", place=Lines(first=1, last=2))),
        ("внутри.zip", Member(path="внутри.zip")),
        ("глубже.txt", Member(path="внутри.zip › глубже.txt")),
        ("дно", Member(path="внутри.zip › глубже.txt", place=Lines(first=1, last=1))),
        ("крыша.jpg", None),
    ]


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "utf-8"])
def test_names_of_old_archives_are_read(tmp_path: Path, encoding: str) -> None:
    """In the encoding of the system that packed them, which a ZIP does not say."""
    name = "Договор аренды.txt".encode(encoding)
    archive = archives.packed({"x" * len(name): "залог"}).replace(b"x" * len(name), name)
    assert Member(path="Договор аренды.txt") in dict(said(read(tmp_path / "a.zip", archive))).values()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_tars_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Plain and compressed, and what is compressed without one."""
    found = read(tmp_path / "a.tar.x", pack(tarred({"папка/а.txt": "залог".encode(), "б.csv": b"x;1"})))
    assert [block.place.path for block in found.blocks if isinstance(block.place, Member)] == [
        *["папка/а.txt"] * 2,
        *["б.csv"] * 2,
    ]
    if pack is not bytes:
        alone = read(tmp_path / "a.log.x", pack("первая\nвторая".encode()))
        assert said(alone) == [("первая\nвторая", Lines(first=1, last=2))]


def test_hostile_names_are_only_shown(tmp_path: Path) -> None:
    """Absolute ones, `..`, devices and control characters: nothing is written, and the names are plain."""
    names = ["../../etc/cron.d/x", "/abs/y.txt", "C:\\Windows\\z.txt", "a\nb\x01.txt", "..", "n" * 999]
    found = read(tmp_path / "a.tar", tarred(dict.fromkeys(names, b"text")))
    assert {block.place.path for block in found.blocks if isinstance(block.place, Member)} >= {
        "etc/cron.d/x", "abs/y.txt", "C:/Windows/z.txt", "?",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_locked_and_damaged_members_are_told(tmp_path: Path) -> None:
    """The rest is read; the name of what is not stays to be found."""
    archive = bytearray(archives.packed({"locked.txt": "secret", "open.txt": "open"}))
    for at in (archive.index(b"PK\x03\x04") + 6, archive.index(b"PK\x01\x02") + 8):
        archive[at] |= 1
    found = read(tmp_path / "a.zip", bytes(archive))
    assert (found.gap, found.gap_detail) == (Reason.MEMBERS_LOCKED, "locked.txt")
    assert [block.text for block in found.blocks] == ["open.txt", "open", "locked.txt"]
    packed = gzip.compress(tarred({"first.txt": b"whole", "second.txt": bytes(range(256)) * 4_000}))
    cut = read(tmp_path / "a.tgz", packed[: len(packed) // 2])
    assert cut.gap is Reason.MEMBERS_UNREAD
    assert "whole" in cut.text


def test_bombs_are_read_in_part(tmp_path: Path) -> None:
    """Too many bytes, members or archives in each other: what was read before is kept, and it is said."""
    limits = Limits(unpacked_bytes=300_000, file_bytes=200_000)
    zeros = {f"{n}.log": bytes(150_000) for n in range(4)}
    found = read(tmp_path / "a.zip", archives.packed({"a.txt": "first"} | zeros), limits)
    assert found.gap is not Reason.NONE
    assert "first" in found.text
    tar = read(tmp_path / "a.tgz", gzip.compress(tarred({"a.txt": b"first"} | zeros)), limits)
    assert tar.gap is not Reason.NONE
    assert "first" in tar.text
    with pytest.raises(ExtractionError) as refused:
        read(tmp_path / "a.gz", gzip.compress(bytes(1_000_000)), limits)
    assert refused.value.reason is Reason.TOO_LARGE
    crowd = read(tmp_path / "b.zip", archives.packed({f"{n}.txt": "x" for n in range(400)}), limits)
    assert crowd.gap is Reason.CUT
    nested = archives.packed({"a.txt": "bottom"})
    for _ in range(9):
        nested = archives.packed({"a.zip": nested})
    deep = read(tmp_path / "c.zip", nested)
    assert deep.gap is Reason.MEMBERS_UNREAD
    assert "bottom" not in deep.text
