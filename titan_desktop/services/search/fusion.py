"""Two ranked lists of passages made one, and from it the best passage of each file.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, whose k is 60. It needs no common scale of
scores.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ports.passages import Found

K = 60


def best_of_files(legs: Iterable[Sequence[Found]], limit: int) -> tuple[FilePassage, ...]:
    """Return at most `limit` files, best first, each by its best passage; equal ones keep the legs' order."""
    scores: dict[int, float] = defaultdict(float)
    passages: dict[int, Found] = {}
    for leg in legs:
        for rank, found in enumerate(leg, 1):
            scores[found.passage_id] += 1 / (K + rank)
            passages.setdefault(found.passage_id, found)
    best: dict[str, FilePassage] = {}
    for passage_id in sorted(scores, key=lambda number: -scores[number]):
        found = passages[passage_id]
        best.setdefault(found.path, _hit(found, scores[passage_id]))
        if len(best) == limit:
            break
    return tuple(best.values())


def _hit(found: Found, score: float) -> FilePassage:
    return FilePassage(
        path=found.path,
        title=found.title,
        score=score,
        passage=found.text,
        kind=found.kind,
        position=found.position,
        place=found.place,
    )
