"""Indexing and search over a real bus and a real PostgreSQL."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.indexing_service import WAIT_S, Environment, seen, titles
from titan_bus import RequestFailedError
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.adapters.postgres.forgotten_texts import PostgresForgottenTexts
from titan_desktop.contracts import files, indexing, topics
from titan_desktop.contracts.indexing import Outcome, Reason
from titan_desktop.contracts.message import ask, publish
from titan_desktop.contracts.search import Instead
from titan_desktop.contracts.sources import Lines
from titan_desktop.ports.extractor import ExtractorUnavailableError
from titan_desktop.ports.passages import FileEntry, Passage
from titan_desktop.services import waiting
from titan_desktop.services.indexing import cutting


@pytest.mark.by_url
async def test_a_file_is_indexed_and_found(env: Environment) -> None:
    """What the files service has seen is read, stored under its event, said with its job, and found."""
    path = env.write("Договор аренды.txt", "Арендатор вносит залог.")
    async with env.service():
        await env.see(path, job_id="job-1")
        (said,) = await env.hear()
        assert (said.path, said.outcome, said.passages) == (str(path), Outcome.INDEXED, 1)
        assert (said.size, said.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert said.job_id == "job-1"
        result = await env.search("какой залог?")
    assert result.legs == ("keyword",)
    assert result.degraded == ""
    (hit,) = result.hits
    assert (hit.path, hit.title, hit.kind) == (str(path), "Договор аренды.txt", "txt")
    assert (hit.passage, hit.place) == ("Арендатор вносит залог.", Lines(first=1, last=1))


async def test_an_unchanged_file_is_not_read_again(env: Environment) -> None:
    """A known stamp means unchanged, unless the caller insists."""
    path = env.write("a.txt", "слово")
    async with env.service():
        for force in (False, False, True):
            await env.see(path, force=force)
        outcomes = [said.outcome for said in await env.hear(3)]
    assert outcomes == [Outcome.INDEXED, Outcome.UNCHANGED, Outcome.INDEXED]
    assert env.extractor.read == ["a.txt", "a.txt"]


async def test_a_broken_file_is_tried_again_only_when_it_changes(env: Environment) -> None:
    """Its reason is recorded and said; after a change it is read."""
    broken, empty = env.write("broken.txt", b"\0"), env.write("empty.txt", b"")
    async with env.service():
        for path in (broken, empty, broken):
            await env.see(path)
        said = await env.hear(3)
        status = await env.status()
        assert {(one.outcome, one.reason) for one in said} == {
            (Outcome.FAILED, Reason.BROKEN),
            (Outcome.SKIPPED, Reason.EMPTY),
            (Outcome.UNCHANGED, Reason.NONE),
        }
        assert (status.files, status.failed, status.skipped, status.passages) == (0, 1, 1, 0)
        assert {failure.detail for failure in status.failures} == {"not a text", ""}
        first = await ask(env.bus, indexing.ListFailures(limit=1), WAIT_S)
        rest = await ask(env.bus, indexing.ListFailures(cursor=first.cursor), WAIT_S)
        assert (first.more, rest.more) == (True, False)
        assert first.failures + rest.failures == status.failures
        await env.see(env.write("broken.txt", "теперь читается"))
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert (await env.status()).failed == 0


async def test_what_is_read_in_part_is_found_and_listed(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbled letters and too many passages are said with the file, whose text is indexed all the same."""
    monkeypatch.setattr(cutting, "MOST_PASSAGES", 2)
    garbled, long = env.write("garbled.txt", "слово \ufffd"), env.write("long.txt", "слово " * 999)
    async with env.service():
        for path in (garbled, long):
            await env.see(path)
        said = {Path(one.path).name: (one.outcome, one.reason, one.passages) for one in await env.hear(2)}
        status = await env.status()
    assert said == {
        "garbled.txt": (Outcome.INDEXED, Reason.GARBLED, 1),
        "long.txt": (Outcome.INDEXED, Reason.CUT, 2),
    }
    assert (status.files, status.partial, status.failed, status.passages) == (2, 2, 0, 3)
    assert {failure.reason for failure in status.failures} == {Reason.GARBLED, Reason.CUT}


