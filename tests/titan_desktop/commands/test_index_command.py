import json
import os
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.responders import files_service
from titan_bus import Bus
from titan_desktop.commands import exit_codes, index, indexing, sentences
from titan_desktop.contracts import files
from titan_desktop.contracts.indexing import FileIndexed, Outcome, Reason

SAYS = sentences.ENGLISH


def options(**changes: object) -> Namespace:
    return Namespace(**{"json": True, "force": False, "strict": False, **changes})


def seen(command: files.IndexPaths, path: str) -> files.FileSeen:
    return files.FileSeen(path=path, size=1000, mtime_ns=1, job_id=command.job_id)


def dealt(
    command: files.IndexPaths, path: str, outcome: Outcome = Outcome.INDEXED, reason: Reason = Reason.NONE
) -> FileIndexed:
    return FileIndexed(path=path, outcome=outcome, reason=reason, size=1000, job_id=command.job_id)


REFUSED = {"/home/anna/Desktop": "The Desktop is not read."}


async def run(bus: Bus, opts: Namespace, paths: list[str], says: sentences.Table) -> int:
    async with indexing.listening(bus) as tail:
        return await index.run(bus, tail, opts, paths, says, REFUSED)


async def a_mixed_folder(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
    """One file of each outcome; an answer that overtakes its `file_seen`; another job's events in between."""
    yield dealt(command, "/d/first.txt")
    yield seen(command, "/d/first.txt")
    yield seen(files.IndexPaths(job_id="01J25T91SA3G7G9F2W3ZVQ7E7N"), "/d/never.txt")
    yield dealt(command, "/d/log.txt", reason=Reason.CUT)
    for path in ("/d/a.xyz", "/d/broken.pdf", "/d/same.txt"):
        yield seen(command, path)
    yield files.ScanFinished(job_id=command.job_id, seen=4, unchanged=3)
    yield files.ScanFinished(job_id="01J25T91SA3G7G9F2W3ZVQ7E7N", seen=9)
    yield dealt(command, "/d/a.xyz", Outcome.SKIPPED, Reason.UNSUPPORTED)
    yield dealt(command, "/d/same.txt", Outcome.UNCHANGED)
    yield dealt(command, "/d/broken.pdf", Outcome.FAILED, Reason.BROKEN)
    yield dealt(command, "/d/broken.pdf", Outcome.FAILED, Reason.BROKEN)


async def test_the_summary_counts_every_outcome(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Order and repetition of the events change nothing, and other jobs are not counted."""
    async with files_service(bus, a_mixed_folder):
        status = await run(bus, options(), [], SAYS)
    said = json.loads(capsys.readouterr().out)
    assert status == exit_codes.DONE
    assert said["indexed"] == 2
    assert [one["path"] for one in said["partial"]] == ["/d/log.txt"]
    assert said["unchanged"] == 4
    assert said["skipped"] == [
        {"path": "/d/a.xyz", "reason": "unsupported", "sentence": sentences.for_reason(SAYS, "unsupported")}
    ]
    assert said["failed"] == [
        {"path": "/d/broken.pdf", "reason": "broken", "sentence": sentences.for_reason(SAYS, "broken")}
    ]
    assert said["refused"] == []
    assert said["bytes"] == 2000
    assert said["seconds"] > 0
    assert said["files_per_s"] > 0


async def test_a_person_reads_why(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Reasons are sentences with the files under them, and there is no bar where stderr is no terminal."""
    async with files_service(bus, a_mixed_folder):
        await run(bus, options(json=False), [], sentences.RUSSIAN)
    out, err = capsys.readouterr()
    assert "Проиндексировано: 2 (2 КБ)" in out
    assert "Прочитано частично: 1\n  Прочитан частично: файл очень длинный" in out
    assert (
        "Не прочитано: 1\n  Файл повреждён. Проверьте, открывается ли он в своей программе: 1\n    /d/broken.pdf\n"
        in out
    )
    assert err == ""


async def test_what_the_core_reads_by_itself_meanwhile_is_news(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """A first `titan index` starts the core, whose own scan comes first: its outcomes are told, in scope only."""

    async def overtaken(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        startup = files.IndexPaths(job_id="01J25T91SA3G7G9F2W3ZVQ7E7N")
        yield dealt(startup, "/d/new.txt")
        yield dealt(startup, "/d/broken.pdf", Outcome.FAILED, Reason.BROKEN)
        yield dealt(startup, "/elsewhere/new.txt")
        yield dealt(startup, "/d/twice.txt")
        yield seen(command, "/d/new.txt")
        yield dealt(command, "/d/new.txt", Outcome.UNCHANGED)
        yield seen(command, "/d/twice.txt")
        yield dealt(command, "/d/twice.txt")
        yield files.ScanFinished(job_id=command.job_id, seen=1, unchanged=6)

    async with files_service(bus, overtaken):
        await run(bus, options(), ["/d"], SAYS)
    said = json.loads(capsys.readouterr().out)
    assert said["indexed"] == 2
    assert [failure["path"] for failure in said["failed"]] == ["/d/broken.pdf"]
    assert said["unchanged"] == 5


async def test_strict_makes_a_failed_file_a_failure(bus: Bus) -> None:
    """Without `--strict` a broken file is only recorded."""
    async with files_service(bus, a_mixed_folder):
        assert await run(bus, options(strict=True), [], SAYS) == exit_codes.FILES_FAILED


async def test_unchanged_files_that_failed_before_are_told(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the second run would look as if all were well; what is listed as news already is not told again."""

    async def second_run(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        startup = files.IndexPaths(job_id="01J25T91SA3G7G9F2W3ZVQ7E7N")
        yield dealt(startup, "/d/broken.pdf", Outcome.FAILED, Reason.BROKEN)
        yield files.ScanFinished(job_id=command.job_id, seen=0, unchanged=9, failed=3)

    async with files_service(bus, second_run):
        assert await run(bus, options(strict=True), [], SAYS) == exit_codes.FILES_FAILED
        await run(bus, options(json=False), [], SAYS)
    said, _, read = capsys.readouterr().out.partition("\n")
    assert json.loads(said)["unchanged_failed"] == 2
    assert "Unchanged: 8\n  of these could not be read: 2; `titan doctor` names them\n" in read


async def test_files_that_have_gone_are_waited_for(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """After the command a search finds none of them any more."""

    async def emptied(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        yield files.FileRemoved(path="/d/1", job_id=command.job_id)
        yield files.FileRemoved(path="/elsewhere/2")
        yield files.ScanFinished(job_id=command.job_id, seen=0, unchanged=1)
        yield dealt(command, "/d/1", Outcome.REMOVED)

    async with files_service(bus, emptied):
        await run(bus, options(), ["/d"], SAYS)
        await run(bus, options(json=False), ["/d"], SAYS)
    said, _, read = capsys.readouterr().out.partition("\n")
    assert (json.loads(said)["removed"], json.loads(said)["unchanged"]) == (1, 1)
    assert "Removed: 1\n" in read


async def test_a_core_that_restarts_in_mid_scan_is_waited_for(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second scan says only what is left: files said before the crash count too, and each once."""

    async def crashing(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        yield seen(command, "/d/1")
        yield seen(command, "/d/2")
        yield dealt(command, "/d/1")
        yield seen(command, "/d/2")
        yield seen(command, "/d/3")
        yield files.ScanFinished(job_id=command.job_id, seen=2, unchanged=1)
        yield dealt(command, "/d/3")
        yield dealt(command, "/d/2")

    async with files_service(bus, crashing):
        await run(bus, options(), [], SAYS)
    assert json.loads(capsys.readouterr().out)["indexed"] == 3


async def test_a_path_outside_is_refused_with_the_cure(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal is a sentence on stderr and the status 4; the rest of the command is done."""

    async def refusing(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        yield files.PathRefused(path="/etc/passwd", reason=Reason.OUTSIDE, job_id=command.job_id)
        yield seen(command, "/d/1")
        yield files.ScanFinished(job_id=command.job_id, seen=1, refused=1)
        yield dealt(command, "/d/1")

    async with files_service(bus, refusing) as commands:
        status = await run(bus, options(force=True), ["/d", "/etc/passwd"], SAYS)
    out, err = capsys.readouterr()
    assert status == exit_codes.PATH_REFUSED
    assert json.loads(out)["indexed"] == 1
    assert err == (
        "titan: /etc/passwd is refused. It lies outside the folders that Titan may read."
        " Titan reads only these folders: Desktop, Downloads. Copy it there.\n"
    )
    assert commands[0].force


async def test_a_folder_that_is_refused_is_told_with_its_reason(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is told to copy a file to where it is."""

    async def refusing(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        for path in command.paths:
            yield files.PathRefused(path=path, reason=Reason.OUTSIDE, job_id=command.job_id)
        yield files.ScanFinished(job_id=command.job_id, seen=0, refused=len(command.paths))

    async with files_service(bus, refusing):
        status = await run(bus, options(), ["/home/anna/Desktop/a.txt"], SAYS)
    assert status == exit_codes.PATH_REFUSED
    assert capsys.readouterr().err == "titan: The Desktop is not read.\n"


async def test_a_folder_that_cannot_be_read_on_the_way_is_reported_only(bus: Bus) -> None:
    """What nobody asked for by name does not fail the command."""

    async def partly(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        yield files.PathRefused(path="/d/locked", reason=Reason.UNREADABLE, job_id=command.job_id)
        yield files.ScanFinished(job_id=command.job_id, seen=0, refused=1)

    async with files_service(bus, partly):
        assert await run(bus, options(), ["/d"], SAYS) == exit_codes.DONE


async def test_more_paths_than_an_event_holds_are_several_commands(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """`titan index *.pdf` works in a folder with thousands of files."""

    async def each(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        for path in command.paths:
            yield seen(command, path)
            yield dealt(command, path)
        yield files.ScanFinished(job_id=command.job_id, seen=len(command.paths))

    paths = [f"/home/anna/Desktop/договор номер {number}.pdf" for number in range(1500)]
    async with files_service(bus, each) as commands:
        await run(bus, options(), paths, SAYS)
    assert json.loads(capsys.readouterr().out)["indexed"] == 1500
    assert len(commands) > 1


async def test_a_core_that_falls_silent_is_not_waited_for_ever(
    bus: Bus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends with 3 and says how many files were left."""
    monkeypatch.setattr(indexing, "SILENCE_S", 0.3)

    async def falls_silent(command: files.IndexPaths) -> AsyncIterator[msgspec.Struct]:
        yield seen(command, "/d/1")

    async with files_service(bus, falls_silent):
        assert await run(bus, options(), [], SAYS) == exit_codes.NOT_REACHED
    assert "files left: 1" in capsys.readouterr().err


def test_paths_are_absolute_and_do_not_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is named twice, or lies in a folder that is named too, is asked for once."""
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    asked = ["a/b", "a", "./a/../a/c.txt", "ab", os.fspath(tmp_path / "z")]
    assert index.absolute(asked) == [f"{here}/a", f"{here}/ab", f"{here}/z"]
