"""Reads facts: pages as of a date, by words, with their history. Within the caller's snapshot."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from titan_desktop.adapters.postgres.facts import rows
from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.adapters.postgres.text import asking
from titan_desktop.contracts.memory import EntityKind, Fact, FactExplained, FactPage, FactState, ListFacts
from titan_desktop.ports.facts import plain

MOST = 500
_RANKED = 2_000
"""The most facts that are ranked for a query."""

# A fact has a word in its text, or in a name of what it is about. A word that fewer facts have counts more: the
# idf is Lucene's, as in `keyword`. A fact is short, so its length counts nothing.
_BY_WORDS = """
    WITH asked AS (
        SELECT word, share, plainto_tsquery('titan', form) AS query
        FROM unnest($1::text[], $2::text[], $3::float8[]) AS a (word, form, share)
    ), met AS (
        SELECT facts.id, word, share FROM asked JOIN facts ON facts.words @@ query
        UNION ALL
        SELECT facts.id, word, share FROM asked JOIN entity_names ON entity_names.words @@ query
            JOIN entities AS named ON named.id = entity_id
            JOIN entities AS one ON one.root_id = named.root_id
            JOIN facts ON facts.subject_id = one.id OR facts.object_id = one.id
    ), hit AS (
        SELECT id, word, max(share) AS share FROM met GROUP BY id, word
    ), frequency AS (
        SELECT word, count(*) AS n FROM hit GROUP BY word
    ), total AS (
        SELECT count(*) AS n FROM facts
    )
    SELECT id, sum(share * ln(1 + (total.n - frequency.n + 0.5) / (frequency.n + 0.5)))::float8 AS score
    FROM hit JOIN frequency USING (word), total GROUP BY id ORDER BY score DESC, id DESC LIMIT $4
"""


@dataclass(slots=True)
class _Query:
    """Conditions with their values: `$1`, `$2` … in the order in which they are added."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def value(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


async def page(connection: Connection, wanted: ListFacts) -> FactPage | None:
    """See `Facts.page`."""
    try:
        known_at, as_of = _time(wanted.known_at), _time(wanted.as_of)
    except ValueError:
        return None
    query = _Query()
    _restrict(query, wanted, as_of, known_at)
    limit = max(1, min(wanted.limit, MOST))
    if wanted.words.strip():
        found = await _ranked(connection, query, wanted.words, wanted.cursor, limit)
    else:
        found = await _newest(connection, query, wanted.cursor, limit)
    if found is None:
        return None
    matching, cursor = found
    return FactPage(
        facts=_distinct([rows.to_fact(row, known_at) for row in matching]), more=bool(cursor), cursor=cursor
    )


async def explain(connection: Connection, fact_id: str) -> FactExplained | None:
    """See `Facts.explain`."""
    row = await connection.fetchrow(f"{rows.FACT} WHERE facts.id = $1", fact_id)
    if row is None:
        return None
    history = await connection.fetch(
        f"""
        WITH RECURSIVE former AS (
            SELECT corrects AS id FROM facts WHERE id = $1
            UNION
            SELECT facts.corrects FROM facts JOIN former ON facts.id = former.id
        )
        {rows.FACT} WHERE facts.id IN (SELECT id FROM former) OR facts.closed_by = $1 OR facts.corrects = $1
            OR facts.id = (SELECT closed_by FROM facts WHERE id = $1)
        ORDER BY facts.valid_from, facts.created_at, facts.id
        """,
        fact_id,
    )
    return FactExplained(
        fact=rows.to_fact(row), event_id=row["event_id"], history=tuple(map(rows.to_fact, history))
    )


async def entities(
    connection: Connection, words: str, kind: EntityKind | None, limit: int
) -> list[asyncpg.Record]:
    """Return the rows of entities with these parts of a name, those with the most facts first."""
    return await connection.fetch(
        f"""
        SELECT * FROM ({rows.ENTITY} WHERE id = root_id AND ($1 = '' OR EXISTS (
            SELECT FROM entity_names JOIN entities AS one ON one.id = entity_id
            WHERE one.root_id = entities.id AND strpos(key, $1) > 0
        )) AND ($2::text IS NULL OR kind = $2) AND ($2 IS NOT NULL OR kind NOT IN ('conversation', 'file', 'day')))
        AS found WHERE facts > 0 OR $1 <> '' ORDER BY facts DESC, id LIMIT $3
        """,
        plain(words),
        None if kind is None else kind.value,
        limit,
    )


