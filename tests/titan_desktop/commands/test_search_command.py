import asyncio
import io
import json
from argparse import Namespace
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.responders import a_hit, memory_service
from titan_bus import Bus, RequestFailedError, RequestRefused
from titan_desktop.commands import arguments, exit_codes, search, sentences
from titan_desktop.contracts.search import Filters, Instead, ReadFilters, Search, SearchResult

SAYS = sentences.ENGLISH


def options(**changes: object) -> Namespace:
    filters = {"folders": [], "kinds": [], "since": None, "until": None}
    return Namespace(**{"json": False, "limit": 10, **filters, **changes})


async def two_hits(request: Search) -> SearchResult:
    hits = (a_hit(score=2.5), a_hit("/home/anna/Downloads/счёт.txt", 1.25, "x " * 900))
    return SearchResult(hits=hits[: request.limit])


async def test_the_list_is_numbered_and_fits_the_terminal(
    bus: Bus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Title, place, score, path and one line of passage for each file."""
    monkeypatch.setenv("COLUMNS", "60")
    async with memory_service(bus, two_hits):
        assert await search.run(bus, options(), "deposit", SAYS) == exit_codes.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "1. rent.pdf, p. 3  (2.5)",
        "   /home/anna/Desktop/rent.pdf",
        "   The deposit is 900.",
    ]
    assert lines[3] == "2. счёт.txt, p. 3  (1.25)"
    assert len(lines[5]) == 60
    assert lines[5].endswith("…")


async def test_json_is_a_list_of_objects_best_first(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """With the fields that scripts rely on."""
    async with memory_service(bus, two_hits):
        await search.run(bus, options(json=True, limit=1), "deposit", SAYS)
    (hit,) = json.loads(capsys.readouterr().out)
    assert hit == {
        "path": "/home/anna/Desktop/rent.pdf",
        "title": "rent.pdf",
        "score": 2.5,
        "passage": "The deposit is 900.",
        "kind": "pdf",
        "place": {"type": "pages", "first": 3, "last": 3},
    }


async def test_nothing_found_is_an_empty_list_and_1(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """A script sees [], a person a sentence, and both the status 1."""

    async def nothing(_: Search) -> SearchResult:
        return SearchResult(hits=())

    async with memory_service(bus, nothing):
        assert await search.run(bus, options(json=True), "x", SAYS) == exit_codes.NOTHING
        assert await search.run(bus, options(), "x", SAYS) == exit_codes.NOTHING
    out, err = capsys.readouterr()
    assert (out, err) == ("[]\n", f"{SAYS['nothing']}\n")


async def test_what_shares_no_word_is_called_nearest(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """The person is not told that it was found; the JSON stays clean."""

    async def nearest(_: Search) -> SearchResult:
        return SearchResult(hits=(a_hit(),), nearest_only=True)

    async with memory_service(bus, nearest):
        assert await search.run(bus, options(), "x", SAYS) == exit_codes.DONE
    assert capsys.readouterr().err == f"{SAYS['nearest']}\n"


async def test_what_was_searched_instead_is_said(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """In the person's language, above the files that were found by it."""

    async def other_layout(_: Search) -> SearchResult:
        return SearchResult(hits=(a_hit(),), instead=Instead(written="ljujdjh", shown="договор"))

    async with memory_service(bus, other_layout):
        await search.run(bus, options(), "ljujdjh", sentences.RUSSIAN)
    assert capsys.readouterr().err == "Ничего по «ljujdjh»; показано «договор».\n"


async def test_filters_of_the_command_line_are_asked_for(bus: Bus, tmp_path: Path) -> None:
    """Folders without links, extensions however they are written, days by the clock here, the last one whole."""
    (tmp_path / "Tax").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "Tax")
    asked: list[Search] = []

    async def keep(request: Search) -> SearchResult:
        asked.append(request)
        return SearchResult(hits=())

    given = [
        "search", "x", "--folder", str(tmp_path / "link"), "--kind", ".PDF", "--kind", "docx",
        "--since", "2026-03-01", "--until", "31.03.2026",
    ]  # fmt: skip
    async with memory_service(bus, keep):
        await search.run(bus, arguments.parser().parse_args(given), "x", SAYS)
    (wanted,) = asked
    assert wanted.filters == Filters(
        folders=(str((tmp_path / "Tax").resolve()),),
        kinds=("pdf", "docx"),
        since=datetime(2026, 3, 1).astimezone(),
        until=datetime(2026, 4, 1).astimezone(),
    )


