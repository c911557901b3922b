"""`ports.facts.Facts` in PostgreSQL: each change is one transaction, and one at a time."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import (
    changing,
    deciding,
    forgetting,
    learning,
    limiting,
    listing,
    merging,
    rows,
    rules,
)
from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.adapters.postgres.faults import translated
from titan_desktop.contracts.memory import (
    CorrectFact,
    Entities,
    Entity,
    Fact,
    FactExplained,
    FactPage,
    ListEntities,
    ListFacts,
    MemoryVoid,
    Rule,
    RuleMade,
    RulesChanged,
    Void,
)
from titan_desktop.contracts.predicates import CODES
from titan_desktop.ports.facts import Changes, Events, FactsUnavailableError, Statement

MERGES_SHOWN = 50


class PostgresFacts:
    """`Facts` over a pool. Run `database.migrate(MIGRATIONS)` first, and the passages'."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, statement: Statement, *, proposed: bool) -> Events:
        """See `Facts.learn`."""
        async with self._writing() as connection:
            return await learning.learn(connection, statement, proposed=proposed)

    async def correct(self, command: CorrectFact, statement: Statement) -> Events:
        """See `Facts.correct`."""
        async with self._writing() as connection:
            return await learning.correct(connection, command, statement)

    async def close(self, fact_id: str, valid_to: datetime) -> Events:
        """See `Facts.close`."""
        async with self._writing() as connection:
            return await learning.close(connection, storable(fact_id), valid_to)

    async def pin(self, fact_id: str, *, pinned: bool) -> Events:
        """See `Facts.pin`."""
        async with self._writing() as connection:
            return await deciding.pin(connection, storable(fact_id), pinned=pinned)

    async def decide(self, fact_ids: Sequence[str], rule: Rule | None, *, accepts: bool) -> Events:
        """See `Facts.decide`."""
        async with self._writing() as connection:
            return await deciding.decide(connection, list(map(storable, fact_ids)), rule, accepts=accepts)

    async def drop_rule(self, rule: Rule) -> Events:
        """See `Facts.drop_rule`."""
        async with self._writing() as connection:
            if await rules.drop(connection, rule):
                return (RulesChanged(),)
        return (MemoryVoid(subject_id="", reason=Void.NOT_FOUND),)

    async def merge(self, merge_id: str, kept_id: str, merged_id: str, event_id: str) -> Events:
        """See `Facts.merge`."""
        async with self._writing() as connection:
            return await merging.merge(
                connection, storable(merge_id), storable(kept_id), storable(merged_id), event_id
            )

    async def undo_merge(self, merge_id: str) -> Events:
        """See `Facts.undo_merge`."""
        async with self._writing() as connection:
            return await merging.undo(connection, storable(merge_id))

    async def forget_fact(self, fact_id: str) -> Events:
        """See `Facts.forget_fact`."""
        async with self._writing() as connection:
            return await forgetting.forget_fact(connection, storable(fact_id))

    async def forget_entity(self, entity_id: str) -> Events:
        """See `Facts.forget_entity`."""
        async with self._writing() as connection:
            return await forgetting.forget_entity(connection, storable(entity_id))

    async def forget_conversation(self, conversation_id: str) -> Events:
        """See `Facts.forget_conversation`."""
        async with self._writing() as connection:
            return await forgetting.forget_conversation(connection, storable(conversation_id))

    async def keep(self, most: int) -> Events:
        """See `Facts.keep`."""
        async with self._writing() as connection:
            return await limiting.keep(connection, most)

    async def note_used(self, fact_ids: Sequence[str]) -> None:
        """See `Facts.note_used`."""
        async with self._writing() as connection:
            await limiting.note_used(connection, list(map(storable, fact_ids)))

    async def page(self, wanted: ListFacts) -> FactPage | None:
        """See `Facts.page`."""
        async with self._snapshot() as connection:
            return await listing.page(connection, wanted)

    async def recall(self, question: str, limit: int) -> Sequence[Fact]:
        """See `Facts.recall`."""
        wanted = ListFacts(words=question, as_of=datetime.now(UTC).isoformat(), limit=limit)
        async with self._snapshot() as connection:
            page = await listing.page(connection, wanted)
        return () if page is None or not question.strip() else page.facts

    async def explain(self, fact_id: str) -> FactExplained | None:
        """See `Facts.explain`."""
        async with self._snapshot() as connection:
            return await listing.explain(connection, storable(fact_id))

    async def entities(self, wanted: ListEntities) -> Entities:
        """See `Facts.entities`."""
        limit = max(1, min(wanted.limit, listing.MOST))
        async with self._snapshot() as connection:
            found = await listing.entities(connection, wanted.words, wanted.kind, limit + 1)
            return Entities(
                entities=tuple(map(rows.to_entity, found[:limit])),
                proposals=await merging.proposed(connection, MERGES_SHOWN),
                merges=await merging.made(connection, MERGES_SHOWN),
                more=len(found) > limit,
            )

    async def named(self, entity_ids: Sequence[str]) -> Sequence[Entity]:
        """See `Facts.named`."""
        async with self._snapshot() as connection:
            found = await connection.fetch(f"{rows.ENTITY} WHERE id = ANY($1::text[])", list(entity_ids))
        return tuple(map(rows.to_entity, found))

    async def predicates(self, fact_ids: Sequence[str]) -> Mapping[str, str]:
        """See `Facts.predicates`."""
        async with self._snapshot() as connection:
            found = await connection.fetch(
                "SELECT id, predicate FROM facts WHERE id = ANY($1::text[])", list(fact_ids)
            )
        return {row["id"]: row["predicate"] for row in found}

    async def rules(self) -> Sequence[RuleMade]:
        """See `Facts.rules`."""
        async with self._snapshot() as connection:
            return await rules.read(connection)

    async def changes(self, after: int, limit: int) -> Changes:
        """See `Facts.changes`."""
        async with self._snapshot() as connection:
            return await changing.changes(connection, after, limit, CODES)

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        with translated(FactsUnavailableError):
            async with self._database.pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", rows.WRITING)
                yield connection

    @contextlib.asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        with translated(FactsUnavailableError):
            async with (
                self._database.pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield connection
