"""`titan doctor`: how everything is, and what to do about what is not. Reports also when no core can be had."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import Iterable, Mapping

import msgspec

from titan_bus import Bus, RequestError
from titan_desktop import __version__, settings
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import indexing, message, system
from titan_desktop.contracts.problem import REFUSED_FOLDERS
from titan_desktop.system import display, tesseract
from titan_desktop.system.paths import Paths, allowed_roots

ASK_TIMEOUT_S = 10.0
SETTLE_S = 10.0
POLL_S = 0.1
FAILURES_SHOWN = 10
"""How many files are named to a person; `--json` names all that the core said."""

Answers = tuple[system.Status, indexing.IndexStatus | None]
"""What the core said; no counts when its index cannot be asked."""


class Display(msgspec.Struct, frozen=True):
    """Can a window be shown? `missing` names the system libraries that Qt needs and that are not installed."""

    available: bool
    missing: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `titan doctor --json` prints. Each problem is a sentence with its cure; notes are none."""

    ok: bool
    version: str
    python: str
    platform: str
    paths: dict[str, str]
    roots: tuple[system.RootStatus, ...]
    display: Display
    core: system.Status | None
    index: indexing.IndexStatus | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


async def ask(bus: Bus) -> Answers:
    """Ask the core how it is and what it has read, once its stores are open or have had time to be."""
    deadline = time.monotonic() + SETTLE_S
    status = await _status(bus)
    while _is_opening(status) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
        status = await _status(bus)
    if not status.ready:
        return status, None
    with contextlib.suppress(RequestError):  # then the report has no counts, and the stores say why
        return status, await message.ask(bus, indexing.GetIndexStatus(), ASK_TIMEOUT_S)
    return status, None


def _is_opening(status: system.Status) -> bool:
    return not status.ready or any(store.opening for store in status.stores)


async def _status(bus: Bus) -> system.Status:
    return await message.ask(bus, system.GetStatus(), ASK_TIMEOUT_S)


