"""Texts with vectors for the suites of the vector leg."""

from titan_desktop.ports.passages import Passage, Vectors

MODEL = "nomic-embed-text"


TEXTS = {"кошка": [1.0, 0.1, 0.0], "котёнок": [0.9, 0.3, 0.0], "смета": [0.0, 0.1, 1.0]}


async def lacking(vectors: Vectors) -> list[str]:
    """The texts that have no vector."""
    return list((await vectors.stretch(MODEL, 0, 100)).texts)


def passages_of(*texts: str) -> list[Passage]:
    return [Passage(text) for text in texts]
