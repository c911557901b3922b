"""Which files a search may find, as conditions in SQL for both legs."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

from titan_desktop.contracts.numbers import INT64_MAX
from titan_desktop.contracts.search import Filters
from titan_desktop.system.unicode import normalized

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

FEW = 2_000
"""So many passages are looked at one by one; among more, an index is asked first and its answers are filtered."""

FOLDERS = """
    SELECT DISTINCT left(path, char_length(path) - char_length(title) - 1) AS folder
    FROM files WHERE outcome = 'indexed'
"""
"""The folders that hold files; those above them are in their paths."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def condition(filters: Filters, first: int) -> tuple[str, Sequence[object]]:
    """Return a condition on the table `files`, and its arguments, which are numbered from `first`."""
    parts, arguments = ["outcome = 'indexed'"], list[object]()

    def argument(value: object) -> str:
        arguments.append(value)
        return f"${first + len(arguments) - 1}"

    if filters.kinds:
        parts.append(f"kind = ANY({argument(filters.kinds)}::text[])")
    if filters.since is not None:
        parts.append(f"mtime_ns >= {argument(_ns(filters.since))}::bigint")
    if filters.until is not None:
        parts.append(f"mtime_ns < {argument(_ns(filters.until))}::bigint")
    if filters.folders:
        beneath = []
        for folder in filters.folders:
            start = folder.rstrip(os.sep) + os.sep
            # A prefix is a range of the index, from the separator to the character behind it.
            beneath.append(
                f'(path > {argument(start)} COLLATE "C"'
                f' AND path < {argument(start[:-1] + chr(ord(os.sep) + 1))} COLLATE "C")'
            )
        parts.append(f"({' OR '.join(beneath)})")
    return " AND ".join(parts), arguments


async def few_allowed(connection: "PoolConnectionProxy", filters: Filters) -> Sequence[int] | None:
    """Return the numbers of all passages that may be found; None when they are more than `FEW`."""
    allowed, arguments = condition(filters, 1)
    rows = await connection.fetch(
        f"SELECT passages.id FROM files JOIN passages ON file_id = files.id WHERE {allowed} LIMIT {FEW + 1}",
        *arguments,
    )
    return None if len(rows) > FEW else [row["id"] for row in rows]


def with_names(folders: Sequence[str], names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return those of these folders, or above them, that have one of these names, by the name."""
    asked = {_alike(name): name for name in names}
    paths: dict[str, list[str]] = {}
    seen: set[PurePath] = set()
    for folder in folders:
        path = PurePath(folder)
        while path not in seen and path.name:
            seen.add(path)
            if (name := asked.get(_alike(path.name))) is not None:
                paths.setdefault(name, []).append(str(path))
            path = path.parent
    return {name: tuple(sorted(found)) for name, found in paths.items()}


def _alike(name: str) -> str:
    return normalized("NFC", name).casefold().replace("ё", "е")


def _ns(moment: datetime) -> int:
    """Return nanoseconds since the epoch, as far as the column goes."""
    exact = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return max(-INT64_MAX, min(exact, INT64_MAX))
