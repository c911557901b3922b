"""Files and their passages: the `Passages` and `Catalogue` ports on PostgreSQL.

This module has the rows of files and passages; `postings` has their words, `keyword` and `vectors` search them.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec

from titan_desktop.adapters.postgres import keyword, postings
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.filtering import FOLDERS, with_names
from titan_desktop.adapters.postgres.text import words
from titan_desktop.contracts.indexing import FailurePage, FileFailure, Outcome, Reason
from titan_desktop.contracts.numbers import INT64_MAX
from titan_desktop.contracts.search import EVERYTHING, Filters
from titan_desktop.contracts.sources import Place
from titan_desktop.ports import extractor
from titan_desktop.ports.files_root import PATH_BYTES_MAX, Stamp
from titan_desktop.ports.passages import Counts, FileEntry, Found, Passage, Wording
from titan_desktop.system import tesseract

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

WRITER_LOCK = 0x746974616E02
"""Document frequencies are counters shared by all files: one writer at a time, over all cores of a database."""
BATCH = 200
"""Passages of one statement; bounds its memory and keeps it far from the pool's timeout."""

MIGRATIONS = (
    Migration(
        "passages-001",
        """
        -- Paths in the C locale: compared by their bytes, and a prefix is a range of the index.
        CREATE TABLE files (
            id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            path       text COLLATE "C" NOT NULL UNIQUE,
            size       bigint NOT NULL,
            mtime_ns   bigint NOT NULL,
            kind       text NOT NULL,
            title      text NOT NULL,
            outcome    text NOT NULL,
            reason     text NOT NULL,
            detail     text NOT NULL,
            event_id   text NOT NULL,
            indexed_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX files_without_text ON files (indexed_at DESC) WHERE outcome <> 'indexed';
        CREATE SEQUENCE passages_id AS int;
        -- `terms` names the postings of the passage, so that they are found again when it goes.
        CREATE TABLE passages (
            id       int PRIMARY KEY,
            file_id  bigint NOT NULL REFERENCES files (id),
            position int NOT NULL,
            length   smallint NOT NULL,
            terms    int[] NOT NULL,
            digest   bytea NOT NULL,
            body     text NOT NULL
        );
        CREATE INDEX passages_of_file ON passages (file_id);
        CREATE INDEX passages_by_digest ON passages (digest);
        """,
    ),
    *postings.MIGRATIONS,
    Migration(
        "passages-places",
        """
        -- Null: the place is not known, as of all passages that were stored before.
        ALTER TABLE passages ADD COLUMN place jsonb;
        -- By which version of the extractor a file was read.
        ALTER TABLE files ADD COLUMN extractor int NOT NULL DEFAULT 1;
        """,
    ),
    Migration("passages-inode", "ALTER TABLE files ADD COLUMN inode bigint NOT NULL DEFAULT 0"),
    Migration(
        "passages-by-inode",
        "CREATE INDEX files_by_inode ON files (inode) WHERE inode <> 0 AND outcome = 'indexed'",
    ),
    # By which version of `text.words` a file's passages were indexed.
    Migration("passages-words", "ALTER TABLE files ADD COLUMN words int NOT NULL DEFAULT 1"),
    Migration(
        "passages-partial",
        """
        -- Files that were read in part have passages and a reason.
        DROP INDEX files_without_text;
        CREATE INDEX files_with_reason ON files (indexed_at DESC) WHERE reason <> '';
        """,
    ),
)

_FIRST_FAILURE = "failed 9999-01-01T00:00:00+00:00 0"
_RANKS = (Outcome.FAILED, Outcome.INDEXED, Outcome.SKIPPED)
"""The order of outcomes in the list of what lacks text."""

_PUT_FILE = """
    INSERT INTO files
        (path, size, mtime_ns, kind, title, outcome, reason, detail, event_id, extractor, inode, words)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns,
        outcome = excluded.outcome, reason = excluded.reason, detail = excluded.detail,
        event_id = excluded.event_id, extractor = excluded.extractor, inode = excluded.inode,
        words = excluded.words, indexed_at = now()
    RETURNING id
"""

_place = msgspec.json.Decoder(Place)

# starts_with and not LIKE: a file's name may contain % and _.
BENEATH = "path = $1 OR starts_with(path, $2)"


