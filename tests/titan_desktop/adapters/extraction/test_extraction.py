"""Claims about text out of files: the right text of good ones, the right reason for bad ones."""

import asyncio
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests import documents
from tests.hostile import assert_linear
from titan_desktop.adapters.extraction import charset, kinds, tidy
from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.pool import PooledExtractor
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Lines
from titan_desktop.ports.extractor import Block, ExtractionError

MIB = 1024 * 1024
SMALL = Limits(timeout_s=20, file_bytes=MIB, unpacked_bytes=4 * MIB, text_characters=5_000, text_bytes=40_000)


@pytest.fixture(scope="session")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desktop")


@pytest.fixture(scope="session")
def made(desktop: Path) -> dict[str, Path]:
    return documents.make_documents(desktop)


@pytest.fixture(scope="session")
def workers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers") / "extraction"


@pytest.fixture(scope="session")
async def extractor(desktop: Path, shared_data: Path, workers_folder: Path) -> AsyncIterator[PooledExtractor]:
    """The product's reader, over the documents that the tests make and the public ones."""
    async with PooledExtractor(LocalFilesRoot([desktop, shared_data]), workers_folder, SMALL) as pool:
        yield pool


async def reason_of(extractor: PooledExtractor, path: Path) -> Reason:
    with pytest.raises(ExtractionError) as caught:
        await extractor.extract(path)
    return caught.value.reason


RUSSIAN_KINDS = [
    "pdf",
    "docx",
    "xlsx",
    "pptx",
    "odt",
    "md",
    "html",
    *(f"txt_{n}" for n in documents.ENCODINGS),
]


@pytest.mark.parametrize("kind", RUSSIAN_KINDS)
async def test_russian_text_comes_out_of_every_kind(
    extractor: PooledExtractor, made: dict[str, Path], kind: str
) -> None:
    """Every kind of document gives all its sentences, letter for letter, once."""
    text = (await extractor.extract(made[kind])).text
    for sentence in documents.RUSSIAN:
        assert text.count(sentence) == 1


@pytest.mark.parametrize("kind", ["english_pdf", "english_txt"])
async def test_english_text_comes_out_once(
    extractor: PooledExtractor, made: dict[str, Path], kind: str
) -> None:
    """A PDF whose lines look like a table does not give them twice."""
    text = (await extractor.extract(made[kind])).text
    for sentence in documents.ENGLISH:
        assert text.count(sentence) == 1


async def test_a_page_gives_its_text_and_title_but_not_its_script(
    extractor: PooledExtractor, made: dict[str, Path], desktop: Path
) -> None:
    """HTML, in UTF-8 or cp1251, is text without scripts."""
    legacy = documents.make_html(desktop / "old.html", documents.RUSSIAN, "cp1251")
    for page in (made["html"], legacy):
        found = await extractor.extract(page)
        assert found.title == "Аренда"
        assert "invisible" not in found.text
        assert documents.RUSSIAN_FACT in found.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("google-doc-document.pdf", "Beautiful is better than ugly."),
        ("minimal-document.pdf", "Lorem ipsum dolor sit amet"),
        ("pdflatex-4-pages.pdf", "Hello, here is some text without a meaning."),
        ("source.odt", "Lorem ipsum dolor sit amet"),
    ],
)
async def test_public_documents_give_their_text(
    extractor: PooledExtractor, shared_data: Path, name: str, words: str
) -> None:
    """Documents made by other programs are read."""
    found = await extractor.extract(shared_data / "documents" / name)
    assert words in found.text
    assert "\r" not in found.text


async def test_what_parsers_unpack_lies_in_a_folder_of_ours(
    extractor: PooledExtractor, made: dict[str, Path], workers_folder: Path
) -> None:
    """Not in a temporary folder of everybody, where another user could lay a library for us to load."""
    assert documents.RUSSIAN_FACT in (await extractor.extract(made["pdf"])).text
    folder, libraries = await asyncio.to_thread(
        lambda: (workers_folder.stat(), [*workers_folder.rglob("*pdfium*.*")])
    )
    assert folder.st_mode & 0o077 == 0
    assert len(libraries) == 1


async def test_a_document_under_a_password_is_encrypted(
    extractor: PooledExtractor, shared_data: Path, desktop: Path
) -> None:
    """PDF, an Office container, an OpenDocument file and a ZIP under a password say ENCRYPTED."""
    office = (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    )
    manifest = b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    secrets = [
        shared_data / "documents" / "libreoffice-writer-password.pdf",
        documents.make_pdf(desktop / "locked.pdf", documents.RUSSIAN, password="geheim"),
        _written(desktop / "locked.docx", office),
        _written(desktop / "locked.odt", _zip({"META-INF/manifest.xml": manifest, "content.xml": b"x"})),
    ]
    assert [await reason_of(extractor, path) for path in secrets] == [Reason.ENCRYPTED] * len(secrets)


