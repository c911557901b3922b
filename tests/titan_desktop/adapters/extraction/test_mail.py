"""Claims about mails and documents in disguise: what they are decides, not their names or what they say."""

import base64
import mailbox
import quopri
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.titan_desktop.adapters.extraction import archives
from tests.titan_desktop.adapters.extraction.test_archives import LETTER, read
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Cells, Lines, Member
from titan_desktop.ports.extractor import BlockKind, ExtractionError

PAGE = "<html><body><p>Инструкция</p><table><tr><td>а<td>б<tr><td>1<td>2</table></body></html>"


def letter(subject: str, text: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "Анна <anna@example.org>", "boris@example.org"
    made["Date"] = "Tue, 12 Mar 2024 10:00:00 +0300"
    made.set_content(text)
    return made


def test_a_mail_is_read_with_its_attachments(tmp_path: Path) -> None:
    """Head, text, documents, pictures by their names, and a mail within, whose attachments are its own."""
    inner = letter("Пересланное", "внутри")
    inner.add_attachment("дно", filename="дно.txt")
    mail = letter("Смета", "Смотрите вложения.")
    mail.add_alternative("<p>Смотрите вложения.</p><img src='cid:x'>", subtype="html")
    mail.add_attachment(
        archives.docx(LETTER), maintype="application", subtype="octet-stream", filename="смета.docx"
    )
    mail.add_attachment(b"\xff\xd8", maintype="image", subtype="jpeg", filename="крыша.jpg")
    mail.add_attachment(inner)
    found = read(tmp_path / "a.eml", mail.as_bytes())
    assert (found.title, found.gap) == ("Смета", Reason.NONE)
    within = Member(path="Пересланное.eml › дно.txt", place=Lines(first=1, last=2))
    head = "Subject: {}\nFrom: Анна <anna@example.org>\nTo: boris@example.org\n"
    head += "Date: Tue, 12 Mar 2024 10:00:00 +0300"
    assert [(block.text, block.place) for block in found.blocks] == [
        (head.format("Смета"), None),
        ("Смотрите вложения.", None),
        ("смета.docx", Member(path="смета.docx")),
        ("Залог 45 000", Member(path="смета.docx")),
        ("Пересланное.eml", Member(path="Пересланное.eml")),
        (head.format("Пересланное"), Member(path="Пересланное.eml")),
        ("внутри", Member(path="Пересланное.eml")),
        ("дно.txt", Member(path="Пересланное.eml › дно.txt")),
        ("дно\n", within),
        ("крыша.jpg", None),
    ]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-8"])
@pytest.mark.parametrize("named", ["", "; charset=us-ascii", "; charset=x-unheard-of"])
def test_a_charset_may_be_missing_or_wrong(tmp_path: Path, encoding: str, named: str) -> None:
    """In the body and in the head."""
    mail = (
        f"Subject: Акт сверки и счёт\nContent-Type: text/plain{named}\nContent-Transfer-Encoding: 8bit\n\n"
        "Здравствуйте! Пересылаю акт сверки, ответственный Брусникин."
    )
    found = read(tmp_path / "a.eml", mail.encode(encoding))
    assert "ответственный Брусникин" in found.text
    assert found.title == "Акт сверки и счёт"


def test_each_mail_of_a_mailbox_is_a_member(tmp_path: Path) -> None:
    """Numbered, and named by its subject."""
    box = mailbox.mbox(tmp_path / "a.mbox")
    for subject, text in (("Отчёт / план", "квартал"), ("Отчёт / план", "год\n\nFrom here on")):
        box.add(letter(subject, text).as_bytes())
    box.close()
    found = read(tmp_path / "b.mbox", (tmp_path / "a.mbox").read_bytes())
    places = {block.text: block.place for block in found.blocks}
    assert places["квартал"] == Member(path="1. Отчёт план.eml")
    assert next(place for text, place in places.items() if text.startswith("год")) == Member(
        path="2. Отчёт план.eml"
    )


def test_a_page_saved_as_mime_is_a_page(tmp_path: Path) -> None:
    """MHTML, also as a Word document: its parts of HTML are read, pictures and styles are no attachments."""
    mail = EmailMessage()
    mail["Subject"] = "Роутер"
    mail.set_content(PAGE, subtype="html", cte="quoted-printable")
    mail.add_related(b"\x89PNG", maintype="image", subtype="png", filename="logo.png", disposition="inline")
    mail.add_related("p{}", subtype="css", filename="s.css", disposition="inline")
    for name in ("a.mht", "a.doc"):
        found = read(tmp_path / name, mail.as_bytes())
        assert [block.text for block in found.blocks] == ["Subject: Роутер", "Инструкция", "а\tб\n1\t2"]


def test_office_documents_of_one_xml_file(tmp_path: Path) -> None:
    """Word of 2003 and "flat", Excel of 2003, pages with an office's name."""
    run = "<w:p><w:r><w:t>Залог</w:t></w:r><w:r><w:tab/><w:t>45</w:t></w:r></w:p>"
    old = f"<?xml version='1.0'?><w:wordDocument xmlns:w='http://schemas.microsoft.com/office/word/2003/wordml'>{run}"
    found = read(tmp_path / "a.doc", f"{old}<w:binData>QUJD</w:binData></w:wordDocument>".encode("utf-16"))
    assert found.text == "Залог\t45"
    flat = (
        "<pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part><pkg:xmlData>"
        f"<w:document {archives.W}>{run}</w:document></pkg:xmlData></pkg:part></pkg:package>"
    )
    assert read(tmp_path / "a.xml", flat.encode()).text == "Залог\t45"
    sheet = (
        "<ss:Workbook xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'><ss:Worksheet ss:Name='Май'>"
        "<ss:Table><ss:Row><ss:Cell><ss:Data>а</ss:Data></ss:Cell><ss:Cell ss:Index='3'><ss:Data>б</ss:Data>"
        "<ss:Comment><ss:Data>спросить</ss:Data></ss:Comment></ss:Cell></ss:Row></ss:Table></ss:Worksheet>"
    )
    assert [(b.text, b.place) for b in read(tmp_path / "a.xls", sheet.encode()).blocks] == [
        ("Май", Cells(sheet="Май")),
        ("а\t\tб спросить", Cells(sheet="Май")),
    ]
    bank = "<meta charset=x><table><tr><td>Дата<td>Сумма<tr><td>12.03<td>4&nbsp;500</table>"
    table = read(tmp_path / "b.xls", bank.encode()).blocks
    assert [(block.text, block.kind) for block in table] == [("Дата\tСумма\n12.03\t4 500", BlockKind.TABLE)]
    assert read(tmp_path / "b.md", bank.encode()).text == bank


def test_encoded_texts_are_decoded(tmp_path: Path) -> None:
    """Quoted-printable and base64 that stand in a text file without a mail's head."""
    text = "Договор аренды квартиры, залог сорок пять тысяч рублей. " * 9
    for encoded in (quopri.encodestring(text.encode()), base64.encodebytes(text.encode())):
        found = read(tmp_path / "a.txt", encoded)
        assert (found.text.strip(), found.gap) == (text.strip(), Reason.NONE)


def test_hostile_mails_cost_little(tmp_path: Path) -> None:
    """Heads of a megabyte, thousands of parts, parts in each other: read, in part, or refused."""
    head = b"MIME-Version: 1.0\nSubject: x\n"
    parameters = b'Content-Type: text/plain; x="' + b'\\";' * 300_000
    assert "zalog" in read(tmp_path / "a.eml", head + parameters + b"\n\nzalog").text
    words = b"Subject: " + b"=?utf-8?B?0JHRi9C7?= " * 50_000
    assert "zalog" in read(tmp_path / "b.eml", b"MIME-Version: 1.0\n" + words + b"\n\nzalog").text
    mixed = head + b"Content-Type: multipart/mixed; boundary=b\n\n"
    assert read(tmp_path / "c.eml", mixed + b"--b\n\nzalog\n" * 9_000).gap is Reason.CUT
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(1_000))
    with pytest.raises(ExtractionError):
        read(tmp_path / "d.eml", head + deep)
