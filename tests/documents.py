"""Documents that tests make for themselves: one lease in Russian and one in English, in every kind a person keeps.

`make_documents(folder)` is used by the tests of extraction and by the end-to-end tests. Every document holds
`RUSSIAN` or `ENGLISH`; the legacy text files hold the Russian sentences in their encodings.
"""

from pathlib import Path

RUSSIAN = (
    "Договор аренды квартиры по адресу: Санкт-Петербург, улица Рубинштейна, дом 15.",
    "Залог составляет 45 000 рублей и возвращается при выезде.",
    "Арендная плата: 60 000 рублей в месяц, не позднее пятого числа.",
)
ENGLISH = (
    "Rental agreement for the flat at 15 Rubinstein Street.",
    "The security deposit is 1,200 euros and is returned when the tenant moves out.",
    "The rent of 950 euros is due on the fifth day of each month.",
)
RUSSIAN_FACT = "Залог составляет 45 000 рублей"
ENGLISH_FACT = "The security deposit is 1,200 euros"
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
ENCODINGS = {"utf8": "utf-8", "cp1251": "cp1251", "utf16": "utf-16", "koi8r": "koi8-r"}


def make_documents(folder: Path) -> dict[str, Path]:
    """Write one document of each kind and return them by kind: "pdf", "docx", … "txt_cp1251", "english_pdf"."""
    made = {
        "pdf": make_pdf(folder / "Договор аренды.pdf", RUSSIAN),
        "docx": make_docx(folder / "Договор аренды.docx", RUSSIAN),
        "xlsx": make_xlsx(folder / "Расходы.xlsx", RUSSIAN),
        "pptx": make_pptx(folder / "Презентация.pptx", RUSSIAN),
        "odt": make_odt(folder / "Акт приёма.odt", RUSSIAN),
        "md": make_text(folder / "Заметки.md", "# Заметки\n\n" + "\n\n".join(RUSSIAN)),
        "html": make_html(folder / "Страница.html", RUSSIAN),
        "english_pdf": make_pdf(folder / "Rental agreement.pdf", ENGLISH),
        "english_txt": make_text(folder / "Rental agreement.txt", "\n".join(ENGLISH)),
    }
    for name, encoding in ENCODINGS.items():
        made[f"txt_{name}"] = make_text(folder / f"Письмо {name}.txt", "\r\n".join(RUSSIAN), encoding)
    return made


def make_pdf(path: Path, lines: tuple[str, ...], password: str = "") -> Path:
    """A page of text; with `password` it cannot be read without it."""
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont("DejaVu", str(DEJAVU)))
    canvas = Canvas(str(path), encrypt=StandardEncryption(password) if password else None)
    canvas.setFont("DejaVu", 10)
    for number, line in enumerate(lines):
        canvas.drawString(40, 780 - 20 * number, line)
    canvas.save()
    return path


def make_docx(path: Path, lines: tuple[str, ...]) -> Path:
    """Paragraphs under a heading."""
    import docx

    document = docx.Document()
    document.add_heading("Документ", level=1)
    for line in lines:
        document.add_paragraph(line)
    document.save(str(path))
    return path


def make_xlsx(path: Path, lines: tuple[str, ...]) -> Path:
    """One sentence a row, with an amount beside it."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Лист"
    for number, line in enumerate(lines):
        sheet.append([line, 45_000 + number])
    book.save(path)
    return path


def make_pptx(path: Path, lines: tuple[str, ...]) -> Path:
    """One slide a sentence."""
    import pptx

    deck = pptx.Presentation()
    for line in lines:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = "Слайд"
        slide.placeholders[1].text = line
    deck.save(str(path))
    return path


def make_odt(path: Path, lines: tuple[str, ...]) -> Path:
    """Paragraphs."""
    from odf.opendocument import OpenDocumentText
    from odf.text import P

    document = OpenDocumentText()
    for line in lines:
        document.text.addElement(P(text=line))
    document.save(str(path))
    return path


def make_html(path: Path, lines: tuple[str, ...], encoding: str = "utf-8") -> Path:
    """A page with a script in it, which is no text."""
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    page = (
        f'<!doctype html><html><head><meta charset="{encoding}"><title>Аренда</title>'
        f"<script>var hidden = 'invisible';</script></head><body><h1>Аренда</h1>{paragraphs}</body></html>"
    )
    return make_text(path, page, encoding)


def make_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """The text and nothing else."""
    path.write_bytes(text.encode(encoding))
    return path
