"""Where the archive's objects lie: what holds for every store, and what for one."""

import asyncio
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from tests.s3_server.server import Bucket
from titan_bus import names, new_ulid
from titan_bus.archive.archive import Archive, open_store
from titan_bus.archive.folder import FolderStore
from titan_bus.archive.segment_name import SegmentName
from titan_bus.archive.storage import Store, Stored
from titan_bus.entry_id import EntryId
from titan_bus.errors import ExtraMissingError, StoreError


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_store(str(tmp_path / "archive"), {})
    bucket: Bucket = request.getfixturevalue("bucket")
    return open_store(f"{bucket.target}/{new_ulid()}", bucket.options)


async def test_what_was_put_is_there(store: Store) -> None:
    """Bytes come back as they were, are listed under their key with their length, and can be replaced."""
    data = os.urandom(300_000)
    await store.put("chat.v1/1-0_2-0_2.jsonl.zst", b"old")
    await store.put("chat.v1/1-0_2-0_2.jsonl.zst", data)
    await store.put("=2Efs/x", b"1")
    assert await store.get("chat.v1/1-0_2-0_2.jsonl.zst") == data
    assert await store.stored("chat.v1") == [Stored("chat.v1/1-0_2-0_2.jsonl.zst", len(data))]
    assert sorted(await store.stored()) == [
        Stored("=2Efs/x", 1),
        Stored("chat.v1/1-0_2-0_2.jsonl.zst", len(data)),
    ]


async def test_an_object_that_is_long_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million bytes; S3 gets them in one piece, since parts of a broken upload would stay there unseen."""
    put = obstore.put_async
    pieces: list[object] = []

    def putting(*args: Any, **options: Any) -> Any:
        pieces.append(options.get("use_multipart"))
        return put(*args, **options)

    monkeypatch.setattr(obstore, "put_async", putting)
    data = os.urandom(10_000_000)
    await store.put("t/long", data)
    assert await store.get("t/long") == data
    assert pieces in ([], [False])


async def test_what_is_not_there_is_none(store: Store) -> None:
    """Neither reading, listing nor removing what is not there is an error."""
    assert await store.get("t/none") is None
    assert await store.stored("t") == []
    assert await store.stored() == []
    await store.delete(["t/none"])


async def test_what_was_removed_is_gone(store: Store) -> None:
    """Of three objects the two that are named go."""
    for name in "abc":
        await store.put(f"t/{name}", b"x")
    await store.delete(["t/a", "t/c"])
    assert [key for key, _ in await store.stored("t")] == ["t/b"]


async def test_a_listing_takes_pages(store: Store) -> None:
    """More objects than one answer of S3 has are all listed."""
    names = {f"t/{n}" for n in range(1_005)}
    for start in range(0, 1_005, 67):
        await asyncio.gather(*(store.put(name, b"x") for name in sorted(names)[start : start + 67]))
    assert {key for key, _ in await store.stored("t")} == names
    await store.delete(sorted(names))
    assert await store.stored("t") == []


@pytest.mark.parametrize("key", ["/x", "x", "t/../x", "../t/x", "/t/x", "t/", "", "t/.x", "..", "./x"])
async def test_a_key_leads_nowhere_else(tmp_path: Path, key: str) -> None:
    """Absolute, upwards, or without a folder: refused, whatever is asked for."""
    store = FolderStore(tmp_path / "archive")
    with pytest.raises(StoreError, match="a folder and a name"):
        await store.put(key, b"x")
    with pytest.raises(StoreError, match="a folder and a name"):
        await store.get(key)
    with pytest.raises(StoreError, match="a folder and a name"):
        await store.delete([key])
    assert await store.stored() == []


async def test_the_folders_of_an_object_are_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name on the way is made so, also one that a run before made which died then; and once is enough."""
    synced: list[Path] = []
    monkeypatch.setattr("titan_bus.archive.folder._sync", synced.append)
    await FolderStore(tmp_path / "deep/archive").put("t/x", b"x")
    assert {tmp_path, tmp_path / "deep", tmp_path / "deep/archive", tmp_path / "deep/archive/t"} == set(
        synced
    )
    synced.clear()
    store = FolderStore(tmp_path / "deep/archive")
    await store.put("t/y", b"x")
    assert {tmp_path / "deep", tmp_path / "deep/archive", tmp_path / "deep/archive/t"} == set(synced)
    synced.clear()
    await store.put("t/z", b"x")
    assert synced == [tmp_path / "deep/archive/t"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_a_folder_is_its_owners(tmp_path: Path) -> None:
    """Events are personal: nobody else reads folders and files."""
    await FolderStore(tmp_path / "a").put("t/x", b"x")
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a/t", tmp_path / "a/t/x")]
    assert modes == [0o700, 0o700, 0o600]


async def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names archive, object and cause, the half file is gone, and what was there before stays."""
    store = FolderStore(tmp_path)
    await store.put("t/x", b"before")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"t/x: No space left") as caught:
            await store.put("t/x", b"after")
    assert caught.value.target == str(tmp_path)
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["x"]
    assert await store.get("t/x") == b"before"


async def test_what_is_not_the_archives_is_passed_over(tmp_path: Path) -> None:
    """A disk's own folder, names that are no text, notes, ids that no server gives: no streams, no failures."""
    ours = SegmentName(names.stream_of("a/../b"), EntryId(1), EntryId(2), 2)
    archive = Archive(FolderStore(tmp_path))
    await archive.write(ours, b"x")
    foreign = (
        "lost+found/a", "Upper/1-0_2-0_2.jsonl.zst", "notes/read.me", ".git/HEAD",
        "t/1-0_99999999999999999999-0_2.jsonl.zst", "t/2-0_1-0_2.jsonl.zst", "t/01-0_2-0_2.jsonl.zst", "loose",
        *(["\udcff/1-0_2-0_2.jsonl.zst"] if sys.platform == "linux" else []),
    )  # fmt: skip

    def spread() -> None:
        for name in foreign:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"")

    await asyncio.to_thread(spread)
    assert await archive.streams() == [ours.stream]
    assert [kept.name for kept in await archive.segments()] == [ours]