async def test_what_is_gone_is_forgotten(env: Environment) -> None:
    """A removed file, a removed folder and a file that vanished before it was read are not found."""
    async with env.service():
        await env.index(**{"a/one": "слово", "a/two": "слово", "b/three": "слово", "b/four": "слово"})
        await env.lose(env.folder / "a", folder=True)
        await env.lose(env.folder / "b" / "three.txt")
        assert {said.outcome for said in await env.hear(2)} == {Outcome.REMOVED}
        assert titles(await env.search("слово")) == ["four.txt"]
        four = env.folder / "b" / "four.txt"
        four.unlink()
        await env.see(four)
        assert [(said.outcome, said.reason) for said in await env.hear()] == [
            (Outcome.REMOVED, Reason.VANISHED)
        ]
        assert (await env.status()).files == 0


async def test_a_file_that_changes_while_it_is_read_is_read_again(env: Environment) -> None:
    """It is stored with the stamp from before, so the next look, or a scan after a kill, finds it changed."""
    path = env.write("a.txt", "слово")
    async with env.service():
        env.extractor.go.clear()
        await env.see(path)
        await env.extractor.begun.get()
        path.write_text("совсем другое", "utf-8")
        env.extractor.go.set()
        await env.hear()
        known = dict(await env.passages.known(env.folder))
        assert known[str(path)].size == len("слово".encode()) != path.stat().st_size
        await env.see(path)
        (said,) = await env.hear()
        assert said.outcome is Outcome.INDEXED
        assert (await env.search("другое")).hits
        assert not (await env.search("слово")).hits


async def test_a_removal_waits_for_the_file_that_is_read(env: Environment) -> None:
    """A folder that goes while a file of it is being read leaves nothing behind."""
    path = env.write("a/one.txt", "слово")
    async with env.service() as service:
        env.extractor.go.clear()
        await env.see(path)
        await env.extractor.begun.get()
        assert service.busy()
        await env.lose(env.folder / "a", folder=True)
        await env.see(env.write("b.txt", "другое"))
        assert await env.extractor.begun.get() == "b.txt"  # the removal is before it on the topic
        assert (await env.status()).waiting == 3
        env.extractor.go.set()
        said = await env.hear(3)
        assert [one.outcome for one in said if "/a" in one.path] == [Outcome.REMOVED, Outcome.REMOVED]
        assert not (await env.search("слово")).hits


