"""`titan files` and `titan undo` against the service itself: real folders, a real ledger."""

import io
import json
import sys
from pathlib import Path

import pytest

from tests.contract.hostile_paths import tree
from tests.desk import Desk
from titan_desktop.adapters.extraction.charset import encoding_of
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.commands import arguments, exit_codes, files, sentences, undo
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services.files.browsing import BrowsingService
from titan_desktop.services.files.forgetting import TOPICS

pytestmark = pytest.mark.logs("^refused ")


async def titan(desk: Desk, *typed: str, stdin: str = "", says: sentences.Table = sentences.ENGLISH) -> int:
    """Run a command as it is typed, and return its status."""
    options = arguments.parser().parse_args(typed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        if options.command == "undo":
            return await undo.run(desk.bus, options, says)
        files.absolute(options)
        browsing = BrowsingService(LocalFilesRoot([desk.root]), encoding_of)
        async with serving(desk.bus, Chain(), browsing):
            return await files.run(desk.bus, options, desk.paths, says)


async def test_a_file_is_written_shown_moved_and_deleted(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command says what was done, and how it is taken back; what was handed over is gone."""
    path = desk.root / "смета.txt"
    assert await titan(desk, "files", "write", str(path), stdin="900 €\n") == exit_codes.DONE
    assert await titan(desk, "files", "read", str(path)) == exit_codes.DONE
    assert await titan(desk, "files", "mkdir", str(desk.root / "new")) == exit_codes.DONE
    assert await titan(desk, "files", "move", str(path), str(desk.root / "new")) == exit_codes.DONE
    assert await titan(desk, "files", "list", str(desk.root)) == exit_codes.DONE
    assert await titan(desk, "files", "delete", str(desk.root / "lease.txt")) == exit_codes.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Written: {path} (8 B). `titan undo ")
    assert lines[1] == "900 €"
    assert lines[3].startswith(f"Moved: {path} → {desk.root}/new/смета.txt. ")
    assert [line.split()[-1] for line in lines[4:6]] == ["new/", "lease.txt"]
    assert tree(desk.root) == {"new": None, "new/смета.txt": "900 €\n".encode()}
    assert list(desk.paths.handed.iterdir()) == []


async def test_json_has_the_fields_that_scripts_rely_on(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """One value a command."""
    path, source = desk.root / "lease.txt", desk.root.parent / "from.txt"
    source.write_text("rent", "utf-8")
    await titan(desk, "files", "copy-in", str(source), str(path), "--replace", "--json")
    await titan(desk, "files", "read", str(path), "--json")
    await titan(desk, "files", "list", "--json")
    await titan(desk, "files", "copy-out", str(path), str(desk.root.parent), "--json")
    await titan(desk, "undo", "--list", "--json")
    action, text, roots, copied, ledger = map(json.loads, capsys.readouterr().out.splitlines())
    assert (action["kind"], action["state"], action["path"], action["size"]) == (
        "copy_in",
        "done",
        str(path),
        4,
    )
    assert text == {"path": str(path), "encoding": "utf-8", "bytes": 4, "text": "rent"}
    assert [entry["name"] for entry in roots["entries"]] == [str(desk.root)]
    assert (desk.root.parent / "lease.txt").read_text("utf-8") == "rent"
    assert [one["id"] for one in ledger] == [copied["id"], action["id"]]


async def test_what_is_refused_is_a_sentence_with_the_cure(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """In both languages, with the status 4; nothing is said of what lies outside."""
    path = str(desk.root / "lease.txt")
    for typed in (
        ("read", "/etc/passwd"), ("list", "/etc/none"), ("write", path), ("delete", str(desk.root)),
        ("write", path, "--from", path + "x"), ("read", str(desk.root / "none")),
    ):  # fmt: skip
        status = exit_codes.USAGE if "--from" in typed else exit_codes.PATH_REFUSED
        assert await titan(desk, "files", *typed) == status
    assert await titan(desk, "files", "write", path, says=sentences.RUSSIAN) == exit_codes.PATH_REFUSED
    outside, other, taken, root, source, gone, russian = capsys.readouterr().err.splitlines()
    assert outside.replace("/etc/passwd", "/etc/none") == other
    assert "outside the folders that Titan may read" in outside
    assert "add --number" in taken
    assert "one of the folders" in root
    assert source == f"titan: {path}x cannot be read: No such file or directory."
    assert "not there" in gone
    assert "Имя занято" in russian


async def test_undo_shows_asks_and_takes_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The last change; where nobody can be asked it does nothing without --yes."""
    path = desk.root / "lease.txt"
    assert await titan(desk, "undo") == exit_codes.NOTHING
    await titan(desk, "files", "write", str(path), "--replace", stdin="rent")
    assert await titan(desk, "undo") == exit_codes.USAGE
    assert path.read_text("utf-8") == "rent"
    assert await titan(desk, "undo", "--yes") == exit_codes.DONE
    assert path.read_text("utf-8") == "deposit"
    assert await titan(desk, "undo", "--yes") == exit_codes.NOTHING
    assert await titan(desk, "undo", "--list", says=sentences.RUSSIAN) == exit_codes.DONE
    out, err = capsys.readouterr()
    assert f"- {path} gets its former content back (7 B)." in out
    assert f"записал {path}  (отменено)" in out
    assert "add --yes" in err


async def test_a_later_change_is_told_and_kept(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """--force takes the action back all the same; a run is undone as a whole."""
    path = desk.root / "lease.txt"
    action = await desk.write(path, "rent", run_id="run")
    await desk.write(desk.root / "b.txt", "b", run_id="run")
    path.write_text("by hand", "utf-8")
    assert await titan(desk, "undo", action.id, "--yes") == exit_codes.PATH_REFUSED
    assert "Somebody has changed it since" in capsys.readouterr().out
    assert await titan(desk, "undo", "--run", "run", "--force", "--yes", "--json") == exit_codes.DONE
    said = json.loads(capsys.readouterr().out)
    assert [step["kind"] for step in said["steps"]] == ["delete", "write"]
    assert tree(desk.root) == {"lease.txt": b"deposit"}
    assert sorted(file.read_text("utf-8") for file in desk.paths.contents.iterdir()) == ["by hand", "deposit"]
    assert await titan(desk, "undo", "none", "--yes") == exit_codes.NOTHING


async def test_a_forgotten_file_is_in_no_event_and_no_entry(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under its former name, too; the file itself and what belongs to others stay."""
    await desk.write(desk.root / "lease.txt", "rent")
    await titan(desk, "files", "write", str(desk.root / "other.txt"), stdin="x")
    await titan(desk, "files", "write", str(desk.root / "other.txt"), "--replace", stdin="y")
    await titan(desk, "files", "move", str(desk.root / "lease.txt"), str(desk.root / "b"))
    assert (
        await titan(desk, "files", "forget", str(desk.root / "b"), says=sentences.RUSSIAN) == exit_codes.DONE
    )
    assert "Забыто: отрывков 0, изменений 2, прежних версий 1." in capsys.readouterr().out
    told = [event for topic in TOPICS async for event in desk.bus.replay("2000-01-01T00:00:00Z", topic)]
    assert not any(b"lease.txt" in bytes(event.encoded_payload) for event in told)
    assert any(b"other.txt" in bytes(event.encoded_payload) for event in told)
    assert tree(desk.root) == {"b": b"rent", "other.txt": b"y"}
    assert [file.read_text("utf-8") for file in desk.paths.contents.iterdir()] == ["x"]
    assert await titan(desk, "undo", "--yes") == exit_codes.DONE
    assert tree(desk.root) == {"b": b"rent", "other.txt": b"x"}


def test_a_name_that_cannot_travel_is_told_before_a_core_is_started(tmp_path: Path) -> None:
    """A terminal's bytes that are not UTF-8 are spelled; half a character of Windows is refused."""
    options = arguments.parser().parse_args(["files", "delete", f"{tmp_path}/\udcff"])
    files.absolute(options)
    assert options.path == f"{tmp_path}/\ufffdFF"
    options = arguments.parser().parse_args(["files", "delete", f"{tmp_path}/\ud800"])
    with pytest.raises(UnicodeEncodeError):
        files.absolute(options)