async def test_half_files_of_the_dead_go(tmp_path: Path) -> None:
    """What a killed program left half-written is never listed, and removed when it is old."""
    store = FolderStore(tmp_path)
    (tmp_path / "t").mkdir()
    old, young = tmp_path / "t/.old.half", tmp_path / "t/.young.half"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert await store.stored() == []
    await store.put("t/x", b"x")
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    """A file in the folder's place is named in every error."""
    (tmp_path / "file").write_text("x")
    store = FolderStore(tmp_path / "file")
    with pytest.raises(StoreError, match="file"):
        await store.put("t/x", b"x")
    with pytest.raises(StoreError, match="file"):
        await store.stored()
    with pytest.raises(StoreError, match="file"):
        await store.get("t/x")


async def test_a_bucket_that_refuses_is_said(bucket: Bucket) -> None:
    """A wrong key and a bucket that is not there are StoreErrors of one line, without the secret."""
    wrong = open_store(bucket.target, {**bucket.options, "secret_access_key": "hunter2"})
    with pytest.raises(StoreError) as caught:
        await wrong.put("t/x", b"x")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    nowhere = open_store("s3://nowhere-at-all", bucket.options)
    with pytest.raises(StoreError, match="nowhere-at-all"):
        await nowhere.stored()
    with pytest.raises(StoreError, match="nowhere-at-all"):
        await nowhere.put("t/x", b"x")


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("ftp://host/x", {}, "s3://bucket/prefix"),
        ("s3://", {}, "s3://bucket/prefix"),
        ("s3://key:secret@bucket", {}, "s3://bucket/prefix"),
        ("s3://bucket", {"regoin": "x"}, "regoin"),
        ("/folder", {"region": "x"}, "options"),
    ],
)
def test_a_target_that_is_none_is_refused(target: str, options: dict[str, str], said: str) -> None:
    """What cannot be meant is refused with what can."""
    with pytest.raises(ValueError, match=said) as caught:
        open_store(target, options)
    assert ":secret@" not in str(caught.value)


@pytest.fixture
def without_obstore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "obstore", None)
        yield


@pytest.mark.usefixtures("without_obstore")
def test_s3_that_is_not_installed_is_named() -> None:
    """Without the package the error says what to install."""
    with pytest.raises(ExtraMissingError, match=r"titan-bus\[s3\]"):
        open_store("s3://bucket/prefix", {})


def test_a_folder_is_named_from_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server remembers its archive; "kept" would be another one for whoever starts elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert open_store("kept", {}).target == str(tmp_path / "kept")