async def test_a_file_that_goes_while_it_is_stored_leaves_nothing_behind(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files service says nothing of a file that the index does not know yet, so the index looks itself."""
    path, store = env.write("a.txt", "слово"), env.passages.store

    async def store_late(entry: FileEntry, passages: Sequence[Passage]) -> bool:
        path.unlink(missing_ok=True)
        return await store(entry, passages)

    monkeypatch.setattr(env.passages, "store", store_late)
    async with env.service():
        await env.see(path)
        (said,) = await env.hear()
        assert (said.outcome, said.reason) == (Outcome.REMOVED, Reason.VANISHED)
        assert not (await env.search("слово")).hits


@pytest.mark.parametrize("year_s", [10_413_792_000, -30_000_000_000])
async def test_a_file_of_any_date_is_indexed_once(env: Environment, year_s: int) -> None:
    """What an archive dates to 2300 or to 1019 is stored with a date that the next scan finds unchanged."""
    path = env.write("a.txt", "слово")
    os.utime(path, ns=(0, year_s * 1_000_000_000))
    stamp = LocalFilesRoot([env.folder]).stamp(path)
    async with env.service():
        event = files.FileSeen(path=str(path), size=stamp.size, mtime_ns=stamp.mtime_ns, inode=stamp.inode)
        for outcome in (Outcome.INDEXED, Outcome.UNCHANGED):
            await publish(env.bus, event)
            assert (await env.hear())[0].outcome is outcome
    assert await env.passages.known(env.folder) == {str(path): stamp}


@pytest.mark.logs("^refused ")
async def test_nothing_is_forgotten_that_is_still_there(env: Environment) -> None:
    """Events of a program that is not the files service's empty, rename or move nothing against the disk."""
    async with env.service():
        await env.index(**{"a/one": "слово", "a/two": "слово", "b": "слово"})
        (env.folder / "a" / "two.txt").unlink()
        forged = (
            files.FileRemoved(path="/", folder=True),
            files.FileRemoved(path=str(env.folder / "b.txt")),
            files.FileRenamed(path=str(env.folder / "c"), former_path="/", folder=True),
            files.FileRenamed(path=str(env.folder / "c"), former_path=str(env.folder / "a"), folder=True),
        )
        for event in forged:
            await publish(env.bus, event)
        said = await env.hear(len(forged) + 1)
        assert {one.path for one in said if one.outcome is Outcome.REMOVED} == {
            str(env.folder / "a" / "two.txt")
        }
        stamp = seen(env.folder / "b.txt")
        await publish(
            env.bus,
            files.FileRenamed(
                path=str(env.folder / "c.txt"), former_path=stamp.path,
                size=stamp.size, mtime_ns=stamp.mtime_ns,
            ),
        )  # fmt: skip
        await env.hear()
        assert sorted(titles(await env.search("слово"))) == ["b.txt", "one.txt"]


async def test_a_service_that_ends_in_the_middle_of_a_file(env: Environment) -> None:
    """The file is not acknowledged: the next service reads it, once."""
    path = env.write("a.txt", "слово")
    env.extractor.go.clear()
    async with env.service():
        await env.see(path)
        await env.extractor.begun.get()
    env.extractor.go.set()
    async with env.service():
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert len((await env.search("слово")).hits) == 1


async def test_a_service_that_ends_before_it_says_what_it_stored(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one says that the file is indexed: the graph would never hear of a file that is only unchanged."""
    stored, store = asyncio.Event(), env.passages.store

    async def store_and_be_cut_off(entry: FileEntry, passages: Sequence[Passage]) -> None:
        await store(entry, passages)
        stored.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(env.passages, "store", store_and_be_cut_off)
        async with env.service():
            await env.see(env.write("a.txt", "слово"))
            await asyncio.wait_for(stored.wait(), WAIT_S)
    async with env.service():
        assert (await env.hear())[0].outcome is Outcome.INDEXED
        assert len((await env.search("слово")).hits) == 1


@pytest.mark.logs(" waits: ")
async def test_a_store_that_is_away_costs_no_event(env: Environment) -> None:
    """Files seen while the store is away are indexed when it is back; a search meanwhile is refused."""
    async with env.service():
        await env.database.close()
        await env.see(env.write("a.txt", "слово"))
        with pytest.raises(RequestFailedError) as caught:
            await env.search("слово")
        assert caught.value.code == "index_unavailable"
        await env.database.open()
        assert (await env.hear())[0].outcome is Outcome.INDEXED


async def test_what_makes_the_extractor_stumble_is_a_failure_of_its_file(
    env: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody knows is recorded and said, so the job that asked comes to its end."""
    env.extractor.faults = [ZeroDivisionError()]
    async with env.service():
        await env.see(env.write("a.txt", "слово"), job_id="j")
        said = (await env.hear())[0]
        assert (said.outcome, said.reason, said.job_id) == (Outcome.FAILED, Reason.CRASHED, "j")
        assert [failure.reason for failure in (await env.status()).failures] == [Reason.CRASHED]
        assert "cannot be indexed" in caplog.text


@pytest.mark.logs(" waits: ")
async def test_without_workers_a_file_waits(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that cannot read is not the file's fault: it is read when workers are there again."""
    monkeypatch.setattr(waiting, "FIRST_PAUSE_S", 0.0)
    env.extractor.faults = [ExtractorUnavailableError() for _ in range(10)]
    async with env.service():
        await env.see(env.write("a.txt", "слово"))
        assert (await env.hear())[0].outcome is Outcome.INDEXED


async def test_hostile_requests(env: Environment) -> None:
    """An empty query and absurd limits are answered, an unknown request is refused, and the service goes on."""
    async with env.service():
        await env.index(a="слово")
        assert (await env.search("  ")).hits == ()
        assert len((await env.search("слово", -5)).hits) == 1
        assert len((await env.search("слово", 10**9)).hits) == 1
        with pytest.raises(RequestFailedError):
            await env.bus.request(topics.SEARCH_REQUESTS, "no_such_request", {}, timeout_s=WAIT_S)
        assert len((await env.search("слово")).hits) == 1


async def test_the_best_passage_speaks_for_its_file(env: Environment) -> None:
    """A file is listed once, by its best passage, in descending order of scores."""
    filler = "Совсем другое предложение о погоде и о дороге домой. " * 25
    async with env.service():
        await env.index(
            long=f"{filler}\n\nЗалог, залог и ещё раз залог.\n\n{filler}", short="Про залог тоже."
        )
        result = await env.search("залог")
    assert sorted(titles(result)) == ["long.txt", "short.txt"]
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)
    assert "залог" in next(hit for hit in result.hits if hit.title == "long.txt").passage.lower()
    assert result.instead is None


async def test_what_was_searched_instead_is_told(env: Environment) -> None:
    """«залог», typed in the other layout."""
    async with env.service():
        await env.index(short="Про залог.")
        result = await env.search("pfkju")
    assert titles(result) == ["short.txt"]
    assert result.instead == Instead(written="pfkju", shown="залог")


async def test_a_forgotten_file_has_no_text_and_is_not_read_again(env: Environment) -> None:
    """Not when it changes, not under another name, not when it was just being read; until it is permitted.

    Another file with the same text keeps it, and its vector.
    """
    forgotten = PostgresForgottenTexts(env.database)
    async with env.service():
        await env.index(a="слово", b="слово", c="другое")
        await env.vectors.store("m", {"слово": [1.0, 0.0], "другое": [0.0, 1.0]})
        a, c = env.folder / "a.txt", env.folder / "c.txt"
        taken = [await forgotten.forget(str(path)) for path in (a, c)]
        assert [(one.files, one.passages, one.vectors) for one in taken] == [(1, 1, 0), (1, 1, 1)]
        assert titles(await env.search("слово")) == ["b.txt"]
        assert not (await env.search("другое")).hits
        a.write_text("слово ещё", "utf-8")
        await env.see(a, force=True)
        assert [(one.outcome, one.reason) for one in await env.hear()] == [
            (Outcome.SKIPPED, Reason.FORGOTTEN)
        ]
        moved = seen(c.rename(env.folder / "d.txt"))
        await publish(
            env.bus,
            files.FileRenamed(path=moved.path, former_path=str(c), size=moved.size, mtime_ns=moved.mtime_ns),
        )
        assert (await env.hear(2))[1].reason is Reason.FORGOTTEN
        env.extractor.go.clear()
        while not env.extractor.begun.empty():
            env.extractor.begun.get_nowait()
        await env.see(env.folder / "b.txt", force=True)
        await env.extractor.begun.get()
        await forgotten.forget(str(env.folder / "b.txt"))
        env.extractor.go.set()
        assert (await env.hear())[0].reason is Reason.FORGOTTEN
        assert not (await env.search("слово")).hits
        listed = await env.passages.failures(10)
        assert listed is not None
        assert {one.reason for one in listed.failures} == {Reason.FORGOTTEN}
        assert await forgotten.permit(str(env.folder)) == 3
        await env.see(a)
        assert (await env.hear())[0].outcome is Outcome.INDEXED