_IS_FORGOTTEN = f"SELECT reason = '{Reason.FORGOTTEN}' FROM files WHERE path = $1"
_INDEXED = (
    "SELECT id, title FROM files"
    " WHERE path = $1 AND size = $2 AND mtime_ns = $3 AND kind = $4 AND outcome = 'indexed'"
)
_DIGESTS = """
    SELECT path, (
        SELECT encode(sha256(string_agg(digest, ''::bytea ORDER BY position)), 'hex')
        FROM passages WHERE file_id = files.id
    ) AS digest
    FROM files WHERE path > $1 AND EXISTS (SELECT FROM passages WHERE file_id = files.id)
    ORDER BY path LIMIT $2
"""
_HELD = """
    SELECT asked FROM unnest($1::text[]) AS asked
    WHERE EXISTS (SELECT FROM files WHERE path = asked COLLATE "C")
        OR EXISTS (SELECT FROM files WHERE path > (asked || $2) COLLATE "C" AND path < (asked || $3) COLLATE "C")
"""
"""Beneath a folder is what lies between its path with the separator and its path with the character after that."""
_TOO_LONG = f"starts_with(path, $1) AND octet_length($2 || substr(path, length($1) + 1)) > {PATH_BYTES_MAX}"
"""Entries beneath $1 whose paths beneath $2 the index could not hold, and no scan would find."""
_IN_THE_WAY = "path IN (SELECT $2 || substr(path, length($1) + 1) FROM files WHERE starts_with(path, $1))"
"""Entries whose paths the moved ones beneath $1 will get beneath $2."""


def digest(text: str) -> bytes:
    """Return the key of a passage's text among the vectors: its SHA-256."""
    return hashlib.sha256(text.encode()).digest()