@pytest.mark.logs("a link stands on the way", "outside")
async def test_bad_files_say_what_is_wrong(
    extractor: PooledExtractor, made: dict[str, Path], desktop: Path
) -> None:
    """Each bad file has its reason, and the next good one is read."""
    pdf, docx = made["pdf"].read_bytes(), made["docx"].read_bytes()
    (desktop / "link.txt").symlink_to("/etc/passwd")
    cases = {
        _written(desktop / "empty.pdf", b""): Reason.EMPTY,
        _written(desktop / "blank.txt", b" \n\n"): Reason.EMPTY,
        _written(desktop / "cut.pdf", pdf[:200]): Reason.BROKEN,
        _written(desktop / "cut.docx", docx[: len(docx) // 2]): Reason.BROKEN,
        _written(desktop / "noise.pdf", os.urandom(5000) + b"\0"): Reason.BROKEN,
        _written(desktop / "words.pdf", b"no PDF at all"): Reason.BROKEN,
        _written(desktop / "noise.xyz", b"\0\1\2" * 99): Reason.UNSUPPORTED,
        _written(desktop / "noise.txt", b"abc\0\0\1"): Reason.UNSUPPORTED,
        _written(desktop / "film.mkv", b"x"): Reason.UNSUPPORTED,
        _written(desktop / "photo.GIF", b"x"): Reason.UNSUPPORTED,
        _written(desktop / "files.7z", b"7z\xbc\xaf\x27\x1c"): Reason.UNSUPPORTED,
        _written(desktop / "cut.zip", _zip({"a.txt": b"a" * 99})[:50]): Reason.BROKEN,
        _written(desktop / "huge.txt", b"x" * (MIB + 1)): Reason.TOO_LARGE,
        desktop / "none.txt": Reason.VANISHED,
        desktop / "link.txt": Reason.OUTSIDE,
        Path("/etc/passwd"): Reason.OUTSIDE,
    }
    found = {path.name: await reason_of(extractor, path) for path in cases}
    assert found == {path.name: reason for path, reason in cases.items()}
    assert documents.RUSSIAN_FACT in (await extractor.extract(made["docx"])).text


async def test_a_bomb_is_not_unpacked(extractor: PooledExtractor, desktop: Path) -> None:
    """A small DOCX that unpacks to more than the limit is TOO_LARGE before anything is unpacked."""
    bomb = _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b" " * (5 * MIB)})
    assert len(bomb) < 50_000
    assert await reason_of(extractor, _written(desktop / "bomb.docx", bomb)) is Reason.TOO_LARGE


async def test_a_file_under_a_false_name_is_read_for_what_it_is(
    extractor: PooledExtractor, made: dict[str, Path], desktop: Path
) -> None:
    """A PDF named .txt, a page named .doc, a DOCX without an extension, an ODT named .docx are read."""
    rtf = b"{\\rtf1\\ansi\\ansicpg1251 " + b"".join(
        b"\\'%02x" % byte for byte in documents.RUSSIAN_FACT.encode("cp1251")
    )
    paths = [
        _written(desktop / "really.txt", made["pdf"].read_bytes()),
        _written(desktop / "page.doc", made["html"].read_bytes()),
        _written(desktop / "nameless", made["docx"].read_bytes()),
        _written(desktop / "odd.docx", made["odt"].read_bytes()),
        _written(desktop / "rich.doc", rtf + b"}"),
        _written(desktop / "service.log.1", made["txt_koi8r"].read_bytes()),
    ]
    for path in paths:
        assert documents.RUSSIAN_FACT in (await extractor.extract(path)).text, path.name


async def test_books_mail_and_notebooks_are_read(extractor: PooledExtractor, desktop: Path) -> None:
    """A book and a letter in a legacy encoding, a notebook and JSON with escapes give their letters."""
    words = " ".join(documents.RUSSIAN)
    book = (
        '<?xml version="1.0" encoding="windows-1251"?><FictionBook '
        'xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description><title-info>'
        f"<book-title>Книга</book-title></title-info></description><body><section><p>{words}</p>"
        "</section></body></FictionBook>"
    )
    letter = f"From: a@b.ru\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n{words}"
    notebook = {"cells": [{"cell_type": "markdown", "source": [words[:9], words[9:]]}], "nbformat": 4}
    paths = [
        documents.make_text(desktop / "book.fb2", book, "cp1251"),
        documents.make_text(desktop / "letter.eml", letter, "koi8-r"),
        documents.make_text(desktop / "notes.ipynb", json.dumps(notebook)),
        documents.make_text(desktop / "data.json", json.dumps({"text": words})),
        documents.make_text(desktop / "cut.json", '{"text": "' + words),
    ]
    for path in paths:
        assert documents.RUSSIAN_FACT in (await extractor.extract(path)).text, path.name


async def test_a_very_long_text_is_cut(extractor: PooledExtractor, desktop: Path) -> None:
    """More characters than the limit are cut off, which is said; the file is indexed all the same."""
    path = documents.make_text(desktop / "long.csv", "залог;45000\n" * 3000)
    found = await extractor.extract(path)
    assert len(found.text) == SMALL.text_characters
    assert found.gap is Reason.CUT


