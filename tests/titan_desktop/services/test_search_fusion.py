"""The scores of two legs made one, and the passages that are shown of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titan_desktop.ports.passages import Found
from titan_desktop.services.search.fusion import MEANING, chosen, fused

SCORES = st.dictionaries(st.integers(0, 30), st.floats(0.1, 40), max_size=20)
COSINES = st.dictionaries(st.integers(0, 30), st.floats(-1, 1), max_size=20)


def found(path: str, number: int) -> Found:
    return Found(passage_id=number, path=path, title=path, kind="txt", position=0, text="", score=0.0)


def test_words_count_as_a_share_of_the_best_and_meaning_by_its_place() -> None:
    """BM25 by its best, plus 1.5 times the cosine scaled over the candidates."""
    assert fused({"a": 10.0, "b": 4.0}, {"a": 0.80, "b": 0.86, "c": 0.90}) == pytest.approx(
        {"a": 1.0, "b": 0.4 + 1.5 * 0.6, "c": 1.5}
    )
    assert fused({"a": 10.0, "b": 4.0}, {}) == {"a": 1.0, "b": 0.4}
    assert fused({}, {"a": 0.8, "b": 0.9}) == {"a": 0.0, "b": 1.5}
    assert fused({}, {}) == {}


def test_words_that_are_little_of_the_question_weigh_little() -> None:
    """In full from 0.6 of all that is asked for, and less below: a shared name does not outweigh the meaning."""
    near = {"a": 0.8, "b": 0.9}
    assert fused({"a": 6.0}, near, whole=10.0) == pytest.approx({"a": 1.0, "b": 1.5})
    assert fused({"a": 1.5}, near, whole=10.0) == pytest.approx({"a": 0.25, "b": 1.5})
    assert fused({"a": 1.5}, {}, whole=10.0) == {"a": 1.0}


@given(SCORES, COSINES)
@settings(max_examples=200, deadline=None)
def test_what_has_no_vector_stands_as_among_its_words(
    words: dict[int, float], cosines: dict[int, float]
) -> None:
    """Candidates without a vector keep the order of their words, and the best of all words is never below
    one with fewer words and no vector; every score lies between 0 and the greatest possible.
    """
    scores = fused(words, cosines)
    assert scores.keys() == words.keys() | cosines.keys()
    assert all(0 <= score <= 1 + MEANING + 1e-9 for score in scores.values())
    without = [key for key in words if key not in cosines]
    assert sorted(without, key=lambda key: (-words[key], key)) == sorted(
        without, key=lambda key: (-scores[key], -words[key], key)
    )
    if without and max(words.values()) == max(words[key] for key in without):
        best = max(without, key=lambda key: words[key])
        assert scores[best] >= max(scores.values()) - 1e-9


def test_one_file_shows_its_best_passage() -> None:
    """Every file once, best first, whatever else of it fits."""
    ranked = [(found("a", 1), 2.0), (found("a", 2), 1.9), (found("b", 3), 0.3), (found("c", 4), 2.4)]
    assert [passage.passage_id for passage, _ in chosen(ranked, 10, 1)] == [4, 1, 3]
    assert [passage.passage_id for passage, _ in chosen(ranked, 2, 1)] == [4, 1]
    assert chosen([], 10, 1) == []


def test_a_file_that_is_clearly_it_shows_more() -> None:
    """Further passages of a file count where they fit nearly as well as the best of all, up to the limit."""
    ranked = [(found("a", number), 2.0 - number / 10) for number in range(5)] + [
        (found("b", 10), 0.5), (found("b", 11), 0.4), (found("c", 12), 0.3),
    ]  # fmt: skip
    assert [passage.passage_id for passage, _ in chosen(ranked, 6, 3)] == [0, 1, 2, 10, 12]
