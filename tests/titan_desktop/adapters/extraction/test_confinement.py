"""Claims about a parser that is in the hands of whoever wrote the file: it costs its file, and nothing else."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.titan_desktop.adapters.extraction.hostile_worker import COMMAND, MIB
from titan_bus import new_ulid
from titan_desktop.adapters.extraction import messages
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.pool import PooledExtractor, WorkersBrokenError
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.security import Act
from titan_desktop.contracts.sources import Cells, Lines, Pages
from titan_desktop.ports.extractor import ExtractionError
from titan_desktop.system import processes, tesseract

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="what this kernel refuses")
TIGHT = Limits(timeout_s=30.0, resident_bytes=300 * MIB, text_characters=5_000)


def hostile(folder: Path, limits: Limits = TIGHT) -> PooledExtractor:
    """An extractor whose workers do what the files say."""
    return PooledExtractor(LocalFilesRoot([folder]), place_in(folder), limits, COMMAND)


def place_in(folder: Path) -> Path:
    """A place for workers that no other pool has."""
    return folder / f".workers-{new_ulid()}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desktop")


@pytest.fixture(scope="module")
async def extractor(folder: Path) -> AsyncIterator[PooledExtractor]:
    async with hostile(folder) as pool:
        yield pool


async def done(extractor: PooledExtractor, folder: Path, act: str, argument: object = "") -> str:
    """Let a worker do something; return its text."""
    path = folder / f"{act}.pdf"
    path.write_text(f"{act} {argument}", "utf-8")
    return (await extractor.extract(path)).text


async def failure(
    extractor: PooledExtractor, folder: Path, act: str, argument: object = ""
) -> ExtractionError:
    with pytest.raises(ExtractionError) as caught:
        await done(extractor, folder, act, argument)
    return caught.value


def names_in(folder: Path | str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def until(condition: Callable[[], object]) -> None:
    """Wait for what another process does; it has no other way to tell us."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# Costs


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("abort", Reason.CRASHED),
        ("exit", Reason.CRASHED),
        ("kill", Reason.CRASHED),
        ("eat", Reason.OUT_OF_MEMORY),
        ("gulp", Reason.OUT_OF_MEMORY),
    ],
)
async def test_a_hostile_file_costs_a_worker_and_no_more(
    extractor: PooledExtractor, folder: Path, act: str, reason: Reason
) -> None:
    """An abort, a kill, a hunger for memory have their reasons; others are read meanwhile and after."""
    bad = asyncio.create_task(failure(extractor, folder, act))
    assert (await done(extractor, folder, "good")).isdigit()
    assert (await bad).reason is reason
    assert (await done(extractor, folder, "good")).isdigit()


async def test_a_parser_that_hangs_costs_its_time(folder: Path) -> None:
    """Also one in native code that holds the interpreter; the next file is read by another worker."""
    async with hostile(folder, replace(TIGHT, timeout_s=1.0)) as pool:
        found = await asyncio.gather(failure(pool, folder, "hang"), failure(pool, folder, "deaf"))
        assert [one.reason for one in found] == [Reason.TIMED_OUT] * 2
        assert (await done(pool, folder, "good")).isdigit()


async def test_whatever_a_parser_raises_is_its_files_failure(
    extractor: PooledExtractor, folder: Path
) -> None:
    """An exception that nobody foresaw costs not even the worker."""
    before = await done(extractor, folder, "good")
    found = await failure(extractor, folder, "raise", "LookupError('unforeseen')")
    assert (found.reason, found.detail) == (Reason.CRASHED, "LookupError")
    assert await done(extractor, folder, "good") == before


async def test_a_worker_killed_while_idle_is_replaced(extractor: PooledExtractor, folder: Path) -> None:
    """The system may kill a worker that reads nothing: the next file is read by a new one."""
    for _ in range(2):
        worker = psutil.Process(int(await done(extractor, folder, "good")))
        worker.kill()
        assert (await done(extractor, folder, "good")).isdigit()


async def test_a_worker_that_shuts_its_ear_is_replaced(extractor: PooledExtractor, folder: Path) -> None:
    """The file after it is not at fault."""
    assert (await done(extractor, folder, "shut")).isdigit()
    assert (await done(extractor, folder, "good")).isdigit()


async def test_cancelling_ends_the_worker(extractor: PooledExtractor, folder: Path) -> None:
    """A cancelled extraction leaves no process behind that still reads."""
    worker = psutil.Process(int(await done(extractor, folder, "good")))
    reading = asyncio.create_task(done(extractor, folder, "deaf"))
    await asyncio.to_thread(until, lambda: "deaf" in str(worker.open_files()))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.to_thread(until, lambda: not worker.is_running())
    assert (await done(extractor, folder, "good")).isdigit()