async def test_many_files_at_once_are_all_read(extractor: PooledExtractor, made: dict[str, Path]) -> None:
    """More callers than workers wait their turn."""
    found = await asyncio.gather(*(extractor.extract(made["docx"]) for _ in range(20)))
    assert len({one.text for one in found}) == 1


def test_a_worker_imports_nothing_heavy() -> None:
    """A worker is up before its parsers are: no bus, no Qt, no database comes with it, nor asyncio."""
    code = (
        "import sys, titan_desktop.adapters.extraction.worker;"
        "heavy = {'titan_bus', 'PySide6', 'asyncpg', 'redis', 'openai', 'neo4j', 'kreuzberg', 'asyncio'}"
        " & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[4])


LEASE = documents.RUSSIAN_FACT


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251", "koi8-r", "cp866", "mac_cyrillic"],
)
@pytest.mark.parametrize(
    "text", ["Привет", "ДОГОВОР АРЕНДЫ", LEASE, "Список: молоко, хлеб", "Rent (аренда) is due"]
)
def test_russian_is_told_by_its_letters(text: str, encoding: str) -> None:
    """One line is enough, in capitals too, among English words too."""
    assert charset.decode(text.encode(encoding)) == text


def test_ukrainian_is_told_by_its_letters() -> None:
    """In each of its encodings, one sentence."""
    text = "Договір оренди квартири: орендар сплачує щомісяця, її ключі зберігає сусідка."
    for encoding in ("cp1251", "koi8-u", "mac_cyrillic", "utf-16-be"):
        assert charset.decode(text.encode(encoding)) == text, encoding


def test_some_bad_bytes_cost_themselves_alone() -> None:
    """A text in UTF-8 stays one when a byte of it is of another age."""
    assert (
        charset.decode(f"{LEASE} caf\xe9".encode() + b" \xe9 " + LEASE.encode())
        == f"{LEASE} café \ufffd {LEASE}"
    )


def test_the_language_is_told_where_the_letters_are() -> None:
    """Also far behind a beginning that every encoding reads alike."""
    text = "x" * 100_000 + " " + " ".join(documents.RUSSIAN)
    assert charset.decode(text.encode("cp1251")) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Zażółć gęślą jaźń. Umowa najmu mieszkania, kaucja wynosi.", "cp1250"),
        ("Der Mietvertrag: Kaution beträgt 500, zahlbar bis März; größer", "cp1252"),
        ("租赁合同 押金 四万五千 卢布 合同 租赁", "gb18030"),
    ],
)
def test_other_languages_are_not_taken_for_russian(text: str, encoding: str) -> None:
    """Polish, German and Chinese keep their letters."""
    assert charset.decode(text.encode(encoding)) == text


def test_a_text_cut_within_a_letter_is_still_utf8() -> None:
    """The limit of bytes may fall inside a character; the rest is text."""
    assert charset.decode("залог".encode()[:-1]) == "зало"


def test_text_is_tidied() -> None:
    """Line ends, spaces, broken words and characters that nobody sees or PostgreSQL refuses."""
    raw = (
        "\ufeffодин\r\nдва\rтри\fчетыре\u00a0пять\x00 шесть\u200b  \n\n\n\n\n"
        "depo\u00adsit ren\u0002\r\ntal \ud800и\u0306"
    )
    assert tidy.tidied(raw) == "один\nдва\nтри\nчетыре пять шесть\n\ndeposit rental й"


async def test_blanks_at_the_beginning_do_not_hide_what_follows(
    extractor: PooledExtractor, desktop: Path
) -> None:
    """Text and a page behind more blanks than a first look takes are found, the text with its line."""
    blanks = b" " * kinds.HEAD_BYTES + b"\n\n"
    text = await extractor.extract(_written(desktop / "late.txt", blanks + b"deposit"))
    page = await extractor.extract(_written(desktop / "late.html", blanks + b"<html><p>deposit</p></html>"))
    assert text.blocks == (Block("\n\ndeposit", Lines(first=1, last=3)),)
    assert (page.text, page.mime_type) == ("deposit", "text/html")
    assert await reason_of(extractor, _written(desktop / "blanks.txt", blanks)) is Reason.EMPTY
    beyond = b" " * SMALL.text_bytes + b"too late"
    assert await reason_of(extractor, _written(desktop / "beyond.txt", beyond)) is Reason.NO_TEXT


@pytest.mark.parametrize("tidy_", [tidy.tidied, tidy.tidied_lines])
def test_tidying_takes_time_in_proportion_to_the_text(tidy_: Callable[[str], str]) -> None:
    """Blanks, combining marks and whatever else is repeated a hundred thousand times costs milliseconds."""
    assert_linear(tidy_, 100_000)


def test_names_refuse_but_do_not_decide() -> None:
    """A film is refused by its name; a document's name says nothing yet."""
    assert kinds.is_refused_by_name(Path("Film.MKV"))
    assert not any(kinds.is_refused_by_name(Path(name)) for name in ("a.pdf", "a.ts", "README", "a.unknown"))


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
