"""How long a search takes among many passages, what the vector leg misses, and what the index weighs.

`python -m tests.benchmarks.search_latency [--passages 100000]`

The text is synthetic: 120,000 words drawn by Zipf's law, 160 to a passage, ten passages to a file. The vectors
are made: 384 numbers scattered about 2,000 centres, which are scattered about 40, as subjects are in a home.
Both come into the real tables by COPY, and are asked for through the search's own code; the embedder's time is
not in it. The questions have three to twelve words drawn from one passage, so they hold the commonest words and
rare ones, as a person's do, and a vector near that passage's.

Ends with 1 when a figure is not what the design says.
"""

import argparse
import asyncio
import bisect
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from tests import servers
from titan_desktop.adapters.postgres import postings, schema
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.passages import PostgresPassages, digest
from titan_desktop.adapters.postgres.vectors import PostgresVectors
from titan_desktop.contracts.search import EVERYTHING, Filters, Search
from titan_desktop.services.search.searcher import Searcher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

VOCABULARY = 120_000
LENGTH = 160
PER_FILE = 10
SIZE = 384
QUESTIONS = 400
RECALLS = 100
DEPTH = 10
BATCH = 2_000
SEGMENT = 4_096
MODEL = "made"
P95_MS = 50.0
RECALL = 0.98
BYTES_WITHOUT, BYTES_WITH = 6_144, 8_192

FILTERS = (("no filter", EVERYTHING), ("10 %", Filters(kinds=("pdf",))), ("1 %", Filters(kinds=("odt",))))


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


def made(passages: int) -> "Numbers":
    """One vector a passage, of length 1: those of a subject are nearer to each other than to others."""
    import numpy as np

    drawn = np.random.default_rng(7)

    def around(centres: "Numbers", number: int, apart: float) -> "Numbers":
        chosen = centres[drawn.integers(len(centres), size=number)]
        scattered = chosen + apart * drawn.standard_normal(chosen.shape, dtype=np.float32) / math.sqrt(SIZE)
        return np.asarray(scattered / np.linalg.norm(scattered, axis=1, keepdims=True), dtype=np.float32)

    subjects = around(np.ones((1, SIZE), dtype=np.float32) / math.sqrt(SIZE), 40, 0.8)
    return around(around(subjects, 2_000, 0.6), passages, 0.5)


def path(file: int) -> str:
    """A tenth of the files are PDFs, a hundredth are of OpenDocument."""
    return f"/d/{file % 100}/{file}.{'odt' if file % 100 == 1 else 'pdf' if file % 10 == 0 else 'txt'}"


