"""Claims about documents whose every word counts: what people's files lost before is in the text now."""

import datetime as dt
from pathlib import Path

import openpyxl
import pptx
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from reportlab.pdfgen.canvas import Canvas

from tests.hostile import assert_linear
from tests.titan_desktop.adapters.extraction import archives
from titan_desktop.adapters.extraction import richtext, webpage, worker
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.markup import MarkupError, shown
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Cells, Pages, Slides
from titan_desktop.ports.extractor import BlockKind, Extracted


def read(path: Path) -> Extracted:
    """What a worker makes of a file, in this process."""
    with path.open("rb") as file:
        return worker.read_file(file, path.suffix[1:].lower(), Limits())


def written(path: Path, content: bytes | str) -> Extracted:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path)


# Pages


def test_bare_text_of_a_page_is_kept(tmp_path: Path) -> None:
    """In div, section, span, a, dl and blockquote, beside paragraphs and tables; scripts are not."""
    found = written(
        tmp_path / "a.html",
        "<!doctype html><title>Тариф</title><style>p{}</style><p>Абзац</p>голый<div>блок <span>внутри</span></div>"
        "<section>раздел</section><dl><dt>срок<dd>год</dl><blockquote>цитата</blockquote><a href=x>ссылка</a>"
        "<ul><li>пункт<li>другой</ul><table><tr><th>Минуты<th>ГБ<tr><td>300<td>20</table>"
        "<img alt='схема'><input value='поле'><pre>a\n  b</pre><script>if (a<b) x='скрипт'</script>хвост",
    )
    assert found.title == "Тариф"
    assert found.gap is Reason.NONE
    words = "Абзац голый блок внутри раздел срок год цитата ссылка пункт другой схема поле хвост".split()
    assert [word for word in words if word not in found.text] == []
    assert "a\n  b" in found.text
    assert "скрипт" not in found.text
    assert [block.text for block in found.blocks if block.kind is BlockKind.TABLE] == ["Минуты\tГБ\n300\t20"]


def test_a_page_laid_out_in_tables_is_paragraphs(tmp_path: Path) -> None:
    """A table that holds another is no table; the inner one is."""
    found = written(
        tmp_path / "a.html",
        "<html><table><tr><td>Меню<td><p>Первый.<p>Второй.<table><tr><td>а<td>б<tr><td>1<td>2</table>Конец.</table>",
    )
    assert [(block.text, block.kind) for block in found.blocks] == [
        ("Меню\n\nПервый.\n\nВторой.", BlockKind.TEXT),
        ("а\tб\n1\t2", BlockKind.TABLE),
        ("Конец.", BlockKind.TEXT),
    ]


# Texts


def test_a_docx_is_whole(tmp_path: Path) -> None:
    """Tabs, signs, headers once, footers, notes, comments, boxes, moved text, charts; not what was deleted."""
    run = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>".format
    paragraph = "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr>{}</w:p>".format
    cell = "<w:tc>{}</w:tc>".format
    box = "<w:r><w:txbxContent>{}</w:txbxContent></w:r>"
    body = (
        paragraph(run("Сумма") + "<w:r><w:tab/></w:r>" + run("7") + "<w:r><w:tab/><w:t>000</w:t><w:br/></w:r>")
        + paragraph(run("5&gt;3 &amp; 2&lt;4 &lt;опт&gt;") + "<w:r><w:footnoteReference w:id='2'/></w:r>")
        + paragraph("<w:del><w:r><w:delText>удалено</w:delText></w:r></w:del>")
        + paragraph("<w:ins>" + run("вставлено") + "</w:ins>")
        + paragraph("<w:moveFrom>" + run("переезд") + "</w:moveFrom>")
        + paragraph("<w:moveTo>" + run("переезд") + "</w:moveTo>")
        + paragraph(run("до") + box.format(paragraph(run("коробка"))) + run("после"))
        + "<w:tbl><w:tr>" + cell(paragraph(run("Статья"))) + cell(paragraph(run("Цена"))) + "</w:tr><w:tr>"
        + cell(paragraph(run("Залог")) + paragraph(run("сразу"))) + cell(paragraph(run("45"))) + "</w:tr></w:tbl>"
    )  # fmt: skip
    found = written(
        tmp_path / "a.docx",
        archives.docx(
            body,
            header1=paragraph(run("Бланк")),
            header2=paragraph(run("Бланк")),
            footer1=paragraph(run("ИНН 77")),
            footnotes="<w:footnote w:id='2'>" + paragraph(run("сноска")) + "</w:footnote>",
            comments="<w:comment w:id='0' w:author='Анна'>" + paragraph(run("спросить")) + "</w:comment>",
            chart=archives.CHART,
        ),
    )
    assert found.gap is Reason.NONE
    assert [(block.text, block.kind is BlockKind.TABLE) for block in found.blocks] == [
        ("Бланк", False),
        (
            "Сумма\t7\t000\n\n5>3 & 2<4 <опт>[^2]\n\nвставлено\n\nпереезд\n\nдопосле\n\nкоробка",
            False,
        ),
        ("Статья\tЦена\nЗалог сразу\t45", True),
        ("Выручка", False),
        ("\tПлан\nЯнварь\t45000\nМарт\t51", True),
        ("[^2] сноска", False),
        ("Анна: спросить", False),
        ("ИНН 77", False),
    ]


