"""The claim that a person's kinds of files are read: one table of what each gives."""

import json
import mailbox
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests import documents
from tests.titan_desktop.adapters.extraction import archives
from tests.titan_desktop.adapters.extraction.test_archives import LETTER, read, tarred
from tests.titan_desktop.adapters.extraction.test_mail import PAGE, letter
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Cells, Lines, Member, Pages, Slides

FACT = "Залог составляет 45 000 рублей"
TABLE = (
    "<table:table table:name='Май'><table:table-row><table:table-cell><text:p>{}</text:p></table:table-cell>"
)
BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": "<container><rootfiles><rootfile full-path='b.opf'/></rootfiles></container>",
    "b.opf": "<package><manifest><item id='a' href='a.xhtml'/></manifest>"
    "<spine><itemref idref='a'/></spine></package>",
    "a.xhtml": f"<html><body><p>{FACT}</p></body></html>",
}
NOTEBOOK = {"cells": [{"cell_type": "markdown", "source": [FACT]}]}
RICH = "{\\rtf1\\ansi\\ansicpg1251 " + "".join(f"\\u{ord(char)}?" for char in FACT) + "}"
SHEETS = f"{TABLE.format(FACT)}</table:table-row></table:table>"
SLIDES = f"<draw:page><draw:text-box><text:p>{FACT}</text:p></draw:text-box></draw:page>"


def _mailbox(path: Path) -> bytes:
    box = mailbox.mbox(path)
    box.add(letter("x", FACT).as_bytes())
    box.close()
    return path.read_bytes()


def _workbook(path: Path) -> bytes:
    book = Workbook()
    book.active.append([FACT])
    book.save(path)
    return path.read_bytes()


def _of(make: object, path: Path) -> bytes:
    return make(path, documents.RUSSIAN).read_bytes()  # type: ignore[operator, no-any-return]


@pytest.mark.parametrize("kind", sorted(
    "pdf docx xlsx pptx odt ods odp rtf epub fb2 html md txt csv json ipynb eml mbox mhtml zip tar py".split()
))  # fmt: skip
def test_each_kind_gives_its_text(tmp_path: Path, kind: str) -> None:
    """Whole, and with the place that its kind has."""
    scratch = tmp_path / "made"
    content = {
        "pdf": lambda: _of(documents.make_pdf, scratch),
        "docx": lambda: archives.docx(f"<w:p><w:r><w:t>{FACT}</w:t></w:r></w:p>"),
        "xlsx": lambda: _workbook(scratch.with_suffix(".xlsx")),
        "pptx": lambda: _of(documents.make_pptx, scratch),
        "odt": lambda: archives.open_document("text", f"<text:p>{FACT}</text:p>"),
        "ods": lambda: archives.open_document("spreadsheet", SHEETS),
        "odp": lambda: archives.open_document("presentation", SLIDES),
        "rtf": RICH.encode,
        "epub": lambda: archives.packed(BOOK),
        "fb2": f"<FictionBook><body><section><p>{FACT}</p></section></body></FictionBook>".encode,
        "html": f"<!doctype html><div>{FACT}</div>{PAGE}".encode,
        "json": lambda: json.dumps({"x": FACT}).encode(),
        "ipynb": lambda: json.dumps(NOTEBOOK).encode(),
        "eml": lambda: letter("x", FACT).as_bytes(),
        "mbox": lambda: _mailbox(scratch),
        "mhtml": lambda: b"Subject: x\nContent-Type: text/html\n\n" + f"<html><p>{FACT}</html>".encode(),
        "zip": lambda: archives.packed({"a.txt": FACT}),
        "tar": lambda: tarred({"a.docx": archives.docx(LETTER), "a.txt": FACT.encode()}),
    }.get(kind, FACT.encode)()
    places = {
        "pdf": Pages, "xlsx": Cells, "ods": Cells, "pptx": Slides, "odp": Slides, "mbox": Member, "zip": Member,
        "tar": Member, "txt": Lines, "md": Lines, "csv": Lines, "py": Lines,
    }  # fmt: skip
    found = read(tmp_path / f"a.{kind}", content)
    assert found.gap is Reason.NONE
    [block] = [block for block in found.blocks if FACT in block.text]
    assert isinstance(block.place, places.get(kind, type(None)))
