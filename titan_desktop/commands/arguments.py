"""The definition of the command line. Imports argparse alone, to be quick."""

import argparse
import os
from typing import TYPE_CHECKING

from titan_desktop import __version__
from titan_desktop.commands import exit_codes

if TYPE_CHECKING:
    from datetime import datetime

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse names it no other way

SEARCH_LIMIT_MAX = 100
ANSWER_TIMEOUT_S = 600.0


def parser() -> argparse.ArgumentParser:
    """Build the parser. Its result names the subcommand in `command`, None for the window."""
    root = argparse.ArgumentParser(
        prog="titan",
        description="Ask, and get the answer from your own files. Without a command the window opens.",
        epilog=exit_codes.TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument("--version", action="version", version=f"titan {__version__}")
    # The window's own, for measurements: `ui.app` reads them again, and no person needs them.
    root.add_argument("--startup-report", metavar="FILE", help=argparse.SUPPRESS)
    root.add_argument("--quit-after-ready", action="store_true", help=argparse.SUPPRESS)
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    _add_ask(commands)
    _add_search(commands)
    _add_index(commands)
    _add_doctor(commands)
    _add_backup(commands)
    _add_files(commands)
    _add_undo(commands)
    _add_memory(commands)
    _add_import(commands)
    _add_explain(commands)
    # `__main__` hands these on before it parses: only the lines in `--help` are needed here.
    commands.add_parser("restore", help="put a backup in place of everything that Titan knows")
    commands.add_parser("key", help="put a model's key into the system's keyring, or take it out")
    return root


def _add_ask(commands: "Commands") -> None:
    ask = commands.add_parser("ask", help="ask a question and get the answer with its sources")
    ask.add_argument("question", nargs="*", help="the question; - or nothing reads it from standard input")
    ask.add_argument("--json", action="store_true", help="print one JSON object when the answer is whole")
    ask.add_argument("--conversation", metavar="ID", default="", help="go on with this conversation")
    ask.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=ANSWER_TIMEOUT_S,
        help="stop the answer after this many seconds (default: %(default)g)",
    )


def _add_search(commands: "Commands") -> None:
    search = commands.add_parser("search", help="find the files that a question is about")
    search.add_argument(
        "query", nargs="*", help="what to look for; - or nothing reads it from standard input"
    )
    search.add_argument(
        "-k",
        dest="limit",
        metavar="N",
        type=_limit,
        default=10,
        help=f"at most N files, 1 to {SEARCH_LIMIT_MAX} (default: %(default)s)",
    )
    search.add_argument("--json", action="store_true", help="print a JSON list, best first")
    search.add_argument(
        "--queries",
        metavar="FILE",
        help="one query a line (- for standard input); needs --json and prints one list a line",
    )
    search.add_argument(
        "--folder",
        dest="folders",
        metavar="FOLDER",
        action="append",
        type=_folder,
        default=[],
        help="only files in this folder, at any depth; may be given more than once",
    )
    search.add_argument(
        "--kind",
        dest="kinds",
        metavar="KIND",
        action="append",
        type=_kind,
        default=[],
        help="only files with this extension (pdf); may be given more than once",
    )
    search.add_argument(
        "--since", metavar="DATE", type=_since, help="only files changed on this day or later (2026-03-01)"
    )
    search.add_argument(
        "--until", metavar="DATE", type=_until, help="only files changed on this day or before (2026-03-31)"
    )


def _add_index(commands: "Commands") -> None:
    index = commands.add_parser("index", help="read new and changed files now, and say what came of each")
    index.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: every folder Titan may read)"
    )
    index.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    index.add_argument("--force", action="store_true", help="read unchanged files again, too")
    index.add_argument(
        "--strict",
        action="store_true",
        help=f"end with {exit_codes.FILES_FAILED} when a file could not be read",
    )


def _add_doctor(commands: "Commands") -> None:
    doctor = commands.add_parser("doctor", help="look at the stores, the model, the folders and the display")
    doctor.add_argument(
        "--security", action="store_true", help="say how the processes that read files are confined"
    )
    form = doctor.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the report as one JSON object")
    # `__main__` hands it on to the core, which alone knows every service.
    form.add_argument(
        "--asyncapi",
        metavar="FILE",
        help="no report, but an AsyncAPI 3 document of what travels on the bus (.yaml, else JSON; - prints it)",
    )


