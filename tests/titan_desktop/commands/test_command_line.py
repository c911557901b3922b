"""What may be typed, what `titan --help` costs, and what a person sees when something goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from titan_desktop import __main__, __version__
from titan_desktop.commands import arguments, exit_codes, runner, sentences
from titan_desktop.contracts.chat import PROMPT_BYTES_MAX

HEAVY = (
    "PySide6",
    "asyncio",
    "titan_bus",
    "msgspec",
    "redis",
    "openai",
    "asyncpg",
    "kreuzberg",
    "multiprocessing",
)

IMPORTED = """
import sys
before = set(sys.modules)  # a measured run has loaded the coverage tool and what that needs
from titan_desktop.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write("\\n".join(set(sys.modules) - before))
"""


@pytest.mark.parametrize(
    "typed", [["--help"], ["--version"], ["ask", "--help"], ["index", "--help"], ["nonsense"]]
)
def test_help_imports_nothing_heavy(typed: list[str]) -> None:
    """`titan --help` answers at once because it imports argparse and little more."""
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED, *typed], capture_output=True, text=True, check=True, timeout=30
    )
    loaded = {name.partition(".")[0] for name in ended.stderr.split()}
    assert not loaded & set(HEAVY)


def test_the_server_host_is_handed_on_before_anything_is_parsed() -> None:
    """The embedded servers' server host must start in no time: argparse is too much for it."""
    script = (
        "import sys, types\n"
        "before = set(sys.modules)\n"
        "host = types.ModuleType('titan_desktop.provision.server_host')\n"
        "host.main = lambda argv: print(argv) or 7\n"
        "sys.modules[host.__name__] = host\n"
        "import titan_desktop.provision\n"
        "titan_desktop.provision.server_host = host\n"
        "from titan_desktop.__main__ import main\n"
        "status = main(['server-host', '--fd', '3'])\n"
        "assert not {'argparse', 'titan_desktop.commands', 'titan_bus'} & (set(sys.modules) - before)\n"
        "sys.exit(status)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ended.returncode, ended.stdout) == (7, "['--fd', '3']\n"), ended.stderr


def test_the_help_lists_commands_and_exit_codes_and_no_internals(capsys: pytest.CaptureFixture[str]) -> None:
    """`core` and `server-host` are not for people."""
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    said = capsys.readouterr().out
    for command in ("ask", "search", "index", "doctor", "key"):
        assert f"\n    {command} " in said
    assert exit_codes.TABLE in said
    assert "server-host" not in said
    assert "    core" not in said


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`titan --version` and the package agree."""
    with pytest.raises(SystemExit) as ended:
        __main__.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"titan {__version__}\n"


@pytest.mark.parametrize(
    "typed",
    [
        ["nonsense"],
        ["search", "-k", "0", "x"],
        ["search", "-k", "many", "x"],
        ["search", "--since", "31.02.2026", "x"],
        ["search", "--kind", ".", "x"],
        ["ask", "--timeout", "0", "x"],
        ["ask", "--timeout", "nan", "x"],
        ["--verbose"],
    ],
)
def test_wrong_usage_is_2(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's own status and line, without a traceback."""
    with pytest.raises(SystemExit) as ended:
        arguments.parser().parse_args(typed)
    assert ended.value.code == exit_codes.USAGE
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["ask", " "], "no_question"),
        (["search", ""], "no_query"),
        (["search", "--queries", "-"], "queries_json"),
        (["search", "--queries", "-", "--json", "x"], "queries_json"),
    ],
)
@pytest.mark.usefixtures("titan_home")
def test_a_command_that_cannot_be_meant_starts_no_core(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty questions and contradictions are usage errors, found before anything is started."""
    monkeypatch.setenv("LC_ALL", "C")
    assert __main__.main(typed) == exit_codes.USAGE
    assert capsys.readouterr().err == f"{sentences.ENGLISH[said]}\n"
    assert not (Path(os.environ["TITAN_HOME"]) / "run").exists()


@pytest.mark.usefixtures("titan_home")
def test_a_question_longer_than_an_event_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Its size and the limit are said as people read them."""
    assert __main__.main(["ask", "я" * PROMPT_BYTES_MAX]) == exit_codes.USAGE
    assert "48 KB of 24 KB" in capsys.readouterr().err


@pytest.mark.usefixtures("titan_home")
def test_a_file_of_queries_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The path and the system's reason, no traceback."""
    assert __main__.main(["search", "--json", "--queries", "/nowhere/q.txt"]) == exit_codes.USAGE
    assert "/nowhere/q.txt" in capsys.readouterr().err


@pytest.mark.usefixtures("titan_home")
def test_broken_settings_are_a_sentence_and_doctor_still_reports(capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the file and the cure; `doctor` lists it among the problems."""
    home = Path(os.environ["TITAN_HOME"])
    home.mkdir()
    (home / "settings.toml").write_text("theme = 'purple'\n")
    assert __main__.main(["search", "x"]) == exit_codes.NOT_REACHED
    assert "settings.toml" in capsys.readouterr().err
    assert __main__.main(["doctor"]) == exit_codes.NOTHING
    assert "settings.toml" in capsys.readouterr().out.partition("Problems:")[2]


@pytest.mark.usefixtures("titan_home")
def test_a_home_that_cannot_be_made_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No core can start there; the commands say why, and `doctor` reports all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TITAN_HOME", str(tmp_path / "file" / "titan"))
    assert __main__.main(["ask", "x"]) == exit_codes.NOT_REACHED
    err = capsys.readouterr().err
    assert err.startswith("titan: ")
    assert err.count("\n") == 1
    assert __main__.main(["doctor", "--json"]) == exit_codes.NOTHING
    assert '"core":null' in capsys.readouterr().out


@pytest.mark.usefixtures("titan_home")
def test_an_unforeseen_error_goes_to_the_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person sees one sentence that names the log; the traceback is in it."""

    def fail(options: object) -> int:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(runner, "run", fail)
    assert __main__.main(["doctor"]) == exit_codes.NOT_REACHED
    log = Path(os.environ["TITAN_HOME"]) / "logs" / "titan.log"
    err = capsys.readouterr().err
    assert str(log) in err
    assert "Traceback" not in err
    assert "ZeroDivisionError: surprise" in log.read_text()


def test_ctrl_c_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """130, and nothing on stderr."""

    def interrupt(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupt)
    assert __main__.main(["doctor"]) == exit_codes.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_quiet() -> None:
    """`titan --help | head -0` and its like end with 141 and no complaint."""
    script = (
        "import sys\nfrom titan_desktop import __main__\nfrom titan_desktop.commands import output, runner\n"
        "runner.run = lambda options: [output.say('x' * 1000) for _ in range(1000)] and 0\n"
        "sys.exit(__main__.main(['doctor']))"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=closed, stderr=subprocess.PIPE, check=False, timeout=30
        )
    assert (ended.returncode, ended.stderr) == (exit_codes.OUTPUT_CLOSED, b"")


def test_both_languages_have_the_same_sentences() -> None:
    """The tables have the same keys, and the same fields in braces."""
    assert sentences.ENGLISH.keys() == sentences.RUSSIAN.keys()
    for key, sentence in sentences.ENGLISH.items():
        fields = {part.partition("}")[0].partition(":")[0] for part in sentence.split("{")[1:]}
        russian = {part.partition("}")[0].partition(":")[0] for part in sentences.RUSSIAN[key].split("{")[1:]}
        assert fields == russian, key


@pytest.mark.parametrize(
    ("language", "environment", "expected"),
    [
        ("ru", {"LANG": "en_US.UTF-8"}, sentences.RUSSIAN),
        ("en", {"LANG": "ru_RU.UTF-8"}, sentences.ENGLISH),
        ("system", {"LANG": "ru_RU.UTF-8"}, sentences.RUSSIAN),
        ("system", {"LC_ALL": "en_GB.UTF-8", "LANG": "ru_RU.UTF-8"}, sentences.ENGLISH),
        ("system", {"LC_ALL": "", "LC_MESSAGES": "ru_RU.KOI8-R", "LANG": "C"}, sentences.RUSSIAN),
        ("system", {}, sentences.ENGLISH),
    ],
)
def test_the_language_follows_the_settings_then_the_locale(
    language: str, environment: dict[str, str], expected: sentences.Table
) -> None:
    """The settings win; the locale's variables count in POSIX's order."""
    assert sentences.table(language, environment) is expected
