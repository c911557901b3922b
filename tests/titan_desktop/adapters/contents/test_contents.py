"""The store of former contents: bounded, private, and whole or not there."""

import errno
import io
import os
import stat
from pathlib import Path

import pytest

from titan_desktop.adapters.contents import FolderContents
from titan_desktop.client.handing import hand_over
from titan_desktop.ports.contents import ContentRefusedError
from titan_desktop.system.paths import Paths


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("TITAN_HOME", str(tmp_path))
    return Paths.from_environment()


@pytest.fixture
def contents(paths: Paths) -> FolderContents:
    return FolderContents(paths.contents, paths.handed, file_bytes_max=100, total_bytes_max=250)


def keep(contents: FolderContents, text: str) -> str:
    return contents.keep(io.BytesIO(text.encode()))


def test_a_content_is_kept_once_and_for_its_owner(contents: FolderContents, paths: Paths) -> None:
    """Two equal ones are one file, 0600 in a folder that is 0700."""
    first, second = keep(contents, "залог"), keep(contents, "залог")
    assert first == second
    [file] = paths.contents.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (paths.contents, file)] == [0o700, 0o600]
    with contents.open(first) as kept:
        assert kept.read().decode() == "залог"
    contents.forget([first, "../../secret"])
    assert (contents.has(first), contents.size(first), list(paths.contents.iterdir())) == (False, 0, [])


def test_the_oldest_go_first_and_one_that_is_too_large_is_not_kept(
    contents: FolderContents, paths: Paths
) -> None:
    """A content that is kept again counts as new; what a killed process left is removed."""
    one, two = keep(contents, "1" * 100), keep(contents, "2" * 100)
    for age, digest in enumerate((two, one)):
        os.utime(paths.contents / digest, ns=(age, age))
    (paths.contents / "killed.new").write_text("half")
    three = keep(contents, "3" * 100)
    assert [contents.has(digest) for digest in (one, two, three)] == [True, False, True]
    with pytest.raises(ContentRefusedError) as caught:
        keep(contents, "4" * 101)
    assert (caught.value.size, caught.value.limit) == (101, 100)
    assert sorted(path.name for path in paths.contents.iterdir()) == sorted([one, three])


def test_a_full_disk_keeps_nothing(
    contents: FolderContents, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so, without a half of it left."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ContentRefusedError) as caught:
        keep(contents, "x")
    assert caught.value.limit == 0
    assert list(paths.contents.iterdir()) == []


def test_what_is_handed_over_is_taken_by_its_id_alone(contents: FolderContents, paths: Paths) -> None:
    """An id is a ULID: no path leads anywhere else. What was never sent for goes after a week."""
    hand_over(paths, "01J25T91SA3G7G9F2W3ZVQ7E7N", [b"de", b"posit"])
    with contents.handed("01J25T91SA3G7G9F2W3ZVQ7E7N") as file:
        assert file.read() == b"deposit"
    assert stat.S_IMODE((paths.handed / "01J25T91SA3G7G9F2W3ZVQ7E7N").stat().st_mode) == 0o600
    forgotten = paths.handed / "01J25T91SA3G7G9F2W3ZVQ7E7P"
    forgotten.touch()
    os.utime(forgotten, (0, 0))
    contents.discard_handed("01J25T91SA3G7G9F2W3ZVQ7E7N")
    assert list(paths.handed.iterdir()) == []
    for content_id in ("01J25T91SA3G7G9F2W3ZVQ7E7N", "../settings.toml", "", "/etc/passwd"):
        with pytest.raises(FileNotFoundError):
            contents.handed(content_id)
        contents.discard_handed(content_id)