def _add_backup(commands: "Commands") -> None:
    backup = commands.add_parser("backup", help="write everything that Titan knows into one file")
    backup.add_argument("file", metavar="FILE", help="a new file, for example on another disk")
    backup.add_argument(
        "--password",
        action="store_true",
        help="encrypt it; the password is asked for, or read from standard input",
    )
    backup.add_argument("--json", action="store_true", help="print what was made as one JSON object")


def _add_files(commands: "Commands") -> None:
    files = commands.add_parser(
        "files", help="look at the folders that Titan reads, and change what is in them"
    )
    acts = files.add_subparsers(dest="act", metavar="ACT", required=True)

    def add(name: str, text: str, *paths: str) -> argparse.ArgumentParser:
        act = acts.add_parser(name, help=text)
        for path in paths:
            act.add_argument(path, metavar=path.upper())
        act.add_argument("--json", action="store_true", help="print what was found or done as JSON")
        return act

    listing = add("list", "list a folder")
    listing.add_argument(
        "path", metavar="PATH", nargs="?", default="", help="a folder (default: the folders)"
    )
    listing.add_argument("-a", "--all", action="store_true", help="hidden and temporary files, too")
    listing.add_argument("--sort", choices=["name", "modified", "size"], default="name", help="in this order")
    listing.add_argument("--reverse", action="store_true", help="the last one first")
    add("read", "print a text file", "path")
    write = add("write", "give a file a content, from standard input", "path")
    write.add_argument(
        "--from", dest="source", metavar="FILE", default="", help="the content is that of FILE"
    )
    add("mkdir", "make a folder", "path")
    move = add("move", "give a file or a folder another path", "path", "target")
    add("delete", "move a file or a folder to the trash", "path")
    copy_in = add("copy-in", "copy a file from anywhere into a folder that Titan reads", "source", "path")
    copy_out = add("copy-out", "copy a file to anywhere", "path", "place")
    forget = add(
        "forget", "erase a file's text, former contents and changes, and do not read it again", "path"
    )
    forget.add_argument("--undo", action="store_true", help="let it be read again")
    for act in (write, copy_in):
        taken = act.add_mutually_exclusive_group()
        taken.add_argument(
            "--replace", action="store_true", help="replace a file; its content is kept for undo"
        )
        taken.add_argument(
            "--number", action="store_true", help="where the name is taken, add a number to it"
        )
        act.add_argument("--no-undo", action="store_true", help="replace also what is too large to be kept")
    for act in (move, copy_out):
        act.add_argument("--number", action="store_true", help="where the name is taken, add a number to it")


def _add_undo(commands: "Commands") -> None:
    undo = commands.add_parser(
        "undo", help="take back a change that Titan has made to a file, or a run of them"
    )
    which = undo.add_mutually_exclusive_group()
    which.add_argument(
        "action", metavar="ACTION", nargs="?", default="", help="which (default: the last one)"
    )
    which.add_argument("--run", metavar="RUN", default="", help="all changes of a run, the last one first")
    undo.add_argument("--list", action="store_true", help="show what was changed, the newest first")
    undo.add_argument(
        "--force", action="store_true", help="also what others have changed since; that is kept, too"
    )
    undo.add_argument("--yes", action="store_true", help="do not ask")
    undo.add_argument("--json", action="store_true", help="print what was found or done as JSON")


def _add_import(commands: "Commands") -> None:
    bring = commands.add_parser("import", help="put conversations of another program into the history")
    bring.add_argument(
        "file",
        metavar="FILE",
        help='one JSON object a line: "id", "conversation", "role" (user or assistant), "text", "created_at" '
        '(RFC 3339), perhaps "speaker"; - for standard input',
    )
    bring.add_argument("--json", action="store_true", help="print what was done as one JSON object")


