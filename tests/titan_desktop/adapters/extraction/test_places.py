"""Claims about the places of what comes out of files: each word stands where its block says."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pptx
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.workbook import Workbook

from tests import documents
from titan_desktop.adapters.extraction import worker
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.pool import PooledExtractor
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.sources import Cells, Lines, Pages, Place, Slides
from titan_desktop.ports.extractor import Block, BlockKind

LIMITS = Limits()


def blocks_of(path: Path, limits: Limits = LIMITS) -> tuple[Block, ...]:
    """What a worker makes of a file, in this process."""
    with path.open("rb") as file:
        return worker.read_file(file, path.suffix[1:].lower(), limits).blocks


def places_of(path: Path) -> dict[str, Place | None]:
    return {block.text: block.place for block in blocks_of(path)}


def rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of an Office document."""
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    path.write_bytes(changed.getvalue())


# Pages


def test_each_page_of_a_pdf_is_a_block(tmp_path: Path) -> None:
    """Numbered as a reader numbers them; a page without text is left out and counted."""
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "a.pdf"))
    for text in ("Rental agreement", "", "The deposit is 900 euros"):
        canvas.drawString(40, 780, text)
        canvas.showPage()
    canvas.save()
    assert places_of(tmp_path / "a.pdf") == {
        "Rental agreement": Pages(first=1, last=1),
        "The deposit is 900 euros": Pages(first=3, last=3),
    }


def test_pages_of_another_programs_pdf(shared_data: Path) -> None:
    """Four pages that LaTeX made are four blocks."""
    found = blocks_of(shared_data / "documents" / "pdflatex-4-pages.pdf")
    assert [block.place for block in found] == [Pages(first=n, last=n) for n in (1, 2, 3, 4)]


def test_no_page_is_named_in_a_docx(tmp_path: Path) -> None:
    """Its pages are made by who shows it; a wrong one would be worse than none."""
    assert [
        block.place for block in blocks_of(documents.make_docx(tmp_path / "a.docx", documents.RUSSIAN))
    ] == [None]


# Slides


def make_deck(path: Path, *titles: str, order: tuple[int, ...] = ()) -> Path:
    deck = pptx.Presentation()
    for title in titles:
        slide = deck.slides.add_slide(deck.slide_layouts[5 if title else 6])
        if title:
            slide.shapes.title.text = title
    listed = deck.slides._sldIdLst
    slides = list(listed)
    for number in order:
        listed.remove(slides[number])
        listed.append(slides[number])
    deck.save(str(path))
    return path


def test_each_slide_is_a_block(tmp_path: Path) -> None:
    """Its notes with it; an empty slide is left out and counted."""
    path = make_deck(tmp_path / "a.pptx", "Залог", "", "Плата")
    deck = pptx.Presentation(str(path))
    deck.slides[2].notes_slide.notes_text_frame.text = "не забыть"
    deck.save(str(path))
    assert places_of(path) == {
        "Залог": Slides(first=1, last=1),
        "Плата\n\nNotes:\n\nне забыть": Slides(first=3, last=3),
    }


def test_notes_stay_with_their_slide(tmp_path: Path) -> None:
    """Where only some slides have notes, and where slides were moved."""
    path = make_deck(tmp_path / "a.pptx", "Один", "Два", "Три", "Четыре")
    deck = pptx.Presentation(str(path))
    for number, note in ((3, "к четвёртому"), (1, "ко второму")):
        deck.slides[number].notes_slide.notes_text_frame.text = note
    listed = deck.slides._sldIdLst
    listed.insert(0, listed[3])
    deck.save(str(path))
    assert places_of(path) == {
        "Четыре\n\nNotes:\n\nк четвёртому": Slides(first=1, last=1),
        "Один": Slides(first=2, last=2),
        "Два\n\nNotes:\n\nко второму": Slides(first=3, last=3),
        "Три": Slides(first=4, last=4),
    }


