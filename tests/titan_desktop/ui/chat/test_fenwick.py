import random
from itertools import accumulate

import pytest

from titan_desktop.ui.chat.fenwick import Fenwick


@pytest.mark.parametrize("seed", range(10))
def test_it_is_a_list_with_prefix_sums(seed: int):
    """After any changes and insertions, sums and places are those of a plain list."""
    chance = random.Random(seed)
    plain = [chance.randint(1, 300) for _ in range(chance.randint(0, 200))]
    tree = Fenwick(plain)
    for _ in range(300):
        if plain and chance.random() < 0.5:
            index, value = chance.randrange(len(plain)), chance.randint(1, 300)
            plain[index] = tree[index] = value
        else:
            index = chance.choice((0, len(plain), chance.randint(0, len(plain))))
            new = [chance.randint(1, 300) for _ in range(chance.randint(0, 3))]
            plain[index:index] = new
            tree.insert(index, new)
    sums = [0, *accumulate(plain)]
    assert [tree.before(index) for index in range(len(plain) + 1)] == sums
    assert [tree[index] for index in range(len(tree))] == plain
    assert tree.total == sums[-1]
    for position in chance.sample(range(sums[-1]), min(200, sums[-1])):
        index = tree.find(position)
        assert sums[index] <= position < sums[index + 1]


def test_places_beyond_the_ends_are_the_ends():
    """A position below nothing or above everything finds the first or the last row, also in an empty list."""
    tree = Fenwick([10, 20])
    assert (tree.find(-5), tree.find(1000)) == (0, 1)
    assert (Fenwick().find(0), Fenwick().total) == (0, 0)