async def load(database: Database, passages: int) -> tuple[list[list[int]], list[bytes]]:
    """Fill the tables; return some passages to draw questions from, and the digests of all."""
    zipf, frequencies, kept, digests = Zipf(1), Counter[int](), [], list[bytes]()
    async with database.pool.acquire() as connection:
        records = []
        for number in range(passages // PER_FILE + 1):
            name = path(number).rsplit("/", 1)[1]
            records.append((number, path(number), 1, 1, name.rsplit(".", 1)[1], name, "indexed", "", "", ""))
        await connection.copy_records_to_table(
            "files",
            records=records,
            columns=(
                "id", "path", "size", "mtime_ns", "kind", "title", "outcome", "reason", "detail", "event_id"
            ),
        )  # fmt: skip
        for start in range(0, passages, BATCH):
            rows = []
            for number in range(start, min(start + BATCH, passages)):
                drawn = zipf.passage()
                bag = Counter(drawn)
                frequencies.update(bag.keys())
                if number % (passages // QUESTIONS) == 0:
                    kept.append(drawn)
                body = " ".join(map(word, drawn))
                digests.append(digest(body))
                rows.append(
                    (
                        number + 1, number // PER_FILE, number % PER_FILE, LENGTH, list(bag), bytes(bag.values()),
                        digests[-1], body,
                    )
                )  # fmt: skip
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
    return kept, digests


async def load_vectors(database: Database, vectors: "Numbers", digests: Sequence[bytes]) -> None:
    """Store all vectors at once; the index is made behind them, by the same statement as before them."""
    store = PostgresVectors(database)
    body = await database.pool.fetchval("SELECT body FROM passages WHERE digest = $1", digests[0])
    await store.store(MODEL, {body: vectors[0].tolist()})
    async with database.pool.acquire() as connection:
        model = await connection.fetchval("SELECT id FROM models")
        made = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexdef LIKE '%hnsw%'")
        await connection.execute(f"DROP INDEX vectors_of_model_{model}")
        await connection.execute("CREATE TEMP TABLE made (digest bytea, embedding real[])")
        for start in range(1, len(digests), BATCH):
            batch = zip(digests[start : start + BATCH], vectors[start : start + BATCH], strict=True)
            await connection.copy_records_to_table(
                "made", records=[(key, vector.tolist()) for key, vector in batch]
            )
        await connection.execute(
            "INSERT INTO vectors (model_id, digest, embedding)"
            " SELECT $1, digest, embedding::halfvec FROM made ON CONFLICT DO NOTHING",
            model, timeout=600,
        )  # fmt: skip
        await connection.execute("SET maintenance_work_mem = '512MB'")
        await connection.execute(made, timeout=3_600)


class Made:
    """The embedder of the questions: it has their vectors and takes no time."""

    model = MODEL

    def __init__(self, vectors: "Numbers") -> None:
        self._vectors = vectors
        self.place = 0

    async def open(self) -> None: ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Sequence[float]]:
        raise NotImplementedError

    async def embed_query(self, text: str) -> Sequence[float]:
        vector: list[float] = self._vectors[self.place].tolist()
        return vector

    async def close(self) -> None: ...


class Figures:
    """Prints figures, and keeps whether each was what it has to be."""

    held = True

    def say(self, name: str, value: float, unit: str, limit: float, *, least: bool = False) -> None:
        good = value >= limit if least else value <= limit
        self.held = self.held and good
        print(f"{name:44}{value:12,.3f} {unit:3} {'at least' if least else 'at most'} {limit:,.2f}", end="")
        print("" if good else "   MISSED")


async def times(
    searcher: Searcher, embedder: Made, sources: Sequence[Sequence[int]], filters: Filters
) -> list[float]:
    """Milliseconds of each question, sorted."""
    drawn, taken = random.Random(2), []
    for place, source in enumerate(sources):
        start, embedder.place = drawn.randrange(LENGTH - 12), place
        query = " ".join(map(word, source[start : start + 3 + place % 10]))
        began = time.perf_counter()
        found = await searcher.answer(Search(query=query, filters=filters))
        taken.append((time.perf_counter() - began) * 1000)
        assert found.hits or filters
    return sorted(taken)


async def recall(database: Database, questions: "Numbers", vectors: "Numbers", filters: Filters) -> float:
    """The share of the truly nearest passages among those that the vector leg finds."""
    import numpy as np

    store, shares = PostgresVectors(database), []
    allowed = np.array(
        [not filters.kinds or path(n // PER_FILE).endswith(filters.kinds) for n in range(len(vectors))]
    )
    numbers = np.flatnonzero(allowed)
    for question in questions[:RECALLS]:
        nearest = numbers[np.argsort(-(vectors[numbers] @ question), kind="stable")[:DEPTH]]
        found = await store.find_near(MODEL, question.tolist(), 100, filters)
        places = {
            int(hit.path.rsplit("/", 1)[1].split(".")[0]) * PER_FILE + hit.position for hit in found[:DEPTH]
        }
        shares.append(len(places.intersection(nearest.tolist())) / DEPTH)
    return statistics.fmean(shares)


async def weight(database: Database) -> int:
    """Bytes of all tables with their indexes."""
    size: int = await database.pool.fetchval(
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    return size


async def main(passages: int) -> int:
    """Fill, ask and print."""
    import numpy as np

    figures, vectors = Figures(), made(passages)
    drawn = np.random.default_rng(8)
    asked = vectors[:: max(1, passages // QUESTIONS)][:QUESTIONS]
    asked = asked + 0.3 * drawn.standard_normal(asked.shape, dtype=np.float32) / math.sqrt(SIZE)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    with servers.short_folder() as folder, servers.postgres(folder) as ways:
        database = Database(ways["socket"])
        await database.open()
        await database.migrate(schema.MIGRATIONS)
        began = time.perf_counter()
        sources, digests = await load(database, passages)
        print(f"{passages} passages stored in {time.perf_counter() - began:.0f} s")
        await database.pool.execute("VACUUM ANALYZE")
        figures.say("bytes a passage, without vectors", await weight(database) / passages, "B", BYTES_WITHOUT)
        began = time.perf_counter()
        await load_vectors(database, vectors, digests)
        print(f"their vectors in {time.perf_counter() - began:.0f} s")
        await database.pool.execute("VACUUM ANALYZE")
        figures.say("bytes a passage, with vectors", await weight(database) / passages, "B", BYTES_WITH)
        embedder = Made(asked)
        words = Searcher(PostgresPassages(database), PostgresVectors(database), lambda: None)
        fused = Searcher(PostgresPassages(database), PostgresVectors(database), lambda: embedder)
        for name, filters in FILTERS:
            found = await recall(database, asked, vectors, filters)
            figures.say(f"recall of the vectors at {DEPTH}, {name}", found, "", RECALL, least=True)
        for leg, searcher in (("words", words), ("words and vectors", fused)):
            for name, filters in (FILTERS[0], *FILTERS):
                taken = await times(searcher, embedder, sources, filters)
                p95 = taken[int(len(taken) * 0.95)]
                figures.say(f"{leg}, {name}: p95 of {len(taken)}", p95, "ms", P95_MS)
                print(f"{'':44}p50 {statistics.median(taken):.1f} ms, longest {taken[-1]:.1f} ms")
        await database.close()
    print("the figures are held" if figures.held else "MISSED")
    return 0 if figures.held else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    sys.exit(asyncio.run(main(parser.parse_args().passages)))
