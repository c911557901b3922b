"""The arithmetic of a search: the scores of two legs made one, and from it the passages to show.

Adding scores finds more first hits than adding reciprocal ranks (Cormack, Clarke and Büttcher, SIGIR 2009);
`tests/benchmarks/retrieval.py` prints how many.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from titan_desktop.ports.passages import Found

MEANING = 1.5
"""What the vectors weigh against the words."""
ENOUGH = 0.6
"""The share of all that is asked for at which words are trusted in full."""
NEARLY = 0.75
"""The share of the best score at which a file's further passages are worth a place beside other files."""

Key = TypeVar("Key", bound=Hashable)


def fused(
    words: Mapping[Key, float],
    nearness: Mapping[Key, float],
    whole: float = 0.0,
    meaning: float = MEANING,
) -> dict[Key, float]:
    """Return the score of each candidate, 0 to 1 + `meaning`; 0 to 1 when nothing has a vector.

    Words count as a share of the best; less when even the best has little of what is asked for, as when question
    and files are of two languages that share a name or a number. Nearness counts by where it lies between the
    least and the greatest. A candidate without a vector is as near as its words are good: so it keeps its place
    among its like, and a search amid half the vectors finds what the words alone find, or more.

    Args:
        words: BM25 or another score from 0 on; what is missing shares no word.
        nearness: cosines, or sums of them; what is missing has no vector.
        whole: about the word score of what has all that is asked for; 0: not known.
        meaning: what nearness weighs against words.
    """
    best = max(words.values(), default=0.0)
    shares = {key: words.get(key, 0.0) / best if best else 0.0 for key in (*words, *nearness)}
    least, greatest = min(nearness.values(), default=0.0), max(nearness.values(), default=0.0)
    if greatest == least:
        return shares
    trust = min(1.0, best / (ENOUGH * whole)) if whole else 1.0
    scores = {}
    for key, share in shares.items():
        near = (nearness[key] - least) / (greatest - least) if key in nearness else share
        scores[key] = trust * share + meaning * near
    return scores


def chosen(candidates: Iterable[tuple[Found, float]], limit: int, per_file: int) -> list[tuple[Found, float]]:
    """Return at most `limit` passages, best first, at most `per_file` of a file.

    A file's best passage always counts, another only when its score is nearly that of the best of all. So an
    answer is not made of one file, unless the file is clearly it.
    """
    ranked = sorted(candidates, key=lambda candidate: -candidate[1])
    taken: Counter[str] = Counter()
    passages = []
    for found, score in ranked:
        if not taken[found.path] or (taken[found.path] < per_file and score >= NEARLY * ranked[0][1]):
            taken[found.path] += 1
            passages.append((found, score))
        if len(passages) == limit:
            break
    return passages