async def test_filters_that_were_read_are_said(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Which words, what they were taken for, and whether it led nowhere; the JSON stays clean."""
    read = ReadFilters(
        filters=Filters(kinds=("pdf",), folders=("/d/Tax",), since=datetime(2026, 3, 1).astimezone()),
        words=("in the Tax folder", "PDF"),
    )

    async def reads(request: Search) -> SearchResult:
        return SearchResult(hits=(a_hit(),), read=replace(read, dropped=request.query == "y"))

    async with memory_service(bus, reads):
        await search.run(bus, options(json=True), "x", SAYS)
        await search.run(bus, options(json=True), "y", sentences.RUSSIAN)
    out, err = capsys.readouterr()
    assert len([json.loads(line) for line in out.splitlines()]) == 2
    assert err.splitlines() == [
        "Read from “in the Tax folder”, “PDF”: in /d/Tax; kind pdf; changed since 2026-03-01.",
        (
            "Прочитано из «in the Tax folder», «PDF»: в папке /d/Tax; вид pdf; изменены с 2026-03-01."
            " Там ничего не подходит, поиск шёл по всем файлам."
        ),
    ]


async def test_a_missing_leg_is_said_on_stderr(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """The person learns why only words were searched; the JSON stays clean."""

    async def degraded(_: Search) -> SearchResult:
        return SearchResult(hits=(a_hit(),), degraded="the embedder does not answer")

    async with memory_service(bus, degraded):
        await search.run(bus, options(json=True), "x", SAYS)
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == 1
    assert "the embedder does not answer" in err


async def test_a_fault_of_the_embedder_is_a_sentence(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """With the cure, in both languages, and once for many queries."""

    async def degraded(_: Search) -> SearchResult:
        return SearchResult(hits=(a_hit(),), degraded="wrong_key: 401")

    async with memory_service(bus, degraded):
        await search.run(bus, options(json=True), "x", sentences.RUSSIAN)
        assert "не принял ключ" in capsys.readouterr().err
        await search.run_many(bus, options(json=True), ["x", "y"], SAYS)
    assert capsys.readouterr().err == (
        "Found by words alone. The embedding model server did not accept the key. Set the right one.\n"
    )


async def test_many_queries_are_answered_in_order(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """One list a line, in the order asked, though later ones are answered first; a blank line gives []."""
    at_once = most = 0

    async def slower_first(request: Search) -> SearchResult:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.02 if request.query.endswith("0") else 0)
        at_once -= 1
        return SearchResult(hits=(a_hit(passage=request.query),))

    queries = [f"question {number}" for number in range(40)]
    queries[7] = ""
    async with memory_service(bus, slower_first):
        assert await search.run_many(bus, options(json=True), queries, SAYS) == exit_codes.DONE
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer[0]["passage"] if answer else "" for answer in answers] == queries
    assert 1 < most <= search.QUERIES_AT_ONCE


async def test_a_refused_query_ends_the_batch(bus: Bus) -> None:
    """The refusal comes out as the bus's error, and no search is left running."""

    async def refuse(request: Search) -> SearchResult:
        raise RequestRefused("unavailable", "PostgreSQL is down")

    async with memory_service(bus, refuse):
        with pytest.raises(RequestFailedError, match="PostgreSQL is down"):
            await search.run_many(bus, options(json=True), ["a", "b", "c"], SAYS)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "search"]


def test_queries_are_lines_of_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte-order mark, CRLF and a missing last newline do no harm, from a file as from standard input."""
    content = "\ufeffпервый\r\n\r\nthird\u2028still third".encode()
    (tmp_path / "q.txt").write_bytes(content)
    assert search.read_queries(str(tmp_path / "q.txt")) == ["первый", "", "third\u2028still third"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\n")))
    assert search.read_queries("-") == ["a"]
