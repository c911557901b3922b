"""Messages as an index: `ports.turns` on PostgreSQL.

The tables are those of `passages` a second time, in the schema `said`: a "file" is a message, its `path` the
message's id, its `title` the conversation's, its first passage the message alone, with all its words, its second
one, with no words, the message after the one before it. So both indexes have one code, and no question about files
meets a message. The history is in the schema `public`, which the search path names second.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from titan_desktop.adapters.postgres import keyword, passages, postings, vectors
from titan_desktop.adapters.postgres.database import Database, Migration
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.adapters.postgres.history.rows import to_conversation
from titan_desktop.adapters.postgres.passages import WRITER_LOCK, digest
from titan_desktop.adapters.postgres.text import words
from titan_desktop.contracts.chat import Conversation
from titan_desktop.contracts.recall import imported_conversation, imported_message
from titan_desktop.ports.turns import Imported, Turn

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

SCHEMA = "said"
OWN_WEIGHT = 3
"""How often a message's own words count against those of its neighbours (measured, `tests/benchmarks`)."""
NEIGHBOUR_CHARACTERS = 600
"""Of a neighbour: what it begins with."""
OWN_CHARACTERS = 10_000
"""Of a message: words beyond are not found. Counted three times, more would not fit into a length."""
VECTOR_CHARACTERS = 1_600
"""Of a message: an embedder reads no more at once."""
BATCH = 32
"""Messages indexed in one transaction."""
VERSION = 1
"""Of how messages are indexed: a conversation that was indexed by another is indexed again."""

HISTORY_MIGRATIONS = (
    Migration("turns-schema", f"CREATE SCHEMA {SCHEMA}"),
    Migration(
        "turns-imported",
        """
        -- An imported conversation may begin with an answer; `imported_id` is the id that it had there.
        DO $$ DECLARE name text; BEGIN
            SELECT conname INTO name FROM pg_constraint WHERE conrelid = 'messages'::regclass AND contype = 'c'
                AND pg_get_constraintdef(oid) LIKE '%role%';
            EXECUTE format('ALTER TABLE messages DROP CONSTRAINT %I', name);
        END $$;
        ALTER TABLE messages ADD COLUMN speaker text NOT NULL DEFAULT '',
            ADD COLUMN imported_id text NOT NULL DEFAULT '';
        """,
    ),
)
"""In the schema of the history."""

MIGRATIONS = (
    *passages.MIGRATIONS,
    *vectors.MIGRATIONS,
    Migration(
        "turns-001",
        """
        CREATE INDEX files_of_conversation ON files (title);
        -- What the index has of each conversation.
        CREATE TABLE caught_up (
            conversation_id text PRIMARY KEY,
            updated_at timestamptz NOT NULL,
            leaf_id text,
            version int NOT NULL
        );
        """,
    ),
)
"""In the schema `said`."""

_BEHIND = """
    SELECT c.id FROM public.conversations c LEFT JOIN caught_up u ON u.conversation_id = c.id
    WHERE c.deleted_at IS NULL AND (u.updated_at, u.leaf_id, u.version)
        IS DISTINCT FROM (c.updated_at, c.leaf_id, $1::int)
    UNION ALL
    SELECT u.conversation_id FROM caught_up u WHERE NOT EXISTS (
        SELECT FROM public.conversations c WHERE c.id = u.conversation_id AND c.deleted_at IS NULL
    )
"""
_SAID = """
    SELECT m.id, m.role, m.speaker, m.text, m.created_at FROM public.messages m
    JOIN public.conversations c ON c.id = m.conversation_id
    WHERE c.id = $1 AND c.deleted_at IS NULL AND m.active AND m.text <> ''
        AND m.state IN ('complete', 'stopped') AND m.kind = 'model'
    ORDER BY m.depth
"""
_TURNS = """
    SELECT m.id, m.imported_id, m.conversation_id, c.title, m.role, m.speaker, m.text, m.created_at,
        coalesce(m.parent_id, '') AS before, coalesce(next.id, '') AS after, own.passages
    FROM public.messages m
    JOIN public.conversations c ON c.id = m.conversation_id AND c.deleted_at IS NULL
    LEFT JOIN public.messages next ON next.parent_id = m.id AND next.active
    JOIN LATERAL (
        SELECT array_agg(p.id ORDER BY p.position) AS passages
        FROM files f JOIN passages p ON p.file_id = f.id WHERE f.path = m.id
    ) AS own ON own.passages IS NOT NULL
    WHERE m.id = ANY($1::text[]) AND m.active
"""
_PUT = """
    INSERT INTO files (path, size, mtime_ns, kind, title, outcome, reason, detail, event_id)
    VALUES ($1, 0, $2, $3, $4, 'indexed', '', '', $5)
    ON CONFLICT (path) DO UPDATE SET event_id = excluded.event_id RETURNING id
"""
_INSERT = """
    INSERT INTO public.messages (id, conversation_id, parent_id, depth, active, event_id, role, text, state,
        created_at, speaker, imported_id)
    VALUES ($1, $2, $3, $4, true, $5, $6, $7, 'complete', $8, $9, $10)
"""
_MONTHS = (
    ("January", "январь"), ("February", "февраль"), ("March", "март"), ("April", "апрель"), ("May", "май"),
    ("June", "июнь"), ("July", "июль"), ("August", "август"), ("September", "сентябрь"), ("October", "октябрь"),
    ("November", "ноябрь"), ("December", "декабрь"),
)  # fmt: skip


