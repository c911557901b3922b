"""The arithmetic of finding a message among others of its conversation.

The words' score counts as a share of the best, the nearness of a message by where it lies between the least and
the greatest. Nearness is the sum of two cosines, of the message alone and with the one before it, and a share of
its neighbours' sums: an answer is near its question. The weights were measured on long conversations.
"""

from collections.abc import Mapping, Sequence

from titan_desktop.ports.turns import Turn

MEANING = 0.7
"""What nearness weighs against words."""
NEIGHBOUR = 0.2
"""What the sum of a neighbour adds to a message's."""


def ranked(
    turns: Mapping[str, Turn], words: Mapping[str, float], cosines: Mapping[int, float]
) -> Sequence[tuple[Turn, float]]:
    """Return the messages that share a word or have a vector, best first, with their scores.

    Args:
        turns: the candidates and their neighbours, by id.
        words: the keyword scores; who is missing shares no word.
        cosines: by the number of the passage; who is missing has no vector.
    """
    sums = {
        key: sum(cosines[number] for number in turn.passages)
        for key, turn in turns.items()
        if turn.passages and all(number in cosines for number in turn.passages)
    }
    near = {
        key: own + NEIGHBOUR * sum(sums.get(other, own) for other in (turns[key].before, turns[key].after))
        for key, own in sums.items()
    }
    best = max(words.values(), default=0.0)
    least, greatest = min(near.values(), default=0.0), max(near.values(), default=0.0)
    scores = []
    for key, turn in turns.items():
        if key not in words and key not in near:
            continue
        share = words.get(key, 0.0) / best if best else 0.0
        meant = (near[key] - least) / (greatest - least) if key in near and greatest > least else share
        scores.append((turn, share + (MEANING * meant if near else 0.0)))
    return sorted(scores, key=lambda scored: (-scored[1], scored[0].id))