def test_an_odt_is_whole(tmp_path: Path) -> None:
    """Spaces, tabs and line breaks, notes, annotations, tables, headers; not what was deleted."""
    found = written(
        tmp_path / "a.odt",
        archives.open_document(
            "text",
            "<text:tracked-changes><text:p>удалено раньше</text:p></text:tracked-changes>"
            "<text:p>Сумма<text:tab/>7<text:s text:c='2'/>000<text:line-break/>5&gt;3"
            "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>сноска</text:p>"
            "</text:note-body></text:note> конец</text:p>"
            "<text:p>с пометой<office:annotation><dc:creator>Анна</dc:creator><dc:date>2024-03-12</dc:date>"
            "<text:p>спросить</text:p></office:annotation></text:p>"
            "<table:table><table:table-row><table:table-cell><text:p>а</text:p></table:table-cell><table:table-cell>"
            "<text:p>б</text:p></table:table-cell></table:table-row></table:table>",
            "<style:master-page><style:header><text:p>Колонтитул</text:p></style:header></style:master-page>",
        ),
    )
    assert found.gap is Reason.NONE
    assert [block.text for block in found.blocks] == [
        "Сумма\t7  000\n5>3[1] конец\n\nсноска\n\nс пометой\n\nАнна: спросить",
        "а\tб",
        "Колонтитул",
    ]


def test_an_odp_has_its_slides(tmp_path: Path) -> None:
    """Each with its notes, numbered as shown."""
    page = (
        "<draw:page><draw:text-box><text:p>{}</text:p></draw:text-box>"
        "<presentation:notes><text:p>{}</text:p></presentation:notes></draw:page>"
    ).format
    body = page("Залог", "не забыть") + page("Плата", "")
    found = written(tmp_path / "a.odp", archives.open_document("presentation", body))
    assert [(block.text, block.place) for block in found.blocks] == [
        ("Залог\n\nне забыть", Slides(first=1, last=1)),
        ("Плата", Slides(first=2, last=2)),
    ]


# Forms


def test_what_a_pdf_says_beside_its_pages(tmp_path: Path) -> None:
    """Values of fields, ticked boxes and notes, on their page, also where nothing else is on it."""
    canvas = Canvas(str(tmp_path / "a.pdf"))
    canvas.drawString(40, 780, "Questionnaire")
    canvas.showPage()
    form = canvas.acroForm
    form.textfield(name="a", tooltip="Family name", value="Etorikov", x=50, y=700)
    form.checkbox(name="b", tooltip="Married", checked=True, x=50, y=600)
    form.checkbox(name="c", tooltip="Divorced", checked=False, x=50, y=500)
    canvas.textAnnotation("ask Anna", Rect=(50, 400, 90, 440))
    canvas.linkURL("https://example.org", (50, 300, 90, 340))
    canvas.showPage()
    canvas.save()
    found = {block.place: block.text for block in read(tmp_path / "a.pdf").blocks}
    assert found[Pages(first=1, last=1)] == "Questionnaire"
    beside = found[Pages(first=2, last=2)]
    assert {"Family name: Etorikov", "ask Anna"} <= set(beside.split("\n\n"))
    assert "Married" in beside
    assert "Divorced" not in beside
    assert "example" not in beside


