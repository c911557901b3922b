"""The list of sources: what each row says of its source."""

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from tests.titan_desktop.ui.chat.samples import hit
from titan_desktop.contracts.sources import (
    Cells,
    FactSource,
    Lines,
    MessageSource,
    Pages,
    Place,
    Slides,
    Source,
)
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.chat.sources import SourceList, SourceRow, Unfolded


@pytest.fixture
def window(qtbot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    return window


@pytest.fixture
def sources(window: QWidget) -> SourceList:
    return SourceList(window)


def first_row(sources: SourceList, *shown: Source, width: int = 600) -> SourceRow:
    colours = Colours.of(sources.palette())
    sources.show_sources(shown, Unfolded(), None, colours, passages=False)
    sources.fit(width)
    return sources._rows[0]


@pytest.mark.parametrize(
    ("place", "english", "russian"),
    [
        (Pages(first=3, last=3), "p. 3", "стр. 3"),
        (Pages(first=3, last=4), "pp. 3–4", "стр. 3–4"),
        (Slides(first=2, last=2), "slide 2", "слайд 2"),
        (Slides(first=2, last=4), "slides 2–4", "слайды 2–4"),
        (Lines(first=7, last=7), "line 7", "строка 7"),
        (Lines(first=10, last=24), "lines 10–24", "строки 10–24"),
        (Cells(sheet="May", first="B3", last="C29"), "sheet May, B3:C29", "лист May, B3:C29"),
        (Cells(sheet="May", first="B3", last="B3"), "sheet May, B3", "лист May, B3"),
        (Cells(sheet="May"), "sheet May", "лист May"),
        (None, "", ""),
    ],
)
def test_a_source_names_its_place(
    sources: SourceList, qapp: QApplication, place: Place | None, english: str, russian: str
):
    """Beside the file's name, and for who cannot see in the name of the button; in the person's language."""
    translator = Translator(qapp, bundled("i18n"))
    try:
        for language, said in (("en", english), ("ru", russian)):
            translator.choose(language)
            row = first_row(sources, hit(place=place))
            assert row.place.text() == said
            assert row.file.accessibleName().endswith(f"Договор.pdf, {said}" if said else "Договор.pdf")
    finally:
        translator.choose("en")


@pytest.mark.parametrize("width", [900, 300])
def test_a_place_stands_beside_a_name_of_any_length(sources: SourceList, width: int):
    """In a narrow window the name gives way, and neither leaves the row nor lies upon the other."""
    name, cells = (
        "Дополнительное соглашение к договору аренды.xlsx",
        Cells(sheet="Расчёты", first="B3", last="C9"),
    )
    row = first_row(sources, hit(name, place=cells), width=width)
    assert row.file.geometry().right() < row.place.geometry().left()
    assert row.place.geometry().right() < width
    assert row.place.width() >= row.place.sizeHint().width() // 2


def test_a_source_that_is_no_file_is_shown_and_not_opened(sources: SourceList):
    """By its title; there is nothing that the system could open."""
    row = first_row(
        sources,
        MessageSource(
            message_id="m",
            conversation_id="c",
            title="Rent",
            passage="900",
            role="user",
            said_at="2026-11-23T10:00:00Z",
        ),
    )
    assert (row.file.text(), row.file.isEnabled(), row.place.text()) == ("1  Rent", False, "")


def test_a_fact_is_called_by_its_sentence_and_leads_to_the_memory(qtbot, sources: SourceList):
    """Its file would open nothing; a click tells which fact is wanted."""
    fact = FactSource(
        fact_id="f", title="", passage="The key is\nwith Anna.", learned_at="2026-03-03T10:00:00Z"
    )
    row = first_row(sources, fact)
    assert row.file.text() == "1  fact: The key is with Anna."
    with qtbot.waitSignal(sources.fact_activated) as asked:
        row.file.click()
    assert asked.args == [fact]
