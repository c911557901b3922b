"""`titan index`: indexes files and folders now, and reports the outcomes."""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from titan_bus import Bus, Tail
from titan_desktop.client import sizes
from titan_desktop.commands import exit_codes, indexing, output, sentences
from titan_desktop.contracts.indexing import FileIndexed, Outcome, Reason
from titan_desktop.system.file_names import spelled
from titan_desktop.system.folder_names import folder_name
from titan_desktop.system.paths import allowed_roots

PATHS_SHOWN = 5
"""How many files of one reason are listed for a person; `--json` lists all."""


def absolute(paths: Iterable[str]) -> list[str]:
    """Return the paths absolute, without those beneath another of them, so that each file is reported once."""
    known: list[str] = []
    for path in sorted({spelled(os.path.abspath(path)) for path in paths}, key=lambda path: Path(path).parts):  # noqa: PTH100
        if not known or not Path(path).is_relative_to(known[-1]):
            known.append(path)
    return known


async def run(
    bus: Bus,
    tail: Tail,
    options: argparse.Namespace,
    paths: Sequence[str],
    says: sentences.Table,
    refused_folders: Mapping[str, str],
) -> int:
    """Index `paths` (none: every allowed folder), print the summary, return the exit status.

    `tail` comes from `indexing.listening`, and began before the core started to read. `refused_folders` has a
    sentence for each folder that is not read.
    """
    job = indexing.Job(paths, force=options.force)
    progress = output.Progress(says["indexing"], sentences.language_of(says))
    started = time.monotonic()
    try:
        await indexing.run(bus, tail, job, progress.update)
    except indexing.StalledError as error:
        progress.clear()
        output.complain(says["stalled"].format(files=error.left))
        return exit_codes.NOT_REACHED
    finally:
        progress.clear()
    seconds = time.monotonic() - started
    if options.json:
        output.say_json(_as_json(job, seconds, says))
    else:
        _print(job, seconds, says)
    for path, reason in sorted(job.refused.items()):
        output.complain(_refusal(path, reason, says, refused_folders))
    if job.refused.keys() & set(paths):
        return exit_codes.PATH_REFUSED
    if options.strict and (job.of(Outcome.FAILED) or job.failed_before()):
        return exit_codes.FILES_FAILED
    return exit_codes.DONE


def _as_json(job: indexing.Job, seconds: float, says: sentences.Table) -> dict[str, object]:
    indexed = job.of(Outcome.INDEXED)
    dealt_with = len(job.outcomes())

    def listed(path: str, reason: str) -> dict[str, str]:
        return {"path": path, "reason": reason, "sentence": sentences.for_reason(says, reason)}

    return {
        "indexed": len(indexed),
        "unchanged": job.unchanged(),
        "unchanged_failed": job.failed_before(),
        "removed": len(job.of(Outcome.REMOVED)),
        "moved": len(job.of(Outcome.MOVED)),
        "partial": [listed(news.path, news.reason) for news in job.partial()],
        "skipped": [listed(news.path, news.reason) for news in job.of(Outcome.SKIPPED)],
        "failed": [listed(news.path, news.reason) for news in job.of(Outcome.FAILED)],
        "refused": [listed(path, reason) for path, reason in sorted(job.refused.items())],
        "seconds": round(seconds, 3),
        "files_per_s": round(dealt_with / seconds, 1) if seconds else 0.0,
        "bytes": sum(news.size for news in indexed),
    }


def _print(job: indexing.Job, seconds: float, says: sentences.Table) -> None:
    indexed = job.of(Outcome.INDEXED)
    size = sizes.size(sentences.language_of(says), sum(news.size for news in indexed))
    rate = len(job.outcomes()) / seconds if seconds else 0.0
    output.say(says["indexed"].format(files=len(indexed), bytes=size, seconds=seconds, rate=rate))
    output.say(says["unchanged"].format(files=job.unchanged()))
    if failed := job.failed_before():
        output.say("  " + says["unchanged_failed"].format(files=failed))
    for key, outcome in (("removed", Outcome.REMOVED), ("moved", Outcome.MOVED)):
        if gone := job.of(outcome):
            output.say(says[key].format(files=len(gone)))
    if partial := job.partial():
        output.say(says["partial"].format(files=len(partial)))
        _print_reasons(partial, says)
    for key, outcome in (("skipped", Outcome.SKIPPED), ("failed", Outcome.FAILED)):
        unread = job.of(outcome)
        output.say(says[key].format(files=len(unread)))
        _print_reasons(unread, says)


def _print_reasons(unread: Iterable[FileIndexed], says: sentences.Table) -> None:
    by_reason: dict[Reason, list[str]] = defaultdict(list)
    for news in unread:
        by_reason[news.reason].append(news.path)
    for reason, paths in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        output.say(f"  {sentences.for_reason(says, reason)}: {len(paths)}")
        for path in paths[:PATHS_SHOWN]:
            output.say(f"    {output.line(path)}")
        if len(paths) > PATHS_SHOWN:
            output.say("    " + says["more"].format(files=len(paths) - PATHS_SHOWN))


def _refusal(path: str, reason: str, says: sentences.Table, refused_folders: Mapping[str, str]) -> str:
    for folder, sentence in refused_folders.items():
        if Path(path).is_relative_to(folder):
            return f"titan: {output.line(sentence)}"
    cure = says["cure.outside" if reason == Reason.OUTSIDE else "cure.other"]
    said = sentences.for_reason(says, reason)
    cure = cure.format(folders=", ".join(map(folder_name, allowed_roots())))
    return says["refused"].format(path=output.line(path), reason=said, cure=cure)
