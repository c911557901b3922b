"""Hit rates of `titan search` on the public questions: `python -m tests.benchmarks.retrieval`.

Every paragraph is a text file in the person's Desktop; the questions go through the command, the core and the
index, without an embedder. Ends with 1 when a rate is below plain BM25's row in `BASELINE.md`.
"""

import json
import re
import sys
import time
from pathlib import Path

from tests.benchmarks.private_titan import private_titan
from tests.conftest import SHARED_DATA

FOLDER = SHARED_DATA / "retrieval"
RANKS = (1, 5, 10)


def baseline() -> dict[str, tuple[float, ...]]:
    """BM25's row: hit rates @1, @5 and @10 of each language."""
    row = next(line for line in (FOLDER / "BASELINE.md").read_text("utf-8").splitlines() if "| BM25" in line)
    figures = tuple(float(cell) for cell in re.findall(r"\| (\d\.\d+) ", row))
    return {"ru": figures[:3], "en": figures[3:]}


def measure(language: str) -> tuple[float, ...]:
    """Index the paragraphs, ask the questions; return the hit rates."""
    data = json.loads((FOLDER / f"xquad-{language}-dev.json").read_text("utf-8"))
    with private_titan() as titan:
        for document in data["documents"]:
            (titan.desktop / f"{document['id']}.txt").write_text(document["text"], "utf-8")
        queries = titan.home / "questions.txt"
        queries.write_text(
            "".join(f"{' '.join(question['question'].split())}\n" for question in data["questions"]), "utf-8"
        )
        titan.command("index")
        began = time.perf_counter()
        answered = titan.command("search", "--queries", str(queries), "--json", "-k", str(max(RANKS)))
        taken_s = time.perf_counter() - began
    lines = answered.stdout.splitlines()
    assert len(lines) == len(data["questions"]), answered.stderr
    ranks = []
    for question, line in zip(data["questions"], lines, strict=True):
        names = [Path(hit["path"]).stem for hit in json.loads(line)]
        ranks.append(names.index(question["doc"]) if question["doc"] in names else len(names) + max(RANKS))
    print(f"{language}: {len(ranks)} questions in {taken_s:.1f} s")
    return tuple(sum(rank < k for rank in ranks) / len(ranks) for k in RANKS)


def main() -> int:
    """Print both languages beside the baseline."""
    floors, held = baseline(), True
    print(f"{'':12}" + "".join(f"{f'hit@{k}':>10}" for k in RANKS))
    for language, floor in floors.items():
        rates = measure(language)
        held = held and all(rate >= least for rate, least in zip(rates, floor, strict=True))
        print(f"{language + ' titan':12}" + "".join(f"{rate:10.4f}" for rate in rates))
        print(f"{language + ' BM25':12}" + "".join(f"{least:10.3f}" for least in floor))
    print("the floor is held" if held else "BELOW THE FLOOR")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
