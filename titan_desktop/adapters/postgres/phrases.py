"""Passages that have an exact phrase, as a query puts it in quotes. `keyword` calls this."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import asyncpg

from titan_desktop.adapters.postgres.filtering import condition
from titan_desktop.adapters.postgres.terms import known_words
from titan_desktop.adapters.postgres.text.asking import Query, in_words
from titan_desktop.contracts.search import Filters

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

MOST_READ = 500
"""The most passages with all the words of the phrases that are read to see whether the words are in order."""

_WITH_ALL = f"""
    SELECT passages.id, title, body
    FROM (SELECT passage_id FROM all_postings WHERE term_id = $1 OFFSET 0) AS met
    JOIN passages ON passages.id = met.passage_id
    JOIN files ON files.id = passages.file_id
    WHERE passages.terms @> $2::int[] AND {{condition}}
    LIMIT {MOST_READ}
"""


async def with_phrases(
    connection: "PoolConnectionProxy", query: Query, filters: Filters
) -> Sequence[int] | None:
    """Return the numbers of passages with all phrases of a query in their text or name.

    None if there is no phrase, or no such passage: then the words are searched as if they had no quotes.
    """
    words = {word for _, phrase in query.phrases for word in phrase}
    if not words:
        return None
    known = await known_words(connection, words)
    if len(known) < len(words):
        return None
    terms = {number: df for word in words for number, df in known[word]}
    allowed, arguments = condition(filters, 3)
    rarest = min(terms, key=lambda number: terms[number])
    rows = await connection.fetch(_WITH_ALL.format(condition=allowed), rarest, list(terms), *arguments)
    return await asyncio.to_thread(_in_order, rows, [phrase for _, phrase in query.phrases]) or None


def _in_order(rows: Sequence[asyncpg.Record], phrases: Sequence[Sequence[str]]) -> list[int]:
    found = []
    for row in rows:
        text = f" {' '.join(in_words(row['body']))} \n {' '.join(in_words(row['title']))} "
        if all(f" {' '.join(phrase)} " in text for phrase in phrases):
            found.append(row["id"])
    return found