async def test_workers_end_with_the_core(tmp_path: Path) -> None:
    """A core killed with -9 leaves no worker, not even one in native code that holds the interpreter."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from tests.titan_desktop.adapters.extraction.test_confinement import done, hostile\n"
        "async def main():\n"
        "    folder = pathlib.Path(sys.argv[1])\n"
        "    async with hostile(folder) as pool:\n"
        "        print(await done(pool, folder, 'good'), flush=True)\n"
        "        await done(pool, folder, 'deaf')\n"
        "asyncio.run(main())\n"
    )
    checkout = str(Path(__file__).parents[4])
    core = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, tmp_path),
        env={**os.environ, "PYTHONPATH": checkout}, cwd=checkout, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert core.stdout is not None
    worker = psutil.Process(int(await core.stdout.readline()))
    core.kill()
    await core.wait()
    await asyncio.to_thread(psutil.wait_procs, [worker], 20)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


# Reach


REFUSED = [
    *(("read", "{secret}"), ("read_in_thread", "{secret}"), ("read", "/etc/passwd"), ("list", "{folder}")),
    *(("read", "/proc/{core}/environ"), ("read", "/proc/{core}/mem"), ("read", "/proc/self/environ")),
    *(("write", "{secret}"), ("append", "{secret}"), ("create", "left-here"), ("create", "{folder}/new")),
    *(("remove", "{secret}"), ("rename", "{secret}"), ("link", "{secret}"), ("chmod", "{secret}")),
    *(("chdir", "{folder}"), ("memory_file", "x"), ("shared_memory", ""), ("uncounted_memory", "")),
    *(("inet", ""), ("inet6", ""), ("datagram", ""), ("netlink", ""), ("pair", "")),
    *(("unix", "{socket}"), ("abstract", "titan-bus")),
    *(("run", ""), ("exec", ""), ("fork", ""), ("namespace", "")),
    *(("signal", "{core}"), ("signal_all", ""), ("trace", "{core}"), ("look_into", "{core}")),
    *(("io_uring", ""), ("bpf", ""), ("keys", "")),
]


@ON_LINUX
async def test_a_parser_reaches_nothing_but_its_file(
    extractor: PooledExtractor, folder: Path, tmp_path: Path
) -> None:
    """Files, the bus's socket, any other socket, programs, the core: each is refused; the next file is read."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the key", "utf-8")
    places = {"secret": secret, "folder": tmp_path, "core": os.getpid(), "socket": tmp_path / "bus.sock"}

    async def attempted(act: str, argument: str) -> str:
        try:
            return await done(extractor, folder, act, argument.format_map(places))
        except ExtractionError as error:
            return f"{error.reason}: {error.detail}"

    with socket.socket(socket.AF_UNIX) as bus, socket.socket(socket.AF_UNIX) as abstract:
        bus.bind(str(places["socket"]))
        bus.listen()
        abstract.bind("\0titan-bus")
        abstract.listen()
        met = {(act, argument): await attempted(act, argument) for act, argument in REFUSED}
    refusals = {f"{Reason.UNREADABLE}: Operation not permitted", f"{Reason.UNREADABLE}: Permission denied"}
    assert {one: said for one, said in met.items() if said not in refusals} == {}
    assert (await done(extractor, folder, "good")).isdigit()
    assert secret.read_text("utf-8") == "the key"
    assert names_in(tmp_path) == ["bus.sock", "secret.txt"]


@ON_LINUX
async def test_a_worker_says_how_it_is_confined(extractor: PooledExtractor) -> None:
    """Every means of this kernel is in force, and every act that it tried was refused."""
    found = await extractor.security()
    assert {one.name: one.in_force for one in found.mechanisms} == dict.fromkeys(
        ("rlimits", "no_new_privs", "landlock", "seccomp"), True
    )
    assert {one.act: one.refused for one in found.attempts} == dict.fromkeys(Act, True)


