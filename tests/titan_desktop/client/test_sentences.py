"""One table of sentences for the window and the commands."""

import string
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from titan_desktop.client import problems, refusals, sentences
from titan_desktop.client.sentences import Words
from titan_desktop.contracts.chat import Delay
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.file_actions import Refusal
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.contracts.sources import Cells, FilePassage, Lines, Member, Pages, Place, Slides, WebSource


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (Fault, sentences.FAULTS),
        (
            set(Fault)
            - {Fault.CUT_OFF, Fault.FILTERED, Fault.EMPTY},  # an embedder gives no answer that ends
            sentences.EMBEDDER_FAULTS.keys() - {"vectors_differ", "index_unavailable"},
        ),
        (Delay, sentences.DELAYS),
        (Reason, sentences.REASONS),
        (Refusal, refusals.REFUSALS),
        (Code, problems.PROBLEMS),
    ],
)
def test_every_code_has_a_sentence(codes: Iterable[str], words: Mapping[str, Words]) -> None:
    """Whatever the core may say of itself can be told."""
    assert set(codes) == set(words)


def test_both_languages_have_the_same_blanks() -> None:
    """Or a sentence would fail in one of them alone."""

    def blanks(sentence: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(sentence)} - {None}

    tables: list[Mapping[Any, Words]] = [sentences.FAULTS, sentences.EMBEDDER_FAULTS, sentences.DELAYS]
    tables += [sentences.REASONS, problems.PROBLEMS, refusals.REFUSALS]
    for words in (words for table in tables for words in table.values()):
        assert blanks(words.en) == blanks(words.ru), words.en


def test_a_code_of_a_newer_core_is_said_as_it_is() -> None:
    """It tells more than silence does."""
    assert sentences.reason("ru", "too_odd") == "too_odd"
    assert sentences.degraded("ru", "too_odd: why") == "too_odd: why"
    odd = Problem("too_odd", {"path": "/d"}, "why")
    assert problems.say("ru", odd) == "too_odd path=/d why"
    assert "postgres" in problems.say("ru", Problem(Code.DISK_FULL, {"store": "postgres"}))


@pytest.mark.parametrize(
    ("place", "english", "russian"),
    [
        (Pages(first=3, last=3), "p. 3", "стр. 3"),
        (Pages(first=3, last=4), "pp. 3–4", "стр. 3–4"),
        (Slides(first=2, last=2), "slide 2", "слайд 2"),
        (Slides(first=2, last=7), "slides 2–7", "слайды 2–7"),
        (Lines(first=7, last=7), "line 7", "строка 7"),
        (Lines(first=10, last=24), "lines 10–24", "строки 10–24"),
        (Cells(sheet="Май"), "sheet Май", "лист Май"),
        (Cells(sheet="Май", first="B3", last="B3"), "sheet Май, B3", "лист Май, B3"),
        (Cells(sheet="Май", first="B3", last="C29"), "sheet Май, B3:C29", "лист Май, B3:C29"),
        (Member(path="б/а.pdf", place=Pages(first=3, last=3)), "› б/а.pdf, p. 3", "› б/а.pdf, стр. 3"),
        (None, "", ""),
    ],
)
def test_a_place_is_named(place: Place | None, english: str, russian: str) -> None:
    """In the form that one or several ask for, and not at all where it is not known."""
    source = FilePassage(path="/d/a.pdf", title="a.pdf", score=1, passage="x", kind="pdf", place=place)
    assert (sentences.place("en", source), sentences.place("ru", source)) == (english, russian)


def test_what_is_no_file_has_no_place() -> None:
    """A page on the web, for one."""
    source = WebSource(
        url="https://example.org", title="Rent", passage="x", fetched_at="2026-11-23T10:00:00Z"
    )
    assert sentences.place("en", source) == ""


def test_a_store_is_called_what_a_person_calls_it() -> None:
    """The bus says `postgres`, a sentence says PostgreSQL, also where a watcher gave the store for its product."""
    ended = Problem(Code.RESTARTING, {"store": "postgres"})
    assert problems.say("en", ended) == "PostgreSQL ended and is started again."
    silent = Problem(Code.SILENT, {"product": "redis", "seconds": "5"})
    assert problems.say("ru", silent).startswith("Redis не отвечает")
    assert problems.say("en", Problem(Code.SILENT, {"product": "Valkey", "seconds": "5"})).startswith(
        "Valkey "
    )


def test_a_store_is_called_the_graph_at_the_beginning_alone() -> None:
    """Elsewhere the product is named: "an external The graph server" is no sentence."""
    for words in problems.PROBLEMS.values():
        for sentence in words:
            assert sentence.find("{store}") <= 0, sentence
    fields = {"store": "graph", "variable": "TITAN_NEO4J_URL", "example": "bolt://localhost"}
    said = problems.say("en", Problem(Code.VARIABLE_OF_OTHER_KIND, fields))
    assert said.startswith("TITAN_NEO4J_URL is not the address of a Neo4j server.")
