"""How a text is cut into passages."""

import random

import pytest

from titan_desktop.services.memory import cutting
from titan_desktop.services.memory.cutting import LIMIT, cut

SENTENCE = "Арендатор вносит залог в размере двух месячных платежей. "


def assert_whole(text: str) -> None:
    """Every word of `text`, all different, is in a passage; passages are runs of words that follow or overlap."""
    passages = cut(text)
    words = text.split()
    places = {word: place for place, word in enumerate(words)}
    reached = 0
    for passage in passages:
        assert 0 < len(passage) <= LIMIT
        run = passage.split()
        start = places[run[0]]
        assert run == words[start : start + len(run)]
        assert start <= reached < start + len(run)
        reached = start + len(run)
    assert reached == len(words)


@pytest.mark.parametrize("pause", [" ", ". ", "\n", "\n\n", "\r\n\r\n", "\r", "! ", " \n \n "])
@pytest.mark.parametrize("count", [0, 1, 50, 3_000])
def test_nothing_is_lost_and_nothing_is_too_long(pause: str, count: int) -> None:
    """Every word is in a passage, in order; no passage is empty or longer than the limit."""
    assert_whole(pause.join(f"слово{number}" for number in range(count)))


def test_random_texts() -> None:
    """The same holds for texts of any shape."""
    drawn = random.Random(3)
    for _ in range(60):
        pauses = drawn.choices(
            (" ", ". ", "\n", "\n\n", "! ", ".» "), (60, 8, 2, 1, 1, 1), k=drawn.randrange(1500)
        )
        assert_whole(
            "".join(f"{number}{'х' * drawn.randrange(9)}{pause}" for number, pause in enumerate(pauses))
        )


@pytest.mark.parametrize("text", ["x" * 10_000, "。" * 5_000, "\n" * 9_000, " \n\n\t\n"])
def test_texts_without_words(text: str) -> None:
    """What has no pause is cut anyway, and blank is nothing."""
    assert "".join(cut(text)) == text.strip()
    assert max(map(len, cut(text)), default=0) <= LIMIT


def test_short_paragraphs_share_a_passage() -> None:
    """A paragraph is not cut while it fits, and a heading stays with what follows."""
    assert cut("Залог\n\nДва платежа.") == ["Залог\n\nДва платежа."]
    whole = SENTENCE * 27
    assert cut(whole) == [whole.strip()]


def test_a_long_paragraph_is_parted_evenly_with_an_overlap() -> None:
    """No crumb is left at the end, and a part begins with the last sentences of the one before."""
    text = "".join(f"Предложение номер {number} о залоге и о его возврате. " for number in range(34))
    first, second = cut(text)
    assert abs(len(first) - len(second)) < cutting.OVERLAP
    assert second.split(". ")[0] in first
    assert first.endswith(".")
    assert second.startswith("Предложение")


def test_a_quotation_keeps_its_marks() -> None:
    """A cut behind a closing quotation mark loses no character."""
    text = "Он сказал: «Верните залог.» " * 100
    assert all(passage.endswith(".»") for passage in cut(text))


def test_an_endless_text_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gives a bounded number of passages."""
    monkeypatch.setattr(cutting, "MOST_PASSAGES", 3)
    assert len(cut(SENTENCE * 1_000)) == 3
