"""What is unsent: kept in a file while it has to be, read by the next window, never a reason to fail."""

import asyncio
import errno
import os
import stat

import pytest

from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.chat import unsent
from titan_desktop.ui.chat.unsent import Unsent, UnsentFile

PROMPT = SendPrompt(conversation_id="c1", message_id="m1", text="Какой залог?", language="ru")
KEPT = Unsent((PROMPT,), {"": "и ещё", "c2": "draft"})


@pytest.fixture
async def tasks():
    made = Tasks(lambda error: pytest.fail(str(error)))
    yield made
    await made.close(2)


def test_what_is_written_is_read(tmp_path):
    """Questions and drafts come back as they were; the file is its owner's alone and goes when nothing is left."""
    path = tmp_path / "unsent.json"
    assert unsent.read(path) == Unsent()
    unsent.write(path, KEPT)
    assert unsent.read(path) == KEPT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    unsent.write(path, Unsent())
    assert not path.exists()


def test_what_the_disk_did_not_take_replaces_nothing(tmp_path, monkeypatch):
    """The new file is on the disk before it takes the old one's name: a power cut leaves one of the two."""
    path = tmp_path / "unsent.json"
    unsent.write(path, KEPT)

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        unsent.write(path, Unsent((PROMPT,)))
    assert unsent.read(path) == KEPT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"prompts": 1}', b"\xff\xfe"])
def test_a_damaged_file_is_put_aside(tmp_path, caplog, damage):
    """It hinders nobody and is not written over."""
    path = tmp_path / "unsent.json"
    path.write_bytes(damage)
    assert unsent.read(path) == Unsent()
    assert (tmp_path / "unsent.broken").read_bytes() == damage
    assert "cannot be read" in caplog.text


async def test_the_file_follows_the_window(tmp_path, tasks):
    """A change is written without being waited for; the newest state stands in the end."""
    path, now = tmp_path / "unsent.json", Unsent()
    kept = UnsentFile(path, lambda: now, tasks)
    assert await kept.read() == Unsent()
    now = Unsent((PROMPT,))
    kept.note_change()
    now = KEPT
    await kept.write()
    assert unsent.read(path) == KEPT


async def test_writings_that_meet_do_not_hinder_each_other(tmp_path, tasks, caplog):
    """The last writing of a window may meet one that was cancelled and goes on in its thread: the newest stays."""
    path, now = tmp_path / "unsent.json", Unsent()
    kept = UnsentFile(path, lambda: now, tasks)
    await kept.read()
    for number in range(100):
        now = Unsent(drafts={"": f"older {number}"})
        older = asyncio.create_task(kept.write())
        await asyncio.sleep(0)
        older.cancel()
        now = Unsent(drafts={"": f"newer {number}"})
        await kept.write()
        await asyncio.wait([older])
        assert unsent.read(path) == now
    assert not caplog.text


async def test_a_file_that_was_not_read_is_not_written_over(tmp_path, tasks):
    """A window that is closed before it has taken up what is kept leaves it as it is."""
    path = tmp_path / "unsent.json"
    unsent.write(path, KEPT)
    await UnsentFile(path, lambda: Unsent(drafts={"": "new"}), tasks).write()
    assert unsent.read(path) == KEPT


async def test_a_disk_that_takes_nothing_hinders_nobody(tmp_path, tasks, caplog):
    """It is logged, and not tried again before something changes."""
    kept = UnsentFile(tmp_path / "missing" / "unsent.json", lambda: KEPT, tasks)
    await kept.read()
    await kept.write()
    await kept.write()
    await asyncio.sleep(0)
    assert caplog.text.count("cannot be kept") == 1