def report(
    paths: Paths,
    says: sentences.Table,
    answers: Answers | None,
    unreached: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Report:
    """Put the report together; `unreached` is the sentence that says why there are no `answers`."""
    status, index = answers or (None, None)
    missing = tuple(library.soname for library in display.missing_libraries(environment))
    shown = Display(display.has_display(environment), missing)
    roots = status.roots if status else _roots_seen_from_here()
    problems = (unreached, *_problems(status, roots, says), *_display_problem(shown, environment))
    return Report(
        ok=not any(problems),
        version=__version__,
        python=platform.python_version(),
        platform=f"{platform.platform()} {platform.machine()}",
        paths={
            name: str(getattr(paths, name)) for name in ("config", "data", "logs", "run", "settings_file")
        },
        roots=roots,
        display=shown,
        core=status,
        index=index,
        problems=tuple(sentence.removeprefix("titan: ") for sentence in problems if sentence),
        notes=(*_settings_notes(paths, says), *_notes(status, index, roots, shown, says)),
    )


def _roots_seen_from_here() -> tuple[system.RootStatus, ...]:
    return tuple(system.RootStatus(path=str(root), exists=root.is_dir()) for root in allowed_roots())


def show(found: Report, says: sentences.Table, *, json: bool) -> int:
    """Print the report and return the exit status."""
    if json:
        output.say_json(found)
    else:
        _print(found, says)
    return exit_codes.DONE if found.ok else exit_codes.NOTHING


def _problems(
    status: system.Status | None, roots: tuple[system.RootStatus, ...], says: sentences.Table
) -> list[str]:
    problems = []
    if status is not None:
        problems += [
            says["doctor.store"].format(
                name=store.name,
                place=store.place,
                detail=sentences.for_problem(says, store.problem) or says["doctor.store_silent"],
            )
            for store in status.stores
            if not store.ok
        ]
        problems += [
            sentences.for_refused_folder(says, problem)
            if problem.code in REFUSED_FOLDERS
            else sentences.for_problem(says, problem)
            for problem in status.problems
        ]
        if status.dead_letters:
            problems.append(sentences.counted(says, "doctor.dead_letters", status.dead_letters))
    if not any(root.exists for root in roots) and not _refused(status):
        problems.append(says["no_folder"].format(folders=", ".join(root.path for root in roots)))
    return problems


def _refused(status: system.Status | None) -> frozenset[str]:
    """Return the folders that are there and are not read."""
    problems = status.problems if status is not None else ()
    return frozenset(problem.fields["path"] for problem in problems if problem.code in REFUSED_FOLDERS)


def _display_problem(shown: Display, environment: Mapping[str, str]) -> list[str]:
    """Missing libraries are a fault; a machine without a display is as its owner wants it."""
    return [display.trouble(environment)] if shown.available and shown.missing else []


def _settings_notes(paths: Paths, says: sentences.Table) -> list[str]:
    keys = ", ".join(settings.unknown_keys(paths.settings_file))
    return [says["doctor.unknown_keys"].format(path=paths.settings_file, keys=keys)] if keys else []


def _notes(
    status: system.Status | None,
    index: indexing.IndexStatus | None,
    roots: tuple[system.RootStatus, ...],
    shown: Display,
    says: sentences.Table,
) -> list[str]:
    notes = []
    if status is not None and not status.model.configured:
        notes.append(says["doctor.no_model"])
    if status is not None and status.model.answers_at:
        notes.append(says["doctor.answers_at"].format(url=status.model.answers_at))
    if status is not None and not status.embedder.configured:
        is_wanted = bool(status.embedder.name)
        notes.append(says["doctor.embedder_not_here" if is_wanted else "doctor.no_embedder"])
    if status is not None and status.ready:
        notes += [
            says["doctor.not_watched"].format(path=root.path)
            for root in roots
            if root.exists and not root.watched
        ]
    if index is not None and index.embedding is not None and index.embedding.fault:
        notes.append(sentences.for_vectors(says, index.embedding))
    if index is not None and index.failed:
        notes.append(sentences.counted(says, "doctor.failed", index.failed))
    if not shown.available:
        notes.append(says["doctor.no_display"])
    models = tesseract.folder()
    if models is None or tesseract.RUSSIAN not in tesseract.languages(models):
        notes.append(says["doctor.no_tesseract"].format(command=tesseract.installing()))
    return notes


def _print(found: Report, says: sentences.Table) -> None:
    _row("Titan", f"{found.version}, Python {found.python}, {found.platform}")
    _print_core(found.core, says)
    for root in found.roots:
        _row(says["doctor.folder"], f"{root.path}, {_root(root, found.core, says)}")
    if found.index:
        _print_index(found.index, says)
    missing = (
        f", {says['doctor.libraries']} {', '.join(found.display.missing)}" if found.display.missing else ""
    )
    available = says["doctor.available" if found.display.available else "doctor.none"]
    _row(says["doctor.display"], available + missing)
    for name, path in found.paths.items():
        _row(says[f"doctor.{name}"], path)
    if found.index:
        _print_list(says["doctor.failures"], _failures(found.index, says))
    _print_list(says["doctor.problems"], found.problems)
    _print_list(says["doctor.notes"], found.notes)
    if found.ok:
        output.say("\n" + says["doctor.well"])


def _print_core(status: system.Status | None, says: sentences.Table) -> None:
    if status is None:
        _row(says["doctor.core"], says["doctor.unreached"])
        return
    state = says["doctor.ready" if status.ready else "doctor.starting"]
    _row(says["doctor.core"], says["doctor.process"].format(pid=status.pid, state=state))
    for store in status.stores:
        state = f"{store.product} {store.version}".strip() if store.ok else says["doctor.silent"]
        _row(store.name, f"{store.place}, {state}")
    _row(says["doctor.model"], _model(status.model, says))
    _row(says["doctor.embedder"], _embedder(status.embedder, says))


def _print_index(index: indexing.IndexStatus, says: sentences.Table) -> None:
    counts = (
        ("doctor.files", index.files),
        ("doctor.passages", index.passages),
        ("doctor.vectors", index.vectors),
    )
    _row(says["doctor.index"], ", ".join(sentences.counted(says, key, count) for key, count in counts))
    _row("", says["doctor.unread"].format(skipped=index.skipped, partial=index.partial, failed=index.failed))


def _failures(index: indexing.IndexStatus, says: sentences.Table) -> list[str]:
    """Name the newest files that could not be read, and say how many there are beside them."""
    failures = [one for one in index.failures if one.outcome is indexing.Outcome.FAILED][:FAILURES_SHOWN]
    lines = [f"{one.path}: {sentences.for_reason(says, one.reason)}" for one in failures]
    if failures and index.failed > len(failures):
        lines.append(says["more"].format(files=index.failed - len(failures)))
    return lines


def _print_list(title: str, lines: Iterable[str]) -> None:
    for number, sentence in enumerate(lines):
        if number == 0:
            output.say(f"\n{title}:")
        output.say(f"- {output.line(sentence)}")


def _row(name: str, value: str) -> None:
    output.say(f"{name:<10}{output.line(value)}")


def _root(root: system.RootStatus, status: system.Status | None, says: sentences.Table) -> str:
    if not root.exists:
        return says["doctor.refused" if root.path in _refused(status) else "doctor.missing"]
    if status is None or not status.ready:
        return says["doctor.there"]
    return says["doctor.watched" if root.watched else "doctor.polled"]


def _embedder(model: system.ModelStatus, says: sentences.Table) -> str:
    is_built_in = model.configured and not model.base_url
    return f"{model.name}, {says['doctor.built_in']}" if is_built_in else _model(model, says)


def _model(model: system.ModelStatus, says: sentences.Table) -> str:
    if not model.configured:
        return says["doctor.none"]
    key = says.get(f"doctor.key.{model.key}", model.key)
    return f"{model.name}, {key}" + (f", {model.base_url}" if model.base_url else "")
