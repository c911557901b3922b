"""Claims about changes of files and their undoing: a real bus, real folders, a real ledger."""

import hashlib
import os
import stat
import sys
from pathlib import Path

import pytest

from tests.contract.hostile_paths import tree
from tests.desk import LIMIT, Desk
from titan_bus import RequestFailedError, new_ulid
from titan_desktop.contracts import file_actions as told
from titan_desktop.contracts.file_actions import ActionKind, ActionState, OnExists, Refusal
from titan_desktop.contracts.message import ask, publish
from titan_desktop.ports.ledger import Entry
from titan_desktop.services.files import acting

pytestmark = pytest.mark.logs("^refused ")


async def test_a_change_is_an_action_with_what_was_before(desk: Desk) -> None:
    """Who asked, on what, what came of it; the former content is kept for the owner, the handed one is gone."""
    action = await desk.write(desk.root / "lease.txt", "rent")
    assert (action.kind, action.state, action.path) == (
        ActionKind.WRITE,
        ActionState.DONE,
        str(desk.root / "lease.txt"),
    )
    assert (action.requested_by, action.size, action.undoable, action.run_id) == (
        "test@v0",
        4,
        True,
        action.id,
    )
    page = await ask(desk.bus, told.ListActions())
    assert page.actions == (action,)
    umask = os.umask(0)
    os.umask(umask)
    await desk.write(desk.root / "new.txt", "x")
    assert (desk.root / "new.txt").stat().st_mode == 0o100666 & ~umask  # not those of what was handed over
    [kept] = desk.paths.contents.iterdir()
    assert (kept.read_text("utf-8"), stat.S_IMODE(kept.stat().st_mode)) == ("deposit", 0o600)
    assert list(desk.paths.handed.iterdir()) == []


async def test_a_command_that_comes_twice_is_done_once(desk: Desk) -> None:
    """It is told twice; the file is as the first made it, whatever has become of it since."""
    command = told.MovePath(
        action_id=new_ulid(), path=str(desk.root / "lease.txt"), target=str(desk.root / "a")
    )
    first = await desk.do(command)
    (desk.root / "lease.txt").write_text("another", "utf-8")
    assert await desk.do(command) == first
    assert tree(desk.root) == {"a": b"deposit", "lease.txt": b"another"}


@pytest.mark.skipif(sys.platform != "linux", reason="names are text here")
async def test_a_file_whose_name_is_not_utf8_is_changed_as_any_other(desk: Desk) -> None:
    """Moved, deleted and brought back, by the spelling of its name; its bytes are kept."""
    name = os.fsdecode(b"\xe9.txt")
    (desk.root / name).write_bytes(b"x")
    spelled, moved = desk.root / "\ufffdE9.txt", desk.root / "\ufffdE8.txt"
    await desk.do(told.MovePath(action_id=new_ulid(), path=str(spelled), target=str(moved)))
    assert (desk.root / os.fsdecode(b"\xe8.txt")).read_bytes() == b"x"
    deleted = await desk.do(told.DeletePath(action_id=new_ulid(), path=str(moved)))
    assert (deleted.state, tree(desk.root)) == (ActionState.DONE, {"lease.txt": b"deposit"})
    await desk.undo(deleted)
    assert (desk.root / os.fsdecode(b"\xe8.txt")).read_bytes() == b"x"


async def every_change(desk: Desk) -> list[told.Action]:
    """Change something in each way; a copy out changes nothing inside."""
    root, outside = desk.root, desk.root.parent / "from.txt"
    outside.write_text("from outside", "utf-8")
    run = {"run_id": "run"}
    written = await desk.write(root / "lease.txt", "rent", **run)
    new = await desk.write(root / "new.txt", "new", **run)
    commands = (
        told.MakeFolder(action_id=new_ulid(), path=str(root / "папка"), **run),
        told.MovePath(action_id=new_ulid(), path=str(root / "new.txt"), target=str(root / "папка"), **run),
        told.CopyIn(action_id=new_ulid(), source=str(outside), path=str(root), **run),
        told.DeletePath(action_id=new_ulid(), path=str(root / "lease.txt"), **run),
        told.CopyOut(
            action_id=new_ulid(), path=str(root / "from.txt"), place=str(root.parent / "copy"), **run
        ),
    )
    actions = [written, new, *[await desk.do(command) for command in commands]]
    assert [action.refusal for action in actions] == [Refusal.NONE] * 7
    return actions