# Slides and sheets


def test_a_deck_is_whole(tmp_path: Path) -> None:
    """Shapes in groups, alt texts, tables and charts stand on their slide; notes are the last of it."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Итоги"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "в группе"
    group._element.nvGrpSpPr.cNvPr.set("descr", "Схема отдела")
    table = slide.shapes.add_table(2, 2, 0, 0, 9, 9).table
    for at, text in enumerate(("Статья", "Цена", "Залог", "45")):
        table.cell(at // 2, at % 2).text = text
    numbers = CategoryChartData()
    numbers.categories = ["Январь", "Март"]
    numbers.add_series("План", (45_000, 51))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 9, 9, numbers)
    slide.notes_slide.notes_text_frame.text = "не забыть"
    deck.save(str(tmp_path / "a.pptx"))
    found = read(tmp_path / "a.pptx")
    assert found.gap is Reason.NONE
    assert {block.place for block in found.blocks} == {Slides(first=1, last=1)}
    assert [block.text for block in found.blocks] == [
        "Итоги\n\nСхема отдела\n\nв группе",
        "Статья\tЦена\nЗалог\t45",
        "\tПлан\nЯнварь\t45000\nМарт\t51",
        "Notes:\n\nне забыть",
    ]


def test_a_book_of_sheets_is_whole(tmp_path: Path) -> None:
    """Dates are dates, times are times, comments stand at their cells, charts at their sheets."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Смета"
    sheet.append(["дата", "время", "когда", "длительность", "сумма"])
    moment = dt.datetime(2024, 3, 12, 10, 5)  # noqa: DTZ001 - a sheet knows no zones
    sheet.append([moment.date(), dt.time(9, 30), moment, dt.timedelta(hours=26, minutes=30), 45_000])
    sheet["E2"].comment = Comment("спросить", "Анна")
    chart = BarChart()
    chart.title = "Выручка"
    chart.add_data(Reference(sheet, min_col=5, min_row=1, max_row=2), titles_from_data=True)
    sheet.add_chart(chart)
    book.save(tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx")
    assert found.gap is Reason.NONE
    texts = {block.text: block.place for block in found.blocks}
    row = "2024-03-12\t09:30:00\t2024-03-12 10:05:00\t26:30:00\t45000"
    assert f"дата\tвремя\tкогда\tдлительность\tсумма\n{row}" in texts
    assert texts["Анна: спросить"] == Cells(sheet="Смета", first="E2", last="E2")
    assert texts["Выручка"] == Cells(sheet="Смета")


def test_an_ods_is_read_as_it_is_shown(tmp_path: Path) -> None:
    """The text of cells, not their values; columns stay in line behind empty and repeated ones."""
    cell = "<table:table-cell{}>{}</table:table-cell>".format
    rows = (
        "<table:table-row>" + cell("", "<text:p>дата</text:p>") + cell(" table:number-columns-repeated='2'", "")
        + cell("", "<text:p>сумма</text:p>") + cell(" table:number-columns-repeated='16000'", "")
        + "</table:table-row><table:table-row>" + cell("", "<text:p>12.03.24</text:p>")
        + cell(" table:number-columns-repeated='2'", "<text:p>0</text:p>")
        + cell("", "<office:annotation><text:p>спросить</text:p></office:annotation><text:p>45 000 ₽</text:p>")
        + "</table:table-row>"
    )  # fmt: skip
    body = f"<table:table table:name='Май'>{rows}</table:table>"
    found = written(tmp_path / "a.ods", archives.open_document("spreadsheet", body))
    assert [(block.text, block.place) for block in found.blocks] == [
        ("Май", Cells(sheet="Май")),
        ("дата\t\t\tсумма\n12.03.24\t0\t0\tспросить 45 000 ₽", Cells(sheet="Май")),
    ]


# Books


def test_a_fictionbook_is_whole(tmp_path: Path) -> None:
    """Authors, annotation, poems, citations, tables and notes, in the encoding that it names."""
    book = (
        "<?xml version='1.0' encoding='windows-1251'?><FictionBook><description><title-info><genre>prose</genre>"
        "<author><first-name>Иван</first-name><last-name>Свеклов</last-name></author><book-title>Сказки</book-title>"
        "<annotation><p>Аннотация</p></annotation></title-info></description><body><section><title><p>Глава</p>"
        "</title><p>Жил-был<a type='note'>[1]</a>, <emphasis>он</emphasis>.</p><poem><stanza>"
        "<v>Строка</v></stanza></poem><table><tr><th>год</th><th>урожай</th></tr><tr><td>1812</td><td>5</td></tr></table></section></body>"
        "<body name='notes'><section><p>Примечание</p></section></body><binary>AAAA</binary></FictionBook>"
    )
    found = written(tmp_path / "a.fb2", book.encode("cp1251"))
    assert (found.title, found.gap) == ("Сказки", Reason.NONE)
    assert [block.text for block in found.blocks] == [
        "Иван Свеклов\n\nСказки\n\nАннотация\n\nГлава\n\nЖил-был[1], он.\n\nСтрока",
        "год\tурожай\n1812\t5",
        "Примечание",
    ]


def test_a_book_has_title_author_and_all_parts(tmp_path: Path) -> None:
    """An EPUB in the order of its spine, also where names of parts are encoded in it."""
    container = "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>"
    package = (
        "<package xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata><dc:title>Книга</dc:title>"
        "<dc:creator>Анна Урюкова</dc:creator></metadata><manifest><item id='b' href='%D0%B3%20%D0%B1.xhtml'/>"
        "<item id='a' href='a.xhtml'/></manifest><spine><itemref idref='a'/><itemref idref='b'/></spine></package>"
    )
    page = "<html><head><title>x</title></head><body>{}</body></html>".format
    found = written(
        tmp_path / "a.epub",
        archives.packed(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": container,
                "OPS/book.opf": package,
                "OPS/г б.xhtml": page("<p>Вторая глава"),
                "OPS/a.xhtml": page("<div>Первая глава</div>"),
            }
        ),
    )
    assert (found.title, found.gap) == ("Книга", Reason.NONE)
    assert [block.text for block in found.blocks] == ["Книга\nАнна Урюкова", "Первая глава", "Вторая глава"]


