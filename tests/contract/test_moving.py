"""One suite for every Passages: files that get another path are found by it, and by nothing of the old one."""

from pathlib import Path

import pytest

from tests.contract.moving import STAMP, found, put
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage, Passages


async def test_what_stood_at_the_new_path_is_replaced(passages: Passages) -> None:
    """A file that is moved upon another leaves one."""
    await put(passages, "/d/a.txt")
    await put(passages, "/d/b.txt", text=[Passage("старый текст")])
    assert await passages.move("/d/a.txt", "/d/b.txt", STAMP)
    assert await found(passages, "залог") == ["/d/b.txt"]
    assert await found(passages, "старый") == []


@pytest.mark.parametrize(
    ("old", "new", "stamp"),
    [
        ("/d/none.txt", "/d/new.txt", STAMP),
        ("/d/a.txt", "/d/new.txt", Stamp(size=9, mtime_ns=2)),
        ("/d/a.txt", "/d/new.json", STAMP),
        ("/d/broken.txt", "/d/new.txt", STAMP),
    ],
)
async def test_what_has_to_be_read_is_not_moved(passages: Passages, old: str, new: str, stamp: Stamp) -> None:
    """A file that is not known, has changed, is of another kind now, or gave no text; nothing has changed then."""
    await put(passages, "/d/a.txt")
    broken = FileEntry(path="/d/broken.txt", stamp=STAMP, outcome=Outcome.FAILED, reason=Reason.BROKEN)
    await passages.store(broken, ())
    before = await passages.known(Path("/"))
    assert not await passages.move(old, new, stamp)
    assert await passages.known(Path("/")) == before


async def test_moving_twice_is_the_same_as_once(passages: Passages) -> None:
    """The news of it may come again."""
    await put(passages, "/d/a.txt", "/d/x/b.txt")
    for _ in range(2):
        assert await passages.move("/d/a.txt", "/d/c.txt", STAMP)
        await passages.move_folder("/d/x", "/d/y")
    assert sorted(await passages.known(Path("/"))) == ["/d/c.txt", "/d/y/b.txt"]


async def test_a_file_is_known_by_its_number(passages: Passages) -> None:
    """Where it has one, and where its text is in the index; by its number alone after a move, too."""
    await put(passages, "/d/a.txt")
    await put(passages, "/d/b.txt", stamp=Stamp(size=1, mtime_ns=2))
    skipped = FileEntry(path="/d/c.bin", stamp=Stamp(1, 2, 4), outcome=Outcome.SKIPPED, reason=Reason.EMPTY)
    await passages.store(skipped, ())
    assert await passages.with_inodes([0, 3, 4, 5]) == {"/d/a.txt": STAMP}
    assert await passages.move("/d/a.txt", "/d/e.txt", Stamp(1, 2, 2**63 - 1))
    assert await passages.with_inodes([3, 2**63 - 1]) == {"/d/e.txt": STAMP}
