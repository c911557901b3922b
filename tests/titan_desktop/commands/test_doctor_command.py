import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.responders import a_hit, a_status, memory_service, system_service
from titan_bus import Bus
from titan_desktop import settings
from titan_desktop.commands import doctor, exit_codes, sentences
from titan_desktop.contracts import indexing, search, system
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.system.paths import Paths

SAYS = sentences.ENGLISH
REFUSED = Problem(Code.REFUSED, {"reason": "wrong password"})
NO_NEO4J = Problem(Code.GRAPH_UNREACHABLE, {"address": "bolt://h", "reason": "OSError"})
DISPLAYLESS: dict[str, str] = {}
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
COUNTS = indexing.IndexStatus(files=7, passages=70, failed=1, skipped=2)


@pytest.fixture
def paths(titan_home: Path) -> Paths:
    return Paths.from_environment()


async def find_one(_: search.Search) -> search.SearchResult:
    return search.SearchResult(hits=(a_hit(),))


async def test_stores_that_are_still_opening_are_waited_for(bus: Bus) -> None:
    """A report right after the start shows how the stores are, not that they are being started."""
    starting = a_status(
        ready=False,
        stores=(
            system.StoreStatus(name="postgres", place="embedded", ok=False, problem=Problem(Code.STARTING)),
        ),
    )
    async with system_service(bus, starting, starting, a_status()), memory_service(bus, find_one, COUNTS):
        assert await doctor.ask(bus) == (a_status(), COUNTS)