def _add_explain(commands: "Commands") -> None:
    explain = commands.add_parser("explain", help="what an answer rests on, and where that is from")
    explain.add_argument("answer", metavar="ANSWER", help="a message's id, or `last` for the newest answer")
    explain.add_argument("--json", action="store_true", help="print what was found as one JSON object")


def _add_memory(commands: "Commands") -> None:
    memory = commands.add_parser(
        "memory", help="what Titan remembers: facts, where they are from, since when"
    )
    acts = memory.add_subparsers(dest="act", metavar="ACT", required=True)

    def add(name: str, text: str, *, fact: bool = False, words: str = "") -> argparse.ArgumentParser:
        act = acts.add_parser(name, help=text)
        if fact:
            act.add_argument("fact", metavar="FACT", help="its id, as `titan memory list` shows it")
        if words:
            act.add_argument("words", nargs="*", metavar="TEXT", help=words)
        act.add_argument("--json", action="store_true", help="print what was found or done as JSON")
        return act

    said = "a sentence; - or nothing reads it from standard input"
    remember = add("remember", "remember this: it holds at once", words=said)
    listing = add("list", "list what is so now, the pinned and the newest first")
    listing.add_argument(
        "words", nargs="*", metavar="WORD", help="only facts with such words, the best first"
    )
    which = listing.add_mutually_exclusive_group()
    which.add_argument(
        "--proposed", action="store_true", help="what a model has proposed and nobody accepted"
    )
    which.add_argument("--ended", action="store_true", help="what was so once")
    which.add_argument("--as-of", metavar="DATE", type=_since, help="what was so then (2026-03-01)")
    query = add("query", "find what was said in conversations, and facts", words="what to look for")
    query.add_argument(
        "-k", dest="limit", metavar="N", type=_limit, default=10,
        help=f"at most N, 1 to {SEARCH_LIMIT_MAX} (default: %(default)s)",
    )  # fmt: skip
    query.add_argument(
        "--queries",
        metavar="FILE",
        help="one query a line (- for standard input); needs --json and prints one list a line",
    )
    add("rebuild", "read every file again, make the graph anew, and say what differs from before")
    add("explain", "where a fact is from, since when it holds, what it ended and what ended it", fact=True)
    correct = add("correct", "put another sentence in the place of a wrong one", fact=True, words=said)
    pin = add("pin", "keep a fact, whatever the limits", fact=True)
    pin.add_argument("--off", action="store_true", help="no longer")
    add("forget", "erase a fact; what was said in conversations and stands in files stays there", fact=True)
    for act in (remember, correct):
        act.add_argument("--since", metavar="DATE", type=_since, help="since when it is so (2026-03-01)")


def _folder(text: str) -> str:
    """Return the folder as the index has it: absolute, and without a link on the way."""
    return os.path.realpath(os.path.expanduser(text))  # noqa: PTH111 - pathlib is slow to import


def _kind(text: str) -> str:
    kind = text.strip().lower().removeprefix("*").removeprefix(".")
    if not kind:
        raise argparse.ArgumentTypeError("an extension is needed, such as pdf")
    return kind


def _since(text: str) -> "datetime":
    """Return when that day begins, or the moment that is written out."""
    return _moment(text, days=0)


def _until(text: str) -> "datetime":
    """Return when that day ends, or the moment that is written out."""
    return _moment(text, days=1)


def _moment(text: str, days: int) -> "datetime":
    from datetime import date, datetime, time, timedelta

    written = "-".join(reversed(text.split("."))) if text.count(".") == 2 else text  # noqa: PLR2004 - 31.03.2026
    try:
        try:
            day = date.fromisoformat(written) + timedelta(days)
        except ValueError:
            return datetime.fromisoformat(text).astimezone()
        return datetime.combine(day, time.min).astimezone()
    except (ValueError, OverflowError, OSError):  # OSError: Windows, before 1970
        raise argparse.ArgumentTypeError("a date is needed, such as 2026-03-31 or 31.03.2026") from None


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("a number of seconds above 0 is needed")
    return value


def _limit(text: str) -> int:
    value = int(text)
    if not 1 <= value <= SEARCH_LIMIT_MAX:
        raise argparse.ArgumentTypeError(f"a number from 1 to {SEARCH_LIMIT_MAX} is needed")
    return value