def test_slides_are_numbered_as_they_are_shown(tmp_path: Path) -> None:
    """Not by the names of their parts, which keep their old order when slides are moved."""
    titles = [f"Слайд {number}" for number in range(12)]
    order = (11, 3, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10)
    found = blocks_of(make_deck(tmp_path / "a.pptx", *titles, order=order))
    assert [(block.text, block.place) for block in found] == [
        (titles[number], Slides(first=place, last=place)) for place, number in enumerate(order, 1)
    ]


def test_slides_whose_order_cannot_be_read_have_no_place(tmp_path: Path) -> None:
    """All their text is there."""
    path = make_deck(tmp_path / "a.pptx", "Залог", "Плата")
    rewrite(path, "ppt/_rels/presentation.xml.rels", lambda part: part.replace(b'Id="rId', b'Id="other'))
    assert places_of(path) == {"Залог": None, "Плата": None}


def test_a_slide_cannot_pretend_to_be_another(tmp_path: Path) -> None:
    """What looks like a mark of a page or a slide is text."""
    text = "<!-- PAGE 7 -->"
    assert places_of(make_deck(tmp_path / "a.pptx", text)) == {text: Slides(first=1, last=1)}


# Sheets and cells


def make_book(path: Path, fill: Callable[[Workbook], None]) -> Path:
    book = openpyxl.Workbook()
    fill(book)
    book.save(path)
    return path