async def test_a_store_that_does_not_open_is_reported_without_counts(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is not asked when its store is away."""
    monkeypatch.setattr(doctor, "SETTLE_S", 0.2)
    ill = a_status(
        ready=False,
        stores=(
            system.StoreStatus(
                name="postgres",
                place="docker",
                ok=False,
                problem=Problem(Code.REFUSED, {"reason": "wrong password"}),
            ),
        ),
    )
    async with system_service(bus, ill):
        assert await doctor.ask(bus) == (ill, None)


def test_all_well_is_0(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    """Every part has its line; a missing embedder and a file that failed are notes, not problems."""
    found = doctor.report(paths, SAYS, (a_status(), COUNTS), environment=OFFSCREEN)
    assert doctor.show(found, SAYS, json=False) == exit_codes.DONE
    out = capsys.readouterr().out
    assert "postgres  embedded, PostgreSQL 18.4\n" in out
    assert "model     m, key from environment, http://x/v1\n" in out
    assert "folder    /home/anna/Desktop, watched\n" in out
    assert "index     7 files, 70 passages, 0 vectors\n" in out
    assert "1 file could not be read; it is tried again" in out.partition("Notes:")[2]
    assert out.endswith("All is well.\n")


def failure(number: int, outcome: indexing.Outcome = indexing.Outcome.FAILED) -> indexing.FileFailure:
    return indexing.FileFailure(
        path=f"/d/{number}.pdf", outcome=outcome, reason=indexing.Reason.BROKEN, detail="", at="2026-01-01"
    )


def test_the_newest_failures_are_named(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten with their reasons, and how many more; `--json` has all of them. Skipped files are no failures."""
    failures = (*map(failure, range(12)), failure(99, indexing.Outcome.SKIPPED))
    index = indexing.IndexStatus(files=1, passages=21, failed=13, skipped=1, failures=failures)
    found = doctor.report(paths, SAYS, (a_status(), index), environment=OFFSCREEN)
    doctor.show(found, SAYS, json=False)
    out = capsys.readouterr().out
    assert "index     1 file, 21 passages, 0 vectors\n          1 skipped, 0 read in part, 13 failed\n" in out
    listed = out.partition("Could not be read:\n")[2].partition("\n\n")[0].splitlines()
    assert listed[0] == "- /d/0.pdf: The file is damaged. Check whether it opens in its own program"
    assert len(listed) == doctor.FAILURES_SHOWN + 1
    assert listed[-1] == "- … and 3 more"
    doctor.show(found, SAYS, json=True)
    assert len(json.loads(capsys.readouterr().out)["index"]["failures"]) == len(failures)


def test_an_address_that_is_not_the_one_where_the_model_answers_is_a_note(paths: Paths) -> None:
    """It works, and is told with what would be right."""
    status = a_status()
    model = msgspec.structs.replace(status.model, answers_at="http://x/v1")
    found = doctor.report(
        paths, SAYS, (msgspec.structs.replace(status, model=model), COUNTS), environment=OFFSCREEN
    )
    assert any("http://x/v1" in note for note in found.notes)
    assert not found.problems


def test_vectors_that_wait_are_a_note(paths: Paths) -> None:
    """Why none are made, with its cure, and when it is tried again."""
    waiting = indexing.EmbeddingProgress(
        model="m",
        done=1,
        total=9,
        fault="rate_limited",
        detail="HTTP 429",
        retry_at="2026-01-01T12:00:00+00:00",
    )
    index = msgspec.structs.replace(COUNTS, embedding=waiting)
    [note] = [
        note
        for note in doctor.report(paths, SAYS, (a_status(), index), environment=OFFSCREEN).notes
        if "Vectors" in note
    ]
    assert "Too many requests" in note
    assert re.search(r"The next try is at \d\d:\d\d\.", note)


def test_it_speaks_russian(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line but the names of things, with the plurals that the numbers ask for."""
    russian = sentences.RUSSIAN
    index = indexing.IndexStatus(files=22, passages=111, failed=5, skipped=0, failures=(failure(1),))
    found = doctor.report(paths, russian, (a_status(), index), environment=OFFSCREEN)
    doctor.show(found, russian, json=False)
    out = capsys.readouterr().out
    assert "индекс    22 файла, 111 отрывков, 0 векторов\n" in out
    assert (
        "Не прочитано:\n- /d/1.pdf: Файл повреждён. Проверьте, открывается ли он в своей программе\n- … и ещё 4\n"
        in out
    )
    assert "- 5 файлов не прочитано;" in out
    assert out.endswith("Всё в порядке.\n")


def test_every_problem_is_a_sentence_and_1(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that is down, what the core complains of, and roots that do not exist."""
    status = a_status(
        stores=(
            system.StoreStatus(
                name="graph",
                place="external",
                ok=False,
                problem=Problem(Code.GRAPH_UNREACHABLE, {"address": "bolt://h", "reason": "OSError"}),
            ),
        ),
        problems=(Problem(Code.KEYRING_UNUSABLE, {"reason": "it is locked"}),),
        roots=(system.RootStatus(path="/home/anna/Desktop", exists=False),),
    )
    found = doctor.report(paths, SAYS, (status, None), environment=OFFSCREEN)
    assert doctor.show(found, SAYS, json=True) == exit_codes.NOTHING
    said = json.loads(capsys.readouterr().out)
    assert not said["ok"]
    assert said["problems"][:2] == [
        "graph (external): No Neo4j answers at bolt://h (OSError). Start it, or correct TITAN_NEO4J_URL.",
        sentences.for_problem(SAYS, status.problems[0]),
    ]
    assert "/home/anna/Desktop" in said["problems"][2]


@pytest.mark.parametrize("says", [SAYS, sentences.RUSSIAN])
def test_a_refused_folder_is_told_with_what_allows_it(
    paths: Paths, says: sentences.Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not said to be missing, and what the sentence says to write is what the settings take."""
    fields = {"path": "/home/anna/Desktop", "real": "/home/anna", "settings": str(paths.settings_file)}
    status = a_status(
        problems=(Problem(Code.FOLDER_HOLDS_HOME, fields),),
        roots=(system.RootStatus(path="/home/anna/Desktop", exists=False),),
    )
    found = doctor.report(paths, says, (status, None), environment=OFFSCREEN)
    doctor.show(found, says, json=False)
    out = capsys.readouterr().out
    assert f"/home/anna/Desktop, {says['doctor.refused']}\n" in out
    (problem,) = found.problems
    assert str(paths.settings_file) in problem
    line = re.search(r"allowed = \S+\]", problem)
    assert line is not None
    paths.settings_file.parent.mkdir(parents=True, exist_ok=True)
    paths.settings_file.write_text(f"[folders]\n{line[0]}\n", "utf-8")
    assert settings.load(paths.settings_file, {}).folders.allowed == ("/home/anna",)


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (sentences.ENGLISH, "2 jobs failed. The window's menu shows them"),
        (sentences.RUSSIAN, "2 задачи не выполнены. Они есть в меню окна"),
    ],
)
def test_what_could_not_be_done_is_a_problem(
    paths: Paths, capsys: pytest.CaptureFixture[str], says: sentences.Table, sentence: str
) -> None:
    """Tasks that were given up are told, with where to have them tried again."""
    found = doctor.report(paths, says, (a_status(dead_letters=2), COUNTS), environment=OFFSCREEN)
    assert doctor.show(found, says, json=False) == exit_codes.NOTHING
    assert sentence in capsys.readouterr().out


def test_without_a_core_it_reports_what_can_be_seen_from_here(
    paths: Paths, titan_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths, folders and the display need no core; why there is none is the first problem."""
    found = doctor.report(paths, SAYS, None, "The disk is full. Make room.", environment=DISPLAYLESS)
    assert doctor.show(found, SAYS, json=False) == exit_codes.NOTHING
    out = capsys.readouterr().out
    assert "core      not reached\n" in out
    assert f"folder    {titan_home / 'Desktop'}, there\n" in out
    assert "- The disk is full. Make room.\n" in out


def test_a_server_without_a_display_is_as_its_owner_wants_it(paths: Paths) -> None:
    """No display is a note; libraries that a display would need and has not are a problem."""
    found = doctor.report(paths, SAYS, (a_status(), COUNTS), environment=DISPLAYLESS)
    assert found.ok
    assert any("titan ask" in note for note in found.notes)


def test_missing_libraries_are_a_problem_with_their_packages(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same line that the window would end with."""
    monkeypatch.setattr("titan_desktop.system.display._loads", lambda *_: False)
    monkeypatch.setattr("sys.platform", "linux")
    found = doctor.report(paths, SAYS, (a_status(), COUNTS), environment=OFFSCREEN)
    assert not found.ok
    assert "apt install libegl1" in found.problems[0]


def test_a_newer_versions_settings_are_a_note(paths: Paths) -> None:
    """Keys that have no effect here are named, and nothing is wrong."""
    paths.create()
    paths.settings_file.write_text('colour = "red"\n', "utf-8")
    found = doctor.report(paths, SAYS, (a_status(), COUNTS), environment=OFFSCREEN)
    assert found.ok
    assert any("colour" in note for note in found.notes)


def test_the_package_of_tesseract_is_named(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it or its Russian is missing, and only there."""

    def notes() -> str:
        return "".join(doctor.report(paths, SAYS, None, environment=OFFSCREEN).notes)

    monkeypatch.setattr(doctor.tesseract, "folder", lambda: None)
    monkeypatch.setattr("sys.platform", "linux")
    assert "tesseract-ocr-rus" in notes()
    (tmp_path / "rus.traineddata").touch()
    monkeypatch.setattr(doctor.tesseract, "folder", lambda: tmp_path)
    assert "tesseract" not in notes()