def _restrict(query: _Query, wanted: ListFacts, as_of: datetime | None, known_at: datetime | None) -> None:
    ends, state = "facts.valid_to", "facts.state"
    if known_at is not None:
        known = query.value(known_at)
        ends = f"CASE WHEN facts.closed_at <= {known} THEN facts.valid_to END"
        query.conditions.append(f"facts.learned_at <= {known}")
        state = f"CASE WHEN facts.corrected_at > {known} THEN 'holds' ELSE facts.state END"
    query.conditions.append(f"{state} = {query.value(wanted.state.value)}")
    if wanted.entity_id:
        one = query.value(storable(wanted.entity_id))
        root = f"(SELECT root_id FROM entities WHERE id = {one})"
        query.conditions.append(f"(subject.root_id = {root} OR target.root_id = {root})")
    if wanted.state is not FactState.HOLDS or (wanted.all_times and not wanted.ended):
        return
    if wanted.ended:
        query.conditions.append(f"{ends} <= {'now()' if as_of is None else query.value(as_of)}")
    elif as_of is not None:
        then = query.value(as_of)
        query.conditions.append(f"facts.valid_from <= {then} AND coalesce({ends} > {then}, true)")
    else:
        query.conditions.append(f"coalesce({ends} > now(), true)")


async def _newest(
    connection: Connection, query: _Query, cursor: str, limit: int
) -> tuple[list[asyncpg.Record], str] | None:
    if cursor:
        try:
            pinned, at, fact_id = cursor.split(" ")
            place = (pinned == "1", datetime.fromisoformat(at), storable(fact_id))
        except ValueError:
            return None
        values = ", ".join(query.value(value) for value in place)
        query.conditions.append(f"(facts.pinned, facts.learned_at, facts.id) < ({values})")
    found = await connection.fetch(
        f"{rows.FACT} WHERE {' AND '.join(query.conditions)}"
        f" ORDER BY facts.pinned DESC, facts.learned_at DESC, facts.id DESC LIMIT {query.value(limit + 1)}",
        *query.values,
    )
    if len(found) <= limit:
        return found, ""
    last = found[limit - 1]
    return found[:limit], f"{last['pinned']:d} {last['learned_at'].astimezone(UTC).isoformat()} {last['id']}"


async def _ranked(
    connection: Connection, query: _Query, words: str, cursor: str, limit: int
) -> tuple[list[asyncpg.Record], str] | None:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 6):  # noqa: PLR2004
        return None
    begin = int(cursor or 0)
    ranking = await _scores(connection, words)
    query.conditions.append(f"facts.id = ANY({query.value(list(ranking))}::text[])")
    found = await connection.fetch(f"{rows.FACT} WHERE {' AND '.join(query.conditions)}", *query.values)
    found.sort(key=lambda row: (-ranking[row["id"]], row["id"]))
    rest = found[begin : begin + limit]
    return rest, str(begin + limit) if len(found) > begin + limit else ""


async def _scores(connection: Connection, words: str) -> dict[str, float]:
    """Return the score of each fact that has a word of a query which tells, or of any if none does."""
    asked = asking.read(words).asked
    spelt = [(one.word, form, share) for one in asked if one.tells for form, share in one.words.items()]
    if not spelt:
        return {}
    found = await connection.fetch(_BY_WORDS, *(list(column) for column in zip(*spelt, strict=True)), _RANKED)
    return {row["id"]: row["score"] for row in found}


def _distinct(facts: list[Fact]) -> tuple[Fact, ...]:
    """Leave out what says word for word the same of the same at the same time as one before it."""
    seen = dict[tuple[str, str, str, str], Fact]()
    for fact in facts:
        seen.setdefault((fact.subject_id, plain(fact.text) or fact.id, fact.valid_from, fact.valid_to), fact)
    return tuple(seen.values())


def _time(text: str) -> datetime | None:
    """Read a time of the contracts, None for "".

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