class PostgresPassages:
    """The index of files and passages.

    Args:
        database: opened, with this module's `MIGRATIONS` applied.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = asyncio.Lock()

    async def known(self, folder: Path) -> Mapping[str, Stamp]:
        """See `ports.catalogue`."""
        with translated():
            rows = await self._database.pool.fetch(
                f"SELECT path, size, mtime_ns, inode FROM files WHERE {BENEATH}", *beneath(str(folder))
            )
        return {row["path"]: _stamp(row) for row in rows}

    async def readable(self, folder: Path) -> Mapping[str, Stamp]:
        """See `Passages.readable`."""
        with translated():
            rows = await self._database.pool.fetch(
                f"SELECT path, size, mtime_ns, inode FROM files WHERE outcome = 'indexed' AND ({BENEATH})",
                *beneath(str(folder)),
            )
        return {row["path"]: _stamp(row) for row in rows}

    async def held(self, paths: Sequence[str]) -> frozenset[str]:
        """See `ports.catalogue`."""
        with translated():
            rows = await self._database.pool.fetch(_HELD, paths, os.sep, chr(ord(os.sep) + 1))
        return frozenset(row["asked"] for row in rows)

    async def with_inodes(self, inodes: Sequence[int]) -> Mapping[str, Stamp]:
        """See `ports.catalogue`."""
        with translated():
            rows = await self._database.pool.fetch(
                "SELECT path, size, mtime_ns, inode FROM files"
                " WHERE inode = ANY($1::bigint[]) AND inode <> 0 AND outcome = 'indexed'",
                inodes,
            )
        return {row["path"]: _stamp(row) for row in rows}

    async def failed(self, folder: Path) -> Mapping[str, Reason]:
        """See `ports.catalogue`."""
        with translated():
            rows = await self._database.pool.fetch(
                f"SELECT path, reason FROM files WHERE outcome = 'failed' AND ({BENEATH})",
                *beneath(str(folder)),
            )
        return {row["path"]: _reason(row) for row in rows}

    async def outdated(self, folder: Path) -> frozenset[str]:
        """See `ports.catalogue`."""
        with translated():
            rows = await self._database.pool.fetch(
                f"SELECT path FROM files WHERE ("
                f"(outcome = 'indexed' AND (extractor < $3 OR words < $4))"
                f" OR (outcome = 'skipped' AND (extractor < $3 OR (detail = $5 AND $6)))) AND ({BENEATH})",
                *beneath(str(folder)),
                extractor.VERSION,
                words.VERSION,
                extractor.OCR_MISSING,
                tesseract.folder() is not None,
            )
        return frozenset(row["path"] for row in rows)

    async def entry_of(self, path: str) -> FileEntry | None:
        """See `ports.passages`."""
        with translated():
            row = await self._database.pool.fetchrow(
                "SELECT size, mtime_ns, inode, outcome, reason, detail, event_id FROM files WHERE path = $1",
                path,
            )
        if row is None:
            return None
        return FileEntry(
            path=path,
            stamp=_stamp(row),
            outcome=Outcome(row["outcome"]),
            reason=_reason(row),
            detail=row["detail"],
            event_id=row["event_id"],
        )

    async def store(self, entry: FileEntry, passages: Sequence[Passage]) -> bool:
        """See `ports.passages`."""
        async with self._writer() as connection:
            if await connection.fetchval(_IS_FORGOTTEN, entry.path) and entry.reason is not Reason.FORGOTTEN:
                return False
            file_id = await connection.fetchval(
                _PUT_FILE,
                entry.path,
                entry.stamp.size,
                entry.stamp.mtime_ns,
                entry.kind,
                entry.title,
                entry.outcome.value,
                entry.reason.value,
                storable(entry.detail),
                entry.event_id,
                extractor.VERSION,
                entry.stamp.inode,
                words.VERSION,
            )
            await postings.take_out(connection, [file_id])
            await _add(connection, file_id, entry.title, passages)
        return True

    async def remove(self, path: str, *, folder: bool = False) -> int:
        """See `ports.passages`. A folder goes in several steps; cancelled in between, the rest is still there."""
        removed = 0
        if folder:
            condition, among = BENEATH, beneath(path)
        else:
            condition, among = "path = $1", (path,)
        while True:
            async with self._writer() as connection:
                taken = await take_out(connection, f"{condition} LIMIT {BATCH}", *among)
            removed += taken
            if taken < BATCH:
                return removed

    async def move(self, old: str, new: str, stamp: Stamp) -> bool:
        """See `ports.passages`."""
        entry = FileEntry(path=new, stamp=stamp)
        async with self._writer() as connection:
            moved, there = [
                await connection.fetchrow(_INDEXED, path, stamp.size, stamp.mtime_ns, entry.kind)
                for path in (old, new)
            ]
            if moved is None:
                return there is not None
            await take_out(connection, "path = $1", new)
            if moved["title"] != entry.title:
                await _name_anew(connection, moved["id"], entry.title)
            await connection.execute(
                "UPDATE files SET path = $2, title = $3, inode = $4 WHERE id = $1",
                moved["id"],
                new,
                entry.title,
                stamp.inode,
            )
        return True

    async def move_folder(self, old: str, new: str) -> int:
        """See `ports.passages`."""
        old_beneath, new_beneath = beneath(old)[1], beneath(new)[1]
        async with self._writer() as connection:
            await take_out(connection, _IN_THE_WAY, old_beneath, new_beneath)
            await take_out(connection, _TOO_LONG, old_beneath, new_beneath)
            status = await connection.execute(
                "UPDATE files SET path = $2 || substr(path, length($1) + 1) WHERE starts_with(path, $1)",
                old_beneath,
                new_beneath,
            )
        return int(status.rpartition(" ")[2])

    async def find_words(self, query: str, limit: int, filters: Filters = EVERYTHING) -> Sequence[Found]:
        """See `ports.passages`."""
        with translated():
            rows = await keyword.find(self._database.pool, query, limit, filters)
        return [found(row) for row in rows]

    async def score_words(self, query: str, passages: Sequence[int]) -> Mapping[int, float]:
        """See `ports.passages`."""
        with translated():
            rows = await keyword.scores(self._database.pool, query, passages)
        return {row["passage_id"]: row["score"] for row in rows}

    async def folders_named(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """See `ports.passages`."""
        with translated():
            rows = await self._database.pool.fetch(FOLDERS)
        return await asyncio.to_thread(with_names, [row["folder"] for row in rows], names)

    async def read_words(self, query: str) -> Wording:
        """See `ports.passages`."""
        with translated():
            return await keyword.read_words(self._database.pool, query)

    async def digests(self, after: str, limit: int) -> Mapping[str, str]:
        """See `ports.passages`."""
        with translated():
            rows = await self._database.pool.fetch(_DIGESTS, after, limit)
        return {row["path"]: row["digest"] for row in rows}

    async def counts(self) -> Counts:
        """See `ports.passages`."""
        with translated():
            row = await self._database.pool.fetchrow(
                "SELECT count(*) FILTER (WHERE outcome = 'indexed') AS files,"
                " count(*) FILTER (WHERE outcome = 'failed') AS failed,"
                " count(*) FILTER (WHERE outcome = 'skipped') AS skipped,"
                " count(*) FILTER (WHERE outcome = 'indexed' AND reason <> '') AS partial,"
                " (SELECT passages FROM statistics) AS passages FROM files"
            )
        return Counts(**dict(row or {}))

    async def failures(self, limit: int, *, cursor: str = "") -> FailurePage | None:
        """See `ports.passages`."""
        try:
            outcome, at, number = (cursor or _FIRST_FAILURE).split()
            bound = (_RANKS.index(Outcome(outcome)), datetime.fromisoformat(at), int(number))
        except ValueError:
            return None
        if bound[1].tzinfo is None or not 0 <= bound[2] <= INT64_MAX:
            return None
        with translated():
            rows = await self._database.pool.fetch(
                "SELECT id, path, outcome, reason, detail, indexed_at FROM files"
                " CROSS JOIN LATERAL (SELECT array_position($5::text[], outcome) - 1 AS rank) AS ranked"
                " WHERE reason <> ''"
                " AND (rank > $1 OR (rank = $1 AND (indexed_at, id) < ($2, $3)))"
                " ORDER BY rank, indexed_at DESC, id DESC LIMIT $4",
                *bound,
                limit + 1,
                _RANKS,
            )
        found = rows[:limit]
        failures = tuple(
            FileFailure(
                path=row["path"],
                outcome=Outcome(row["outcome"]),
                reason=_reason(row),
                detail=row["detail"],
                at=row["indexed_at"].isoformat(),
            )
            for row in found
        )
        next_ = f"{failures[-1].outcome} {failures[-1].at} {found[-1]['id']}" if found else ""
        return FailurePage(failures=failures, more=len(rows) > limit, cursor=next_)

    @contextlib.asynccontextmanager
    async def _writer(self) -> "AsyncIterator[PoolConnectionProxy]":
        """A transaction without concurrent writers. The lock is taken first, to save the pool's connections."""
        with translated():
            async with (
                self._writing,
                self._database.pool.acquire() as connection,
                connection.transaction(),
            ):
                await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)
                yield connection