async def test_a_worker_has_an_environment_without_the_person(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, no proxy, no home, nothing of Titan's; and an empty folder to work in."""
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "TITAN_REDIS_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "secret")
    async with hostile(folder) as pool:
        names = set((await done(pool, folder, "environment")).split("\n"))
        worker = psutil.Process(int(await done(pool, folder, "good")))
        ours = {"LC_CTYPE", tesseract.VARIABLE}
        assert names - ours <= set(processes.worker_environment(folder))
        assert not {name for name in names if name.startswith(("OPENAI", "AWS", "TITAN", "HOME", "HTTP"))}
        assert "secret" not in worker.environ().values()
        assert names_in(worker.cwd()) == []


async def test_nothing_is_left_on_disk(folder: Path, tmp_path: Path) -> None:
    """The workers' folder goes with them, and one that a killed core has left is no hindrance."""
    place = tmp_path / "workers"
    (place / "work").mkdir(parents=True)
    (place / "work" / "old").touch()
    async with PooledExtractor(LocalFilesRoot([folder]), place, TIGHT, COMMAND) as pool:
        worker = psutil.Process(int(await done(pool, folder, "good")))
        assert names_in(worker.cwd()) == []
        shutil.rmtree(place)  # by somebody who tidies up
        worker.kill()
        assert (await done(pool, folder, "good")).isdigit()
    assert not place.exists()


@pytest.mark.logs("an extraction worker did not start", "the parsers could not be unpacked")
async def test_workers_that_cannot_start_are_told_apart_from_bad_files(folder: Path) -> None:
    """An installation that is broken fails no file: it is tried again later."""
    for command in ([sys.executable, "-c", "raise SystemExit(3)"], [str(folder / "no-such-program")]):
        async with PooledExtractor(LocalFilesRoot([folder]), place_in(folder), TIGHT, command) as pool:
            with pytest.raises(WorkersBrokenError):
                await done(pool, folder, "good")


# Answers


@pytest.mark.parametrize(
    "act",
    ["pickle", "pickle_in_a_frame", "endless", "endless_blocks", "other_question", "twice"],
)
async def test_a_wrong_answer_costs_its_file(
    extractor: PooledExtractor, folder: Path, tmp_path: Path, act: str
) -> None:
    """Pickled code, bytes without end, blocks without end, another answer: recorded, and the next is read."""
    mark = tmp_path / "it ran"
    before = psutil.Process().memory_info().rss
    found = await failure(extractor, folder, act, mark)
    assert found.reason is Reason.CRASHED
    assert "wrong answer" in found.detail
    assert (await done(extractor, folder, "good")).isdigit()
    assert not mark.exists()
    assert psutil.Process().memory_info().rss - before < 64 * MIB


async def test_what_a_worker_says_unasked_is_no_answer_to_the_next_question(
    extractor: PooledExtractor, folder: Path
) -> None:
    """It is ended when it speaks between two files: the next file's text is its own."""
    worker = psutil.Process(int(await done(extractor, folder, "late")))
    await asyncio.to_thread(until, lambda: not worker.is_running())
    assert (await done(extractor, folder, "good")) not in {"lies", str(worker.pid)}


async def test_what_a_parser_prints_is_neither_answer_nor_log(
    extractor: PooledExtractor, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Megabytes to standard output and error disturb nothing, and are not kept."""
    for act in ("print", "stderr", "good"):
        assert (await done(extractor, folder, act)).isdigit()
    assert "noise" not in "".join(capfd.readouterr())


def text_of(*parts: messages.Part, mime_type: str = "text/plain", title: str = "") -> messages.Answer | None:
    sent = b"".join(map(messages.framed, (*parts, messages.End(mime_type, title))))
    answering, answer = messages.Answering(TIGHT, messages.Read("txt")), None
    for begin in range(0, len(sent), 7):  # in the pieces in which a pipe may give them
        answer = answering.feed(sent[begin : begin + 7])
    return answer


def test_an_answer_is_what_was_sent() -> None:
    """Text, places, kind and title arrive, in whatever pieces; a title is one line."""
    answer = text_of(messages.Part("a", Pages(first=1, last=2)), messages.Part("b"), title=" A\n\0title ")
    assert isinstance(answer, messages.Text)
    assert [(block.text, block.place) for block in answer.extracted.blocks] == [
        ("a", Pages(first=1, last=2)),
        ("b", None),
    ]
    assert answer.extracted.title == "A title"


@pytest.mark.parametrize(
    "part",
    [
        messages.Part(""),
        messages.Part(" \n"),
        messages.Part("a\0b"),
        messages.Part("x" * 5_001),
        messages.Part("a", Pages(first=0, last=1)),
        messages.Part("a", Pages(first=2, last=1)),
        messages.Part("a", Lines(first=1, last=2**40)),
        messages.Part("a", Cells(sheet="a", first="a1", last="B2")),
        messages.Part("a", Cells(sheet="a", first="A1")),
        messages.Part("a", Cells(sheet="\0")),
    ],
)
def test_what_cannot_be_is_no_answer(part: messages.Part) -> None:
    """Text that no store takes and places that no file has are refused at the door."""
    with pytest.raises(messages.WrongAnswerError):
        text_of(part)


def test_an_answer_without_text_is_none() -> None:
    """A worker that has no text says why."""
    with pytest.raises(messages.WrongAnswerError):
        text_of()


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_an_answer_or_none(pieces: list[bytes]) -> None:
    """Whatever comes through the pipe, in frames or not, nothing else happens."""
    for sent in (b"".join(pieces), b"".join(len(one).to_bytes(4, "big") + one for one in pieces)):
        try:
            messages.Answering(TIGHT, messages.Read("txt")).feed(sent)
        except messages.WrongAnswerError:
            continue
