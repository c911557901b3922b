"""`titan doctor`: how everything is, and what to do about what is not. Reports also when no core can be had."""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import Mapping

import msgspec

from titan_bus import Bus, RequestError
from titan_desktop import __version__, display
from titan_desktop.commands import exit_codes, output
from titan_desktop.contracts import memory, system, topics
from titan_desktop.paths import Paths, allowed_roots

ASK_TIMEOUT_S = 10.0
SETTLE_S = 10.0
POLL_S = 0.1

Answers = tuple[system.Status, memory.IndexStatus | None]
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
    index: memory.IndexStatus | None
    problems: tuple[str, ...]
    notes: tuple[str, ...]


async def ask(bus: Bus) -> Answers:
    """Ask the core how it is and what it has read, once its stores are open or have had time to be."""
    deadline = time.monotonic() + SETTLE_S
    status = await _status(bus)
    while not all(store.ok for store in status.stores) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
        status = await _status(bus)
    if not status.ready:
        return status, None
    request = memory.GetIndexStatus()
    with contextlib.suppress(RequestError):  # then the report has no counts, and the stores say why
        return status, await bus.request(
            topics.MEMORY_REQUESTS,
            topics.type_of(request),
            request,
            reply_type=memory.IndexStatus,
            timeout_s=ASK_TIMEOUT_S,
        )
    return status, None


async def _status(bus: Bus) -> system.Status:
    request = system.GetStatus()
    return await bus.request(
        topics.SYSTEM_REQUESTS,
        topics.type_of(request),
        request,
        reply_type=system.Status,
        timeout_s=ASK_TIMEOUT_S,
    )


def report(
    paths: Paths,
    answers: Answers | None,
    unreached: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Report:
    """Put the report together; `unreached` is the sentence that says why there are no `answers`."""
    status, index = answers or (None, None)
    missing = tuple(library.soname for library in display.missing_libraries(environment))
    shown = Display(display.has_display(environment), missing)
    roots = status.roots if status else _roots_seen_from_here()
    problems = tuple(
        filter(None, (unreached, *_problems(status, roots), *_display_problem(shown, environment)))
    )
    return Report(
        ok=not problems,
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
        problems=problems,
        notes=tuple(_notes(status, index, roots, shown)),
    )


def _roots_seen_from_here() -> tuple[system.RootStatus, ...]:
    return tuple(system.RootStatus(path=str(root), exists=root.is_dir()) for root in allowed_roots())


def show(found: Report, *, json: bool) -> int:
    """Print the report and return the exit status."""
    if json:
        output.say_json(found)
    else:
        _print(found)
    return exit_codes.DONE if found.ok else exit_codes.NOTHING


def _problems(status: system.Status | None, roots: tuple[system.RootStatus, ...]) -> list[str]:
    problems = []
    if status is not None:
        problems += [
            f"{store.name} ({store.place}): {store.detail or 'It does not answer.'}"
            for store in status.stores
            if not store.ok and store.detail not in " ".join(status.problems)
        ]
        problems += status.problems
    if not any(root.exists for root in roots):
        folders = " nor ".join(root.path for root in roots)
        problems.append(f"There is nothing to read: neither {folders} exists. Make one and put files there.")
    return problems


def _display_problem(shown: Display, environment: Mapping[str, str]) -> list[str]:
    """Missing libraries are a fault; a machine without a display is as its owner wants it."""
    return [display.trouble(environment)] if shown.available and shown.missing else []


def _notes(
    status: system.Status | None,
    index: memory.IndexStatus | None,
    roots: tuple[system.RootStatus, ...],
    shown: Display,
) -> list[str]:
    notes = []
    if status is not None and not status.model.configured:
        notes.append("No model is connected: answers are passages. `titan key set` connects OpenAI.")
    if status is not None and not status.embedder.configured:
        notes.append("No embedder is connected: search goes by words alone. TITAN_EMBEDDING_MODEL names one.")
    if status is not None and status.ready:
        notes += [
            f"{root.path} is polled, not watched." for root in roots if root.exists and not root.watched
        ]
    if index is not None and index.failed:
        notes.append(f"{index.failed} files could not be read; `titan index --force` tries them again.")
    if not shown.available:
        notes.append('There is no display here: the window cannot open, `titan ask "…"` works.')
    return notes


def _print(found: Report) -> None:
    _row("Titan", f"{found.version}, Python {found.python}, {found.platform}")
    status, index = found.core, found.index
    _row(
        "core",
        f"process {status.pid}, {'ready' if status.ready else 'starting'}" if status else "not reached",
    )
    for store in status.stores if status else ():
        state = f"{store.product} {store.version}".strip() if store.ok else "does not answer"
        _row(store.name, f"{store.place}, {state}")
    if status:
        _row("model", _model(status.model))
        _row("embedder", _model(status.embedder))
    for root in found.roots:
        watched = ("watched" if root.watched else "polled") if status and status.ready else "there"
        _row("folder", f"{root.path}, {watched if root.exists else 'does not exist'}")
    if index:
        _row("index", f"{index.files} files, {index.passages} passages, {index.vectors} vectors")
        _row("", f"{index.skipped} skipped, {index.failed} failed")
    missing = ", missing " + ", ".join(found.display.missing) if found.display.missing else ""
    _row("display", ("available" if found.display.available else "none") + missing)
    for name, path in found.paths.items():
        _row(name.removesuffix("_file"), path)
    for title, lines in (("Problems", found.problems), ("Notes", found.notes)):
        if lines:
            output.say(f"\n{title}:")
        for sentence in lines:
            output.say(f"- {output.line(sentence).removeprefix('titan: ')}")
    if found.ok:
        output.say("\nAll is well.")


def _row(name: str, value: str) -> None:
    output.say(f"{name:<10}{output.line(value)}")


def _model(model: system.ModelStatus) -> str:
    if not model.configured:
        return "none"
    return f"{model.name}, key from {model.key}" + (f", {model.base_url}" if model.base_url else "")