def test_rich_text_is_read_by_its_fonts(tmp_path: Path) -> None:
    """Whatever the header says; Unicode, tables, notes and headers are text, pictures and styles are not."""
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Times;}{\f1\fcharset204 Times Cyr;}}"
        rb"{\stylesheet{\s1 Heading;}}{\header\pard\f1 \'c1\'eb\'e0\'ed\'ea\par}{\*\generator W;}"
        rb"\f1 \'c7\'e0\'eb\'ee\'e3\tab 45\~000 {\f0 caf\'e9} \u1088?\u1091?\u1073?. \{x\}"
        rb"{\footnote \'f1\'ed\'ee\'f1}"
        rb"\par\trowd\pard\intbl a\cell b\cell\row\trowd\pard\intbl 1\cell 2\cell\row\pard "
        rb"{\pict\wmetafile8 0102ff}"
        rb"\uc1\u-10179?\u-8704?\par end}"
    )
    found = written(tmp_path / "a.rtf", rtf)
    assert [block.text for block in found.blocks] == [
        "Бланк\n\nЗалог\t45 000 café руб. {x}\n\nснос",
        "a\tb\n1\t2",
        "😀\n\nend",
    ]


# Loss and hostility


def test_what_no_reader_finds_is_said(tmp_path: Path) -> None:
    """Text where no reader looks for it makes the file one that is read in part; the rest is there."""
    hidden = "<w:drawing><x:t xmlns:x='urn:x'>тайный чертёж невидимкин</x:t></w:drawing>"
    body = "<w:p><w:r><w:t>Залог 45 000</w:t></w:r></w:p>" + f"<w:rPr>{hidden}</w:rPr>"
    found = written(tmp_path / "a.docx", archives.docx(body))
    assert found.gap is Reason.WORDS_MISSING
    assert "невидимкин" in found.gap_detail
    assert "Залог 45 000" in found.text