class PostgresTurns:
    """The index of messages.

    Args:
        database: opened over the schema `said`, with this module's `MIGRATIONS` applied.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def behind(self) -> Sequence[str]:
        """See `ports.turns`."""
        with translated():
            return [row["id"] for row in await self._database.pool.fetch(_BEHIND, VERSION)]

    async def catch_up(self, conversation_id: str) -> int:
        """See `ports.turns`. Few messages a transaction: the writer of files waits for no long conversation."""
        with translated():
            pool = self._database.pool
            mark = await pool.fetchrow(
                "SELECT updated_at, leaf_id FROM public.conversations WHERE id = $1 AND deleted_at IS NULL",
                conversation_id,
            )
            said = await pool.fetch(_SAID, conversation_id)
            known = {
                row["path"]: row["event_id"]
                for row in await pool.fetch(
                    "SELECT path, event_id FROM files WHERE title = $1", conversation_id
                )
            }
            wanted = await asyncio.to_thread(lambda: {one.id: one for one in _entries(said)})
            changed = [one for one in wanted.values() if known.get(one.id) != one.mark]
            gone = [path for path in known if path not in wanted]
            for start in range(0, len(changed), BATCH):
                await self._store(conversation_id, changed[start : start + BATCH])
            if gone:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)
                    await passages.take_out(connection, "path = ANY($1::text[])", gone)
            if mark is None:
                await pool.execute("DELETE FROM caught_up WHERE conversation_id = $1", conversation_id)
            else:
                await pool.execute(
                    "INSERT INTO caught_up VALUES ($1, $2, $3, $4) ON CONFLICT (conversation_id)"
                    " DO UPDATE SET updated_at = $2, leaf_id = $3, version = $4",
                    conversation_id, mark["updated_at"], mark["leaf_id"], VERSION,
                )  # fmt: skip
        return len(changed) + len(gone)

    async def _store(self, conversation_id: str, entries: Sequence["_Entry"]) -> None:
        async with self._database.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER_LOCK)
            for entry in entries:
                number = await connection.fetchval(
                    _PUT, entry.id, entry.said_ns, entry.role, conversation_id, entry.mark
                )
                await postings.take_out(connection, [number])
                await postings.add(connection, number, entry.passages)

    async def find_words(self, query: str, limit: int) -> Mapping[str, float]:
        """See `ports.turns`."""
        with translated():
            rows = await keyword.find(self._database.pool, query, limit)
        return {row["path"]: row["score"] for row in rows}

    async def turns(self, messages: Sequence[str]) -> Mapping[str, Turn]:
        """See `ports.turns`."""
        with translated():
            rows = await self._database.pool.fetch(_TURNS, messages)
        return {row["id"]: _turn(row) for row in rows}

    async def bring_in(
        self, batch: Sequence[Imported], *, event_id: str
    ) -> Sequence[tuple[Conversation, int]]:
        """See `ports.turns`."""
        new = Counter[str]()
        with translated():
            async with self._database.pool.acquire() as connection, connection.transaction():
                for one in sorted(batch, key=lambda message: message.conversation):
                    conversation_id = imported_conversation(one.conversation)
                    new[conversation_id] += await _bring_in(connection, conversation_id, one, event_id)
                rows = await connection.fetch(
                    "SELECT id, title, created_at, updated_at FROM public.conversations"
                    " WHERE id = ANY($1::text[]) AND deleted_at IS NULL",
                    list(new),
                )
        return [(to_conversation(row), new[row["id"]]) for row in rows]


async def _bring_in(
    connection: "PoolConnectionProxy", conversation_id: str, one: Imported, event_id: str
) -> bool:
    said_at = datetime.fromisoformat(one.said_at)
    await connection.execute(
        "INSERT INTO public.conversations (id, title, title_event_id, event_id, created_at, updated_at)"
        " VALUES ($1, $2, $3, $3, least($4, now()), least($4, now())) ON CONFLICT (id) DO NOTHING",
        conversation_id, passages.storable(one.conversation)[:200], event_id, said_at,
    )  # fmt: skip
    there = await connection.fetchrow(
        "SELECT leaf_id, deleted_at FROM public.conversations WHERE id = $1 FOR UPDATE", conversation_id
    )
    message_id = imported_message(one.conversation, one.id)
    known = await connection.fetchval("SELECT true FROM public.messages WHERE id = $1", message_id)
    if known or there is None or there["deleted_at"] is not None:
        return False
    depth = await connection.fetchval("SELECT depth + 1 FROM public.messages WHERE id = $1", there["leaf_id"])
    await connection.execute(
        _INSERT, message_id, conversation_id, there["leaf_id"], depth or 0, event_id, one.role,
        passages.storable(one.text), said_at, passages.storable(one.speaker), passages.storable(one.id),
    )  # fmt: skip
    await connection.execute(
        "UPDATE public.conversations SET leaf_id = $2, updated_at = greatest(updated_at, least($3, now()))"
        " WHERE id = $1",
        conversation_id, message_id, said_at,
    )  # fmt: skip
    return True


class _Entry:
    """A message as it is indexed. `mark` changes with all that is indexed of it."""

    def __init__(self, row: "asyncpg.Record", before: str, after: str) -> None:
        said_at: datetime = row["created_at"]
        self.id: str = row["id"]
        self.role: str = row["role"]
        self.said_ns = int(said_at.timestamp() * 1_000_000) * 1_000
        own = f"{row['speaker']}: {row['text']}" if row["speaker"] else row["text"]
        own = own[:OWN_CHARACTERS]
        indexed = " ".join(map(words.indexed, (_day(said_at), *[own] * OWN_WEIGHT, before, after)))
        around = f"{_day(said_at)}. {before}. {own}"
        self.passages = [
            _passage(0, own[:VECTOR_CHARACTERS], indexed),
            _passage(1, around[: NEIGHBOUR_CHARACTERS + VECTOR_CHARACTERS], ""),
        ]
        self.mark = digest(f"{indexed}\0{around}").hex()[:32]


def _entries(rows: Sequence["asyncpg.Record"]) -> Iterator[_Entry]:
    texts = [row["text"][:NEIGHBOUR_CHARACTERS] for row in rows]
    for row, (before, after) in zip(rows, _around(texts), strict=True):
        yield _Entry(row, before, after)


def _around(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return the texts before and after each."""
    return zip(["", *texts[:-1]], [*texts[1:], ""], strict=True) if texts else iter(())


def _passage(position: int, body: str, indexed: str) -> postings.NewPassage:
    return postings.NewPassage(position=position, body=body, digest=digest(body), words=indexed, place=None)


def _day(at: datetime) -> str:
    english, russian = _MONTHS[at.month - 1]
    return f"{at:%Y-%m-%d} {at.day} {english} {russian} {at.year}"


def _turn(row: "asyncpg.Record") -> Turn:
    fields: dict[str, Any] = dict(row)
    said_at = (
        fields.pop("created_at").astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    number = fields.pop("imported_id") or fields["id"]
    return Turn(number=number, said_at=said_at, **{**fields, "passages": tuple(fields["passages"])})
