"""Hit rates of `titan search` on the public questions: `python -m tests.benchmarks.retrieval`.

Every paragraph is a text file in the person's Desktop; the questions go through the command, the core, the index
in PostgreSQL and the embedder that Titan has by itself. Vectors are then taken away until none is left: what is
found on the way must not be less than what words find alone. The questions of the other language are asked, too.

Ends with 1 when words find less than plain BM25's row in `BASELINE.md`, or a rate is below those named here.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests import servers
from tests.benchmarks.private_titan import private_titan
from tests.conftest import SHARED_DATA
from tests.e2e.harness import Titan
from titan_desktop.adapters.local_embedder import MODEL
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import indexing
from titan_desktop.contracts.message import ask

FOLDER = SHARED_DATA / "retrieval"
RANKS = (1, 5, 10)
FUSED = {"ru": (0.935, 0.99, 0.99), "en": (0.955, 0.99, 0.99)}
ACROSS = (0.78, 0.0, 0.98)
SHARES = (1.0, 0.5, 0.25, 0.05, 0.0)
NOISE = 0.01
"""Six questions of 612: less than the standard error of a rate of 0.95."""


@dataclass
class Held:
    """Whether every rate so far was what it has to be."""

    all: bool = True

    def row(self, name: str, rates: Sequence[float], floor: Sequence[float] = ()) -> None:
        """Print a row, and the least rates that it must have."""
        missed = any(rate < least for rate, least in zip(rates, floor, strict=False))
        self.all = self.all and not missed
        wanted = "  at least " + " ".join(f"{least:.3f}" for least in floor) if floor else ""
        print(
            f"{name:26}" + "".join(f"{rate:9.4f}" for rate in rates) + wanted + (" MISSED" if missed else "")
        )


def baseline() -> dict[str, tuple[float, ...]]:
    """BM25's row: hit rates @1, @5 and @10 of each language."""
    row = next(line for line in (FOLDER / "BASELINE.md").read_text("utf-8").splitlines() if "| BM25" in line)
    figures = tuple(float(cell) for cell in re.findall(r"\| (\d\.\d+) ", row))
    return {"ru": figures[:3], "en": figures[3:]}


def public(language: str) -> Any:
    return json.loads((FOLDER / f"xquad-{language}-dev.json").read_text("utf-8"))


async def rates(titan: Titan, questions: Sequence[dict[str, str]]) -> tuple[float, ...]:
    """Ask them all with one command; return the hit rates."""
    asked = titan.home / "questions.txt"
    asked.write_text("".join(f"{' '.join(one['question'].split())}\n" for one in questions), "utf-8")
    answered = await asyncio.to_thread(
        titan.command, "search", "--queries", str(asked), "--json", "-k", str(max(RANKS)), timeout_s=600
    )
    lines = answered.stdout.splitlines()
    assert len(lines) == len(questions), answered.stderr
    ranks = []
    for question, line in zip(questions, lines, strict=True):
        names = [Path(hit["path"]).stem for hit in json.loads(line)]
        ranks.append(names.index(question["doc"]) if question["doc"] in names else len(names) + max(RANKS))
    return tuple(sum(rank < k for rank in ranks) / len(ranks) for k in RANKS)


async def embedded(link: CoreLink) -> None:
    """Wait until every passage has its vector."""
    while True:
        status = await ask(link.bus, indexing.GetIndexStatus(), 20)
        if status.embedding is not None:
            assert not status.embedding.fault, status.embedding
            if status.passages and status.vectors >= status.passages:
                return
        await asyncio.sleep(0.5)


async def measure(language: str, dsn: str, held: Held) -> None:
    """Index the paragraphs of one language, and ask the questions of both."""
    other = {"ru": "en", "en": "ru"}[language]
    data = public(language)
    with private_titan(TITAN_POSTGRES_URL=dsn, TITAN_EMBEDDING_MODEL=MODEL) as titan:
        for document in data["documents"]:
            (titan.desktop / f"{document['id']}.txt").write_text(document["text"], "utf-8")
        # The link keeps the core: one that starts would make the vectors again.
        async with titan.link() as link:
            await asyncio.to_thread(titan.command, "index")
            began = time.perf_counter()
            await embedded(link)
            print(f"{language}: {len(data['documents'])} files embedded by {MODEL} in", end=" ")
            print(f"{time.perf_counter() - began:.0f} s")
            connection = await asyncpg.connect(dsn)
            by_share: dict[float, tuple[float, ...]] = {}
            for share in SHARES:
                await keep_vectors(connection, share)
                by_share[share] = await rates(titan, data["questions"])
                if share == 1.0:
                    held.row(f"{language} fused", by_share[share], FUSED[language])
                    across = await rates(titan, public(other)["questions"])
                    held.row(f"{other} question, {language} text", across, ACROSS)
            words = by_share[0.0]
            for share in SHARES[1:-1]:
                floor = [rate - NOISE for rate in words]
                held.row(f"{language} {share:.0%} of the vectors", by_share[share], floor)
            held.row(f"{language} words alone", words, baseline()[language])
            await connection.close()


async def keep_vectors(connection: asyncpg.Connection, share: float) -> None:
    """Delete vectors until this share of all texts has one, always the same."""
    rows = await connection.fetch("SELECT DISTINCT digest FROM passages ORDER BY digest")
    digests = [row["digest"] for row in rows]
    random.Random(3).shuffle(digests)
    await connection.execute(
        "DELETE FROM vectors WHERE digest = ANY($1::bytea[])", digests[round(share * len(digests)) :]
    )


def main() -> int:
    """Print both languages beside what they have to be."""
    held = Held()
    print(f"{'':26}" + "".join(f"{f'hit@{k}':>9}" for k in RANKS))
    for language in FUSED:
        with servers.short_folder() as folder, servers.postgres(folder) as ways:
            asyncio.run(measure(language, ways["socket"], held))
    print("the floor is held" if held.all else "BELOW THE FLOOR")
    return 0 if held.all else 1


if __name__ == "__main__":
    sys.exit(main())
