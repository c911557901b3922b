"""`titan-bus dlq`: lists, counts, shows, redrives and drops dead letters."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from titan_bus.bus import Bus
from titan_bus.cli import exit_codes
from titan_bus.cli.arguments import Options
from titan_bus.cli.asking import can_ask, confirmed
from titan_bus.cli.connecting import visitor_of
from titan_bus.cli.events import show
from titan_bus.cli.failures import CommandError
from titan_bus.cli.output import GAP, Output, line_of, local_time
from titan_bus.deadletter import DeadLetter, DeadLetters

NONE = "there are no such dead letters."
Step = Callable[[str], Awaitable[int]]


async def run(options: Options, output: Output) -> int:
    """Run one action."""
    if options.action not in {"list", "sum"}:
        _check_choice(options)
    async with Bus(visitor_of(options)) as bus:
        letters = bus.dead_letters
        match options.action:
            case "list":
                return await _list(letters, options, output)
            case "sum":
                return await _sum(letters, options, output)
            case "show":
                return await _show(letters, options, output)
            case "redrive":
                return await _each(
                    letters, options, output, "given back", lambda i: letters.redrive(i, to=options.to)
                )
        if options.all and not options.yes and not await _confirmed(letters, output):
            output.note("nothing was dropped.")
            return exit_codes.NOTHING
        return await _each(letters, options, output, "dropped", letters.drop)


def _filters(options: Options) -> dict[str, str | None]:
    return {"topic": options.topic, "group": options.group, "error": options.error}


def _check_choice(options: Options) -> None:
    """Refuse a command without a choice: everything must be requested explicitly."""
    ways = (bool(options.ids), any(_filters(options).values()), bool(getattr(options, "all", False)))
    if sum(ways) != 1:
        everything = " or --all" if hasattr(options, "all") else ""
        raise CommandError(f"say which: either ids, or some of --topic, --group and --error{everything}.")
    if options.action == "drop" and options.all and not options.yes and not can_ask():
        raise CommandError("nobody is there to be asked: say --yes to drop every dead letter.")


async def _list(letters: DeadLetters, options: Options, output: Output) -> int:
    found = await letters.list(options.limit + 1, **_filters(options))
    more, found = len(found) > options.limit, found[: options.limit]
    if output.json:
        for letter in found:
            output.record(_record(letter))
    elif found:
        output.table(
            ("ID", "AT", "TOPIC", "GROUP", "TYPE", "ERROR"),
            [
                (one.letter_id, local_time(one.origin.at), one.topic or one.origin.stream, one.origin.group,
                 one.event.event_type if one.event else "(no event)", f"{one.origin.error}: {one.origin.message}")
                for one in found
            ],
        )  # fmt: skip
    else:
        output.note(NONE)
    if more:
        output.note("there are more: `dlq sum` counts them, --limit lists them.")
    return exit_codes.DONE if found else exit_codes.NOTHING


async def _sum(letters: DeadLetters, options: Options, output: Output) -> int:
    """Count the dead letters by topic, group and error, most first, with the time of the newest."""
    counts: Counter[tuple[str, str, str]] = Counter()
    newest: dict[tuple[str, str, str], str] = {}
    async for one in letters.select(**_filters(options)):
        kind = (one.topic or one.origin.stream, one.origin.group, one.origin.error)
        counts[kind] += 1
        newest[kind] = one.origin.at
    if output.json:
        for (topic, group, error), count in counts.most_common():
            kind = (topic, group, error)
            output.record(
                {"topic": topic, "group": group, "error": error, "letters": count, "newest": newest[kind]}
            )
    elif counts:
        output.table(
            ("LETTERS", "TOPIC", "GROUP", "ERROR", "NEWEST"),
            [(count, *kind, local_time(newest[kind])) for kind, count in counts.most_common()],
        )
    else:
        output.note(NONE)
    return exit_codes.DONE if counts else exit_codes.NOTHING


async def _show(letters: DeadLetters, options: Options, output: Output) -> int:
    found = missing = 0
    async for letter_id in _chosen(letters, options):
        letter = await _known(letter_id, letters.get)
        if letter is None:
            missing += 1
            output.note(f"{letter_id} is not there.")
            continue
        found += 1
        if output.json:
            output.record(_record(letter))
        else:
            _print(letter, output)
    if not found + missing:
        output.note(NONE)
    return exit_codes.DONE if found and not missing else exit_codes.NOTHING


def _record(letter: DeadLetter) -> dict[str, object]:
    """Return the JSON record: `fields` (base64) only for an entry that is no event."""
    record: dict[str, object] = {"letter_id": letter.letter_id, "topic": letter.topic}
    record |= {"origin": letter.origin, "event": letter.event}
    return record if letter.event is not None else record | {"fields": letter.fields}


def _print(letter: DeadLetter, output: Output) -> None:
    origin = letter.origin
    output.line(output.paint("bold", f"{letter.letter_id}{GAP}{local_time(origin.at)}"))
    output.line(f"{GAP}group {line_of(origin.group)}, entry {origin.entry_id} of {line_of(origin.stream)}")
    output.line(GAP + output.paint("red", line_of(f"{origin.error}: {origin.message}")))
    for line in origin.traceback.rstrip().split("\n"):
        output.line(f"{GAP}{GAP}{line[: len(line) - len(line.lstrip())]}{line_of(line)}")
    if letter.event is not None:
        show(letter.event, output, pretty=True)
    else:
        for name, value in letter.fields.items():
            output.line(f"{GAP}{line_of(name)} = {line_of(repr(value))}")
    output.line()


async def _each(letters: DeadLetters, options: Options, output: Output, done: str, step: Step) -> int:
    """Run a step for each dead letter; a failure does not stop the others."""
    count = failed = 0
    async for letter_id in _chosen(letters, options):
        try:
            moved = await step(letter_id)
        except ValueError as error:
            failed += 1
            output.note(f"{line_of(str(error))}.")
            continue
        if not moved:
            failed += 1
            output.note(f"{letter_id} is not there.")
            continue
        count += 1
        if output.json:
            output.report({"letter_id": letter_id}, "")
    if not options.ids and not count + failed:
        output.note(NONE)
    elif not output.json:
        output.report(None, f"{count} {done}")
    return exit_codes.DONE if count and not failed else exit_codes.NOTHING


async def _chosen(letters: DeadLetters, options: Options) -> AsyncIterator[str]:
    for letter_id in options.ids:
        yield letter_id
    if not options.ids:
        async for letter in letters.select(**_filters(options)):
            yield letter.letter_id


async def _known(letter_id: str, get: Callable[[str], Awaitable[DeadLetter | None]]) -> DeadLetter | None:
    try:
        return await get(letter_id)
    except ValueError as error:
        raise CommandError(f"{error}.") from error


async def _confirmed(letters: DeadLetters, output: Output) -> bool:
    count = await letters.count()
    return not count or await confirmed(f"Drop {count} dead letters for good?", output)
