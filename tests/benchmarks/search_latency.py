"""How long the keyword leg takes among many passages.

`python -m tests.benchmarks.search_latency [--passages 100000]`

The text is synthetic: 120,000 words drawn by Zipf's law, 160 to a passage, ten passages to a file, through
the real tables by COPY. The questions have three to twelve words drawn from one passage, so they hold the
commonest words and rare ones, as a person's do.
"""

import argparse
import asyncio
import bisect
import random
import statistics
import time
from collections import Counter
from hashlib import sha256
from itertools import accumulate

from tests import servers
from titan_desktop.adapters.postgres import postings
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import MIGRATIONS, PostgresPassages

VOCABULARY = 120_000
LENGTH = 160
PER_FILE = 10
QUESTIONS = 400
BATCH = 2_000
SEGMENT = 4_096


class Zipf:
    """Draws word numbers, the commonest first: the n-th word is n times rarer than the first."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._sums = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def passage(self) -> list[int]:
        total = self._sums[-1]
        return [1 + bisect.bisect(self._sums, self._random.random() * total) for _ in range(LENGTH)]


def word(number: int) -> str:
    """A word that no stemmer changes and no number resembles: base 16 in consonants."""
    return "".join("bcdfghjklmnpqrtv"[int(digit, 16)] for digit in f"{number:05x}")


async def load(database: Database, passages: int) -> list[list[int]]:
    """Fill the tables; return some passages to draw questions from."""
    zipf, frequencies, kept = Zipf(1), Counter[int](), []
    async with database.pool.acquire() as connection:
        await connection.copy_records_to_table(
            "files",
            records=[
                (number, f"/d/{number}.txt", 1, 1, "txt", f"{number}.txt", "indexed", "", "", "")
                for number in range(passages // PER_FILE + 1)
            ],
            columns=(
                "id",
                "path",
                "size",
                "mtime_ns",
                "kind",
                "title",
                "outcome",
                "reason",
                "detail",
                "event_id",
            ),
        )
        for start in range(0, passages, BATCH):
            rows = []
            for number in range(start, min(start + BATCH, passages)):
                drawn = zipf.passage()
                bag = Counter(drawn)
                frequencies.update(bag.keys())
                if number % (passages // QUESTIONS) == 0:
                    kept.append(drawn)
                body = " ".join(map(word, drawn))
                rows.append(
                    (
                        number + 1,
                        number // PER_FILE,
                        number % PER_FILE,
                        LENGTH,
                        list(bag),
                        bytes(bag.values()),
                        sha256(body.encode()).digest(),
                        body,
                    )
                )
            await connection.copy_records_to_table(
                "passages",
                records=rows,
                columns=("id", "file_id", "position", "length", "terms", "tfs", "digest", "body"),
            )
        await connection.copy_records_to_table(
            "terms",
            records=[(number, word(number), df) for number, df in frequencies.items()],
            columns=("id", "term", "df"),
        )
        await connection.execute(
            "UPDATE statistics SET passages = $1, length = $2", passages, passages * LENGTH
        )
        for last in range(SEGMENT, passages, SEGMENT):
            await connection.execute(postings.PACK, last)
        await connection.execute("VACUUM ANALYZE")
    return kept


async def measure(search: PostgresPassages, sources: list[list[int]]) -> list[float]:
    """Milliseconds of each question, the first of a word count unwarmed."""
    drawn, taken = random.Random(2), []
    for place, source in enumerate(sources):
        start = drawn.randrange(LENGTH - 12)
        query = " ".join(map(word, source[start : start + 3 + place % 10]))
        began = time.perf_counter()
        found = await search.find_words(query, 100)
        taken.append((time.perf_counter() - began) * 1000)
        assert found
    return taken


async def main(passages: int) -> None:
    with servers.short_folder() as folder, servers.postgres(folder) as ways:
        database = Database(ways["socket"])
        await database.open()
        await database.migrate(MIGRATIONS)
        began = time.perf_counter()
        sources = await load(database, passages)
        print(f"{passages} passages loaded in {time.perf_counter() - began:.0f} s")
        size = await database.pool.fetchval(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        print(f"all tables: {size / passages / 1024:.1f} KB a passage (issue: at most 6 without vectors)")
        search = PostgresPassages(database)
        for run in ("first", "second"):
            taken = sorted(await measure(search, sources))
            p95 = taken[int(len(taken) * 0.95)]
            print(
                f"{run} run: p50 {statistics.median(taken):6.1f} ms   p95 {p95:6.1f} ms   max {taken[-1]:6.1f} ms"
                f"   of {len(taken)} questions (design: p95 under 50 ms)"
            )
        await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    asyncio.run(main(parser.parse_args().passages))