CHANGED = {"папка": None, "папка/new.txt": b"new", "from.txt": b"from outside"}


async def test_every_change_is_undone_and_the_undoing_too(desk: Desk) -> None:
    """One by one, the last first, to the beginning; and forward again."""
    actions = await every_change(desk)
    assert tree(desk.root) == CHANGED
    assert (await desk.undo(actions.pop())).refusal is Refusal.NOT_UNDOABLE
    undone = [await desk.undo(action) for action in reversed(actions)]
    assert [action.refusal for action in undone] == [Refusal.NONE] * 6
    assert tree(desk.root) == {"lease.txt": b"deposit"}
    assert (await desk.undo(actions[0])).refusal is Refusal.UNDONE
    again = [await desk.undo(action) for action in reversed(undone)]
    assert [action.refusal for action in again] == [Refusal.NONE] * 6
    assert tree(desk.root) == CHANGED
    assert (await desk.undo(actions[-1])).refusal is Refusal.UNDONE
    assert (await desk.undo(again[-1])).refusal is Refusal.NONE


async def test_a_run_is_undone_as_a_whole_and_so_is_that(desk: Desk) -> None:
    """Previewed in its order; delivered twice it is done once; the undoing is a run, too."""
    await every_change(desk)
    preview = await ask(desk.bus, told.PreviewUndo(run_id="run"))
    assert [step.kind.value for step in preview.steps] == [
        "copy_out",
        "restore",
        "delete",
        "move",
        "delete",
        "delete",
        "write",
    ]
    assert {step.obstacle for step in preview.steps[1:]} == {Refusal.NONE}
    command = told.UndoRun(action_id=new_ulid(), undone_run_id="run")
    for undone in (6, 6):
        await publish(desk.bus, command)
        while not isinstance(end := await desk.next_end(), told.RunUndone):
            assert end.action.state is ActionState.DONE
        assert (end.undone, end.refused) == (undone, 0)
        assert tree(desk.root) == {"lease.txt": b"deposit"}
    await publish(desk.bus, told.UndoRun(action_id=new_ulid(), undone_run_id=command.action_id))
    while not isinstance(end := await desk.next_end(), told.RunUndone):
        pass
    assert tree(desk.root) == CHANGED