def found(row: asyncpg.Record) -> Found:
    """Convert a row of either search to the port's type."""
    return Found(
        passage_id=row["id"],
        path=row["path"],
        title=row["title"],
        kind=row["kind"],
        position=row["position"],
        text=row["body"],
        score=row["score"],
        place=_place_of(row),
        changed_ns=row["mtime_ns"],
    )


async def take_out(connection: "PoolConnectionProxy", condition: str, *among: object) -> int:
    """Remove files, within the caller's transaction; return how many."""
    rows = await connection.fetch(f"SELECT id FROM files WHERE {condition}", *among)
    if ids := [row["id"] for row in rows]:
        await postings.take_out(connection, ids)
        await connection.execute("DELETE FROM files WHERE id = ANY($1::bigint[])", ids)
    return len(ids)


async def _name_anew(connection: "PoolConnectionProxy", file_id: int, title: str) -> None:
    """Update the words of a file's name in the index of its passages."""
    rows = await connection.fetch(
        "SELECT body, place FROM passages WHERE file_id = $1 ORDER BY position", file_id
    )
    passages = [Passage(row["body"], _place_of(row)) for row in rows]
    await postings.take_out(connection, [file_id])
    await _add(connection, file_id, title, passages)


async def _add(
    connection: "PoolConnectionProxy", file_id: int, title: str, passages: Sequence[Passage]
) -> None:
    name = words.name_words(title)
    for start in range(0, len(passages), BATCH):
        batch = await asyncio.to_thread(_prepared, start, passages[start : start + BATCH], name)
        await postings.add(connection, file_id, batch)


def _place_of(row: asyncpg.Record) -> Place | None:
    with contextlib.suppress(
        msgspec.ValidationError
    ):  # a newer version's kind of place costs its passage alone
        return _place.decode(row["place"]) if row["place"] else None
    return None


def _reason(row: asyncpg.Record) -> Reason:
    """Return why a file has no text; a newer version's reason, which nobody can say here, is not told apart."""
    with contextlib.suppress(ValueError):
        return Reason(row["reason"])
    return Reason.BROKEN


def _stamp(row: asyncpg.Record) -> Stamp:
    return Stamp(size=row["size"], mtime_ns=row["mtime_ns"], inode=row["inode"])


def beneath(path: str) -> tuple[str, ...]:
    """Return the arguments of `BENEATH`."""
    return path, path.rstrip(os.sep) + os.sep


def storable(text: str) -> str:
    """Remove what PostgreSQL's text cannot contain, NUL and lone surrogates; broken files have both."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _prepared(start: int, passages: Sequence[Passage], name: str) -> list[postings.NewPassage]:
    prepared = []
    for position, passage in enumerate(passages, start):
        body = storable(passage.text)
        indexed = f"{words.indexed(body)} {name}"
        place = msgspec.json.encode(passage.place).decode() if passage.place else None
        prepared.append(
            postings.NewPassage(position=position, body=body, digest=digest(body), words=indexed, place=place)
        )
    return prepared