def test_rows_know_their_cells(tmp_path: Path) -> None:
    """Wherever the filled part of a sheet begins; a row without a cell parts two blocks."""

    def fill(book: Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet.title = "Бюджет"
        sheet["C3"], sheet["D3"] = "Статья", "Сумма"
        sheet["C4"], sheet["D4"] = "Залог\nпри въезде", 45_000
        sheet["B9"] = "Итого"
        sheet["F40"].number_format = "0.00"  # a cell that is only formatted
        book.create_sheet("Пусто")
        book.create_sheet("Прочее")["AB1"] = "свет"

    found = blocks_of(make_book(tmp_path / "a.xlsx", fill))
    assert [(block.text, block.place, block.kind) for block in found] == [
        ("Бюджет", Cells(sheet="Бюджет"), BlockKind.TEXT),
        (
            "\tСтатья\tСумма\n\tЗалог при въезде\t45000",
            Cells(sheet="Бюджет", first="B3", last="D4"),
            BlockKind.TABLE,
        ),
        ("Итого", Cells(sheet="Бюджет", first="B9", last="D9"), BlockKind.TABLE),
        ("Прочее", Cells(sheet="Прочее"), BlockKind.TEXT),
        ("свет", Cells(sheet="Прочее", first="AB1", last="AB1"), BlockKind.TABLE),
    ]


def test_a_sheet_of_charts_does_not_shift_the_others(tmp_path: Path) -> None:
    """It has no rows, and the sheet behind it keeps its own name and cells."""

    def fill(book: Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet["B2"] = 1
        chart = BarChart()
        chart.add_data(Reference(sheet, min_col=2, min_row=2, max_row=2))
        book.create_chartsheet("Chart").add_chart(chart)
        book.create_sheet("After")["D4"] = "last"

    assert places_of(make_book(tmp_path / "a.xlsx", fill))["last"] == Cells(
        sheet="After", first="D4", last="D4"
    )


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        (b"", "C3"),
        (b'<c r="A1"/>', "C3"),
        (b'<c r="A1"><v></v></c>', "C3"),
        (b'<c r="A1"><f>B1</f></c>', "C3"),
        (b'<c r="A1" t="inlineStr"></c>', "C3"),
        (b'<c r="A1" t="inlineStr"><is><t></t></is></c>', "A3"),
        (b'<c r="A1" t="str"><f>B1</f><v></v></c>', "A3"),
        (b'<c r="A1" t="b"><v>1</v></c>', "A3"),
        (b'<c r="A1"><v> 7</v></c>', "A3"),
        (b"<c><v>7</v></c>", ""),
    ],
)
def test_cells_that_look_empty(tmp_path: Path, cell: bytes, first: str) -> None:
    """Those that kreuzberg counts count here; where cells do not say where they are, none is named."""

    def fill(book: Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet["C3"], sheet["D4"] = "x", 5

    path = make_book(tmp_path / "a.xlsx", fill)
    begin = b'<sheetData><row r="1">' + cell + b"</row>"
    rewrite(path, "xl/worksheets/sheet1.xml", lambda part: part.replace(b"<sheetData>", begin))
    assert blocks_of(path)[-1].place == Cells(sheet="Sheet", first=first, last="D4" if first else "")


def test_what_is_no_xlsx_knows_its_sheets_alone(tmp_path: Path) -> None:
    """OpenDocument says nothing of cells that kreuzberg would tell."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    for name in ("Май", "Июнь"):
        cell, row, table = TableCell(valuetype="string"), TableRow(), Table(name=name)
        cell.addElement(P(text=f"аренда за {name}"))
        row.addElement(cell)
        table.addElement(row)
        book.spreadsheet.addElement(table)
    book.save(str(tmp_path / "a.ods"))
    places = places_of(tmp_path / "a.ods")
    assert places["аренда за Май"] == Cells(sheet="Май")
    assert places["аренда за Июнь"] == Cells(sheet="Июнь")


# Lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
def test_lines_of_a_text_stay_where_they_are(tmp_path: Path, end: str, encoding: str) -> None:
    """Blank ones too, and whatever else looks like the end of a line to somebody."""
    lines = ["", "Залог", "", "", "45 000\f рублей", "пе\u00adренос", "  отступ  ", ""]
    path = documents.make_text(tmp_path / "a.txt", end.join(lines).replace("\u00ad", ""), encoding)
    (block,) = blocks_of(path)
    assert block.place == Lines(first=1, last=len(lines))
    assert block.text.split("\n") == ["", "Залог", "", "", "45 000  рублей", "перенос", "  отступ", ""]


def test_a_word_that_is_broken_over_lines_is_whole(tmp_path: Path) -> None:
    """It stands on the line where it begins, and the next keeps its number."""
    (block,) = blocks_of(documents.make_text(tmp_path / "a.txt", "за\u00ad\nлог возвращается\nпри выезде"))
    assert block.text == "залог\nвозвращается\nпри выезде"


@pytest.mark.parametrize("name", ["a.json", "a.ipynb"])
def test_what_is_shown_in_other_lines_names_none(tmp_path: Path, name: str) -> None:
    """JSON is laid out anew; one that cannot be read is shown as it is."""
    content = '{"cells": [{"source": "x = 1"}], "залог": "\\u0434\\u0430"}'
    (block,) = blocks_of(documents.make_text(tmp_path / name, content))
    assert block.place is None
    (broken,) = blocks_of(documents.make_text(tmp_path / name, content + "\n}"))
    assert broken.place == Lines(first=1, last=2)


def test_the_limit_of_characters_spans_blocks(tmp_path: Path) -> None:
    """What is over it is cut off, in the middle of a page if need be."""
    path = make_deck(tmp_path / "a.pptx", "0123456789", "abcdefghij", "xyz")
    found = list(worker.within(blocks_of(path), Limits(text_characters=14)))
    assert [block.text for block in found] == ["0123456789", "abcd"]


async def test_a_sheet_whose_name_is_no_name_gives_its_rows(tmp_path: Path) -> None:
    """What the core would not believe of a place is left out; the text is not."""
    path = tmp_path / "a.ods"
    name = "x" * 5_000
    book = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="{name}"><table:table-row><table:table-cell office:value-type="string">'
        "<text:p>The deposit is 900 euros</text:p></table:table-cell></table:table-row></table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        made.writestr("content.xml", book)
    async with PooledExtractor(LocalFilesRoot([tmp_path]), tmp_path / "workers") as pool:
        found = await pool.extract(path)
    assert "The deposit is 900 euros" in found.text
    assert {block.place for block in found.blocks} == {None}