async def test_pages_fit_into_a_reply(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Very long paths make them shorter, and nothing is left out."""
    monkeypatch.setattr(acting, "PAGE_BYTES_MAX", 1_000)
    made = [await desk.write(desk.root / f"{number}.txt", "x", run_id="run") for number in range(5)]
    listed: list[told.Action] = []
    page = await ask(desk.bus, told.ListActions())
    listed += page.actions
    while page.next_cursor:
        page = await ask(desk.bus, told.ListActions(cursor=page.next_cursor))
        listed += page.actions
    assert listed == made[::-1]
    preview = await ask(desk.bus, told.PreviewUndo(run_id="run"))
    assert preview.more
    assert [step.action for step in preview.steps] == made[::-1][: len(preview.steps)]


async def test_what_others_have_changed_since_is_not_overwritten(desk: Desk) -> None:
    """It is told in the preview and by the refusal; insisting on it keeps the later content as an action's own."""
    path = desk.root / "lease.txt"
    action = await desk.write(path, "rent")
    path.write_text("by hand", "utf-8")
    [step] = (await ask(desk.bus, told.PreviewUndo(action_id=action.id))).steps
    assert (step.obstacle, step.can_force, step.size) == (Refusal.CHANGED, True, 7)
    assert (await desk.undo(action)).refusal is Refusal.CHANGED
    assert path.read_text("utf-8") == "by hand"
    forced = await desk.undo(action, force=True)
    assert path.read_text("utf-8") == "deposit"
    await desk.undo(forced)
    assert path.read_text("utf-8") == "by hand"


async def test_undoing_stops_at_what_is_gone_or_in_the_way(desk: Desk) -> None:
    """An emptied trash, another file in the place, a folder that is used now, a content that was dropped."""
    path = desk.root / "lease.txt"
    deleted = await desk.do(told.DeletePath(action_id=new_ulid(), path=str(path)))
    path.write_text("another", "utf-8")
    assert (await desk.undo(deleted)).refusal is Refusal.EXISTS
    made = await desk.do(told.MakeFolder(action_id=new_ulid(), path=str(desk.root / "new")))
    (desk.root / "new" / "mine").touch()
    assert (await desk.undo(made)).refusal is Refusal.CHANGED
    written = await desk.write(path, "rent")
    desk.contents.forget([found.name for found in desk.paths.contents.iterdir()])
    assert (await desk.undo(written)).refusal is Refusal.NOT_KEPT
    for found in (desk.root.parent / "home").rglob("files/*"):
        found.unlink()
    path.unlink()
    assert (await desk.undo(deleted)).refusal is Refusal.NOT_KEPT
    unknown = await desk.do(told.UndoAction(action_id=new_ulid(), undone_id="none"))
    assert unknown.refusal is Refusal.UNKNOWN
    with pytest.raises(RequestFailedError) as caught:
        await ask(desk.bus, told.PreviewUndo(action_id="none"))
    assert caught.value.code == "not_found"


async def test_a_name_that_exists_is_refused_or_numbered(desk: Desk) -> None:
    """As asked; a move never replaces."""
    path, ask_for = desk.root / "lease.txt", {"action_id": new_ulid(), "on_exists": OnExists.REFUSE}
    assert (await desk.write(path, "rent", **ask_for)).refusal is Refusal.EXISTS
    numbered = [await desk.write(path, text, on_exists=OnExists.NUMBER) for text in ("two", "three")]
    assert [Path(action.path).name for action in numbered] == ["lease (2).txt", "lease (3).txt"]
    moved = told.MovePath(
        action_id=new_ulid(), path=numbered[0].path, target=str(path), on_exists=OnExists.REPLACE
    )
    assert (await desk.do(moved)).refusal is Refusal.EXISTS
    moved = told.MovePath(
        action_id=new_ulid(), path=numbered[0].path, target=str(path), on_exists=OnExists.NUMBER
    )
    assert Path((await desk.do(moved)).target).name == "lease (4).txt"
    assert path.read_text("utf-8") == "deposit"


async def test_what_is_too_large_to_be_kept_is_replaced_only_when_that_is_said(desk: Desk) -> None:
    """The refusal has the limit; without keeping there is nothing to undo with."""
    path = desk.root / "film.txt"
    path.write_text("x" * (LIMIT + 1), "utf-8")
    refused = await desk.write(path, "small")
    assert (refused.refusal, refused.detail, path.stat().st_size) == (
        Refusal.TOO_LARGE,
        str(LIMIT),
        LIMIT + 1,
    )
    action = await desk.write(path, "small", keep=False)
    assert (action.undoable, path.read_text("utf-8")) == (False, "small")
    assert (await desk.undo(action)).refusal is Refusal.NOT_KEPT


@pytest.mark.parametrize(
    "path",
    [
        "/etc/new.txt",
        "{root}/../new.txt",
        "{root}/a\0b",
        "relative",
        "{root}/to/new.txt",
        "/etc/" + "\x01" * 4_000,
    ],
)
async def test_a_hostile_path_is_refused_and_in_the_ledger(desk: Desk, path: str) -> None:
    """A link is OUTSIDE as well, and any length fits into the event; nothing is made anywhere."""
    (desk.root / "to").symlink_to(desk.root.parent)
    before = tree(desk.root.parent)
    action = await desk.write(Path(path.format(root=desk.root)), "x")
    assert action.refusal is Refusal.OUTSIDE
    after = tree(desk.root.parent)
    assert {name for name in after.keys() ^ before.keys() if not name.startswith("titan")} == set()
    assert len((await ask(desk.bus, told.ListActions())).actions) == 1


@pytest.mark.parametrize("is_done", [True, False])
async def test_an_action_that_was_cut_off_is_finished_once(desk: Desk, *, is_done: bool) -> None:
    """After a kill between the ledger's two entries the command comes again, and the disk tells what is done."""
    path = desk.root / "a.txt"
    digest = hashlib.sha256(b"deposit").hexdigest()
    command = told.CopyIn(action_id=new_ulid(), source=str(desk.root / "lease.txt"), path=str(path))
    cut_off = told.Action(
        id=command.action_id,
        run_id="r",
        kind=ActionKind.COPY_IN,
        path=str(path),
        asked_at="2026-11-30T10:00:00Z",
    )
    await desk.ledger.begin(Entry(action=cut_off, after=digest))
    if is_done:
        path.write_text("deposit", "utf-8")
    action = await desk.do(command)
    assert (action.state, path.read_text("utf-8")) == (ActionState.DONE, "deposit")
    assert (await desk.undo(action)).state is ActionState.DONE
    assert not path.exists()