def test_shared_files_lose_nothing(shared_data: Path) -> None:
    """Files of people's kinds, where they are at hand."""
    folder = shared_data.parent / "reports" / "files"
    if not folder.is_dir():
        pytest.skip(f"the files of people's kinds are not at {folder}")
    for name, words in {
        "html-entities-script.html": "левый правый 350 300",
        "word-everything.docx": "Лусонов Минданаев Себуанов кудатекст 5>3",
        "word-tabs-entities.docx": "R&D <",
        "pdf-form.pdf": "Etoricoxib",
        "letter.odt": "Фруктозин Глюкозин Лактозин",
        "book.fb2": "Фейхоаву Патиссонов Редькина Свеклов",
        "epub-percent-name.epub": "Урюков",
        "rtf-1252-header-fcharset204.rtf": "Хурмин",
        "enc-cp1251-ukrainian.txt": "щомісяця",
        "enc-utf16le-nobom.txt": "Набережнов",
        "enc-utf8-one-bad-byte.txt": "Растеряхин",
        "archive.mbox": "Рябинкин Тутовников Квартальный",
        "mail-attachments.eml": "Калинкин Облепихин Ежевикин",
        "mail-no-charset-8bit.eml": "Брусникин",
        "saved-page.mht": "Инструкция Барбарис",
        "html-no-doctype-bank.xls": "«Василёк»",
    }.items():
        found = read(folder / name)
        assert [word for word in words.split() if word not in found.text] == [], name
        assert found.gap is Reason.NONE, name


@pytest.mark.parametrize("name", ["a.html", "a.docx", "a.rtf"])
def test_deep_nesting_is_survived(tmp_path: Path, name: str) -> None:
    """A hundred thousand elements in each other cost milliseconds and no stack."""
    depth = 100_000
    content = {
        "a.html": "<html>" + "<div>" * depth + "залог",
        "a.docx": archives.docx("<w:p><w:r><w:t>залог</w:t></w:r></w:p>" + "<w:sdt>" * depth),
        "a.rtf": "{\\rtf1 " + "{" * depth + "zalog",
    }[name]
    assert written(tmp_path / name, content).text in {"залог", "zalog"}


def test_entities_do_not_grow(tmp_path: Path) -> None:
    """Entities of entities stay far below the two hundred megabytes that they ask for; nothing is fetched."""
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 9))
    bomb = (
        f"<!DOCTYPE d [<!ENTITY l0 'ha'>{laughs}<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        "<FictionBook><body><p>залог &l8; &x;</p></body></FictionBook>"
    )
    found = written(tmp_path / "a.fb2", bomb)
    assert "залог" in found.text
    assert len(found.text) < 100_000
    assert "root:" not in found.text


def test_reading_takes_time_in_proportion_to_the_text() -> None:
    """Pages and rich text of whatever is repeated."""

    def page(text: str) -> None:
        try:
            webpage.read(text, flow := Flow(has_layout=True))
            list(flow.blocks())
        except MarkupError:
            pass

    assert_linear(page, 100_000)
    assert_linear(shown, 100_000)
    assert_linear(lambda text: list(richtext.blocks(text.encode("utf-8", "replace"))), 100_000)
    for unit in ("<table><tr><td>", "<script>", "<b>x", "<p>", "{\\*\\x ", "\\u1 ", "\\'d0", "{\\footnote "):
        page(unit * 20_000)
        list(richtext.blocks((unit * 20_000).encode()))
