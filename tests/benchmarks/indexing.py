"""How fast files are read into the index: `python -m tests.benchmarks.indexing [FILES]`.

Text, PDF and DOCX in equal parts, of a page or so each, in a home of their own; the figures are those that
`titan index --json` says, once on a new index and once again when nothing has changed.
"""

import json
import random
import sys
from pathlib import Path

from tests.benchmarks.private_titan import private_titan

WORDS = (
    "договор аренды квартира залог рублей срок оплата стороны обязанности ремонт счёт месяц адрес город улица "
    "agreement tenant landlord deposit monthly payment notice repair contract address insurance total"
).split()


def text(seed: int) -> str:
    """About 2,500 characters in paragraphs."""
    pick = random.Random(seed)
    return "\n\n".join(" ".join(pick.choices(WORDS, k=60)).capitalize() + "." for _ in range(5))


def write_pdf(path: Path, content: str) -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen import canvas

    if "DejaVuSans" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("DejaVuSans", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"))
    page = canvas.Canvas(str(path))
    page.setFont("DejaVuSans", 9)
    words, top = content.split(), 800
    while words:
        line, words = words[:11], words[11:]
        page.drawString(40, top, " ".join(line))
        top -= 12
    page.save()


def write_docx(path: Path, content: str) -> None:
    import docx

    document = docx.Document()
    for paragraph in content.split("\n\n"):
        document.add_paragraph(paragraph)
    document.save(str(path))


def main(count: int) -> None:
    """Make the files, index them twice, print both."""
    with private_titan() as titan:
        for number in range(count):
            content, name = text(number), titan.desktop / f"document-{number:05}"
            match number % 3:
                case 0:
                    name.with_suffix(".txt").write_text(content, "utf-8")
                case 1:
                    write_pdf(name.with_suffix(".pdf"), content)
                case _:
                    write_docx(name.with_suffix(".docx"), content)
        size = sum(path.stat().st_size for path in titan.desktop.iterdir())
        print(f"{count} files, {size / 1e6:.1f} MB: text, PDF and DOCX in equal parts\n")
        print(
            f"{'run':<12}{'indexed':>9}{'unchanged':>11}{'failed':>8}{'seconds':>9}{'files/s':>9}{'MB/s':>7}"
        )
        with_core = titan.command("doctor", "--json")
        assert with_core.stdout, with_core.stderr
        for run in ("new", "again"):
            done = json.loads(titan.command("index", "--json", timeout_s=1800).stdout)
            seconds = done["seconds"]
            print(
                f"{run:<12}{done['indexed']:>9}{done['unchanged']:>11}{len(done['failed']):>8}{seconds:>9.2f}"
                f"{count / seconds:>9.0f}{size / 1e6 / seconds:>7.2f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
