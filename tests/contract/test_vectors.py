"""One suite for every Vectors: what is near is found, models do not mix, and vectors go with their texts."""

import pytest

from tests.contract.nearness import MODEL, TEXTS, lacking, passages_of
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage, Passages, Vectors, VectorSizeError


@pytest.fixture
async def passages(index: tuple[Passages, Vectors]) -> Passages:
    """With a file for each of the texts."""
    for text in TEXTS:
        await index[0].store(FileEntry(path=f"/d/{text}.txt", stamp=Stamp(1, 1)), [Passage(text)])
    return index[0]


@pytest.fixture
async def vectors(index: tuple[Passages, Vectors], passages: Passages) -> Vectors:
    return index[1]


@pytest.mark.by_url
async def test_finds_the_nearest_first(vectors: Vectors) -> None:
    """Passages come back by cosine, the nearest first, with their files."""
    await vectors.store(MODEL, TEXTS)
    found = await vectors.find_near(MODEL, [1.0, 0.1, 0.0], 2)
    assert [hit.text for hit in found] == ["кошка", "котёнок"]
    assert found[0].score == pytest.approx(1.0, abs=1e-3)
    assert found[0].title == "кошка.txt"


async def test_equal_texts_share_a_vector(vectors: Vectors, passages: Passages) -> None:
    """A copy or a renamed file needs no new embedding, and both copies are found."""
    await vectors.store(MODEL, TEXTS)
    await passages.store(FileEntry(path="/d/copy.txt", stamp=Stamp(1, 1)), [Passage("кошка")])
    assert await lacking(vectors) == []
    found = await vectors.find_near(MODEL, TEXTS["кошка"], 2)
    assert {hit.title for hit in found} == {"кошка.txt", "copy.txt"}


async def test_a_refused_text_is_not_asked_again(vectors: Vectors) -> None:
    """None marks a text as dealt with; it is never found."""
    await vectors.store(MODEL, {**TEXTS, "кошка": None})
    assert await lacking(vectors) == []
    assert len(await vectors.find_near(MODEL, TEXTS["кошка"], 10)) == 2


async def test_numbers_of_any_size_are_a_direction(vectors: Vectors) -> None:
    """A model whose numbers are too great for the index's 16 bits is found by its directions all the same."""
    await vectors.store(MODEL, {text: [number * 1e9 for number in vector] for text, vector in TEXTS.items()})
    found = await vectors.find_near(MODEL, [1e30, 1e29, 0.0], 2)
    assert [hit.text for hit in found] == ["кошка", "котёнок"]


async def test_models_do_not_mix(vectors: Vectors) -> None:
    """Two models of different sizes stand side by side until one is kept; any name will do for a model."""
    hostile = "x'); DROP TABLE vectors; --\""
    await vectors.store(MODEL, TEXTS)
    await vectors.store(hostile, {text: [*vector, 1.0] for text, vector in TEXTS.items()})
    assert len(await vectors.find_near(MODEL, [1, 0, 0], 10)) == 3
    assert len(await vectors.find_near(hostile, [1, 0, 0, 1], 10)) == 3
    await vectors.keep_only(hostile)
    assert await vectors.find_near(MODEL, [1, 0, 0], 10) == []
    assert len(await vectors.find_near(hostile, [1, 0, 0, 1], 10)) == 3


async def test_a_model_that_changed_its_size(vectors: Vectors) -> None:
    """Vectors of another size under the same name are refused, until the old ones are forgotten."""
    await vectors.store(MODEL, TEXTS)
    with pytest.raises(VectorSizeError):
        await vectors.store(MODEL, {"кошка": [1.0, 2.0]})
    with pytest.raises(VectorSizeError):
        await vectors.find_near(MODEL, [1.0, 2.0], 1)
    await vectors.forget(MODEL)
    await vectors.store(MODEL, {"кошка": [1.0, 2.0]})
    assert await lacking(vectors) == ["котёнок", "смета"]


async def test_vectors_of_texts_that_are_gone(vectors: Vectors, passages: Passages) -> None:
    """They are never found, and pruning drops them, but no sooner than is said."""
    await vectors.store(MODEL, TEXTS)
    await passages.remove("/d/кошка.txt")
    assert [hit.text for hit in await vectors.find_near(MODEL, TEXTS["кошка"], 1)] != ["кошка"]
    assert await vectors.prune(3_600) == 0
    assert await vectors.prune(0) == 1
    assert await vectors.prune(0) == 0
    assert len(await vectors.find_near(MODEL, TEXTS["кошка"], 10)) == 2


async def test_a_text_that_was_changed_leaves_no_vector(vectors: Vectors, passages: Passages) -> None:
    """What a file no longer says goes; what it still says, or another file says, stays."""
    await passages.store(FileEntry(path="/d/two.txt", stamp=Stamp(1, 1)), passages_of("один", "два", "кошка"))
    await vectors.store(MODEL, {**TEXTS, "один": [1.0, 0.0, 0.0], "два": [0.0, 1.0, 0.0]})
    await passages.store(FileEntry(path="/d/two.txt", stamp=Stamp(2, 2)), passages_of("один"))
    assert await vectors.prune(0) == 1
    assert await lacking(vectors) == []


async def test_the_index_is_walked_once(vectors: Vectors, passages: Passages) -> None:
    """Stretch by stretch every passage is seen once, also what is stored meanwhile."""
    await vectors.store(MODEL, {"котёнок": TEXTS["котёнок"]})
    first = await vectors.stretch(MODEL, 0, 2)
    assert (first.texts, first.passed, first.total) == (["кошка"], 2, 3)
    await passages.store(FileEntry(path="/d/new.txt", stamp=Stamp(1, 1)), passages_of("новое"))
    second = await vectors.stretch(MODEL, first.end, 10)
    assert (second.texts, second.passed, second.total) == (["смета", "новое"], 2, 4)
    assert [await vectors.lacking(MODEL, place) for place in (0, first.end, second.end)] == [
        (3, 4),
        (2, 4),
        (0, 4),
    ]
    third = await vectors.stretch(MODEL, second.end, 10)
    assert (third.texts, third.passed, third.end) == ([], 0, second.end)


async def test_heads_come_by_the_age_of_their_files(vectors: Vectors, passages: Passages) -> None:
    """First passages alone, those of the newest files first, in turns; the last turn says how far they are all."""
    for path, mtime in (("/d/old.txt", 10), ("/d/new.txt", 30), ("/d/middle.txt", 20)):
        await passages.store(
            FileEntry(path=path, stamp=Stamp(1, mtime)), passages_of(f"head of {path}", f"rest of {path}")
        )
    first = await vectors.heads(MODEL, 0, 2)
    assert (first.texts, first.passed, first.total) == (["head of /d/new.txt", "head of /d/middle.txt"], 2, 9)
    await vectors.store(MODEL, {text: [1.0, 0.0, 0.0] for text in first.texts})
    second = await vectors.heads(MODEL, 0, 9)
    assert second.passed < 9
    assert "head of /d/old.txt" in second.texts
    assert not [text for text in second.texts if text.startswith("rest") or text in first.texts]
    await passages.store(FileEntry(path="/d/late.txt", stamp=Stamp(1, 1)), passages_of("head of late"))
    assert (await vectors.heads(MODEL, second.end, 9)).texts == ["head of late"]
    assert await vectors.lacking(MODEL, 0) == (8, 10)
