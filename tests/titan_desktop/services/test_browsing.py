"""What clients see of folders and files: pages in order, and text with its encoding."""

import os
from pathlib import Path

import pytest

from titan_bus import Bus, RequestFailedError, RequestRefused
from titan_desktop.adapters.extraction.charset import encoding_of
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.files import FileText, FolderPage, ListFolder, LocateSource, ReadFile, SortBy
from titan_desktop.contracts.message import ask
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services.files.browsing import BrowsingService

pytestmark = pytest.mark.logs("^refused ")


@pytest.fixture
def browsing(desktop: Path) -> BrowsingService:
    return BrowsingService(LocalFilesRoot([desktop]), encoding_of)


async def whole(browsing: BrowsingService, path: Path) -> tuple[str, list[FileText]]:
    """Read a file page by page, as a client does."""
    pages = [await browsing.read_file(ReadFile(path=str(path)))]
    while pages[-1].next_offset:
        wanted = ReadFile(path=str(path), offset=pages[-1].next_offset, encoding=pages[-1].encoding)
        pages.append(await browsing.read_file(wanted))
    return "".join(page.text for page in pages), pages


async def named(browsing: BrowsingService, **wanted: object) -> list[str]:
    """List a folder in pages of two, and return the names."""
    page = await browsing.list_folder(ListFolder(limit=2, **wanted))
    names = [entry.name for entry in page.entries]
    while page.next_cursor:
        page = await browsing.list_folder(ListFolder(limit=2, cursor=page.next_cursor, **wanted))
        names += [entry.name for entry in page.entries]
    return names


async def test_a_folder_comes_in_pages_in_every_order(browsing: BrowsingService, desktop: Path) -> None:
    """Folders first, each entry once; hidden ones when asked for, links never."""
    for number, name in enumerate(("b.md", "A.txt", "c", "ж.pdf")):
        (desktop / name).write_text("x" * (12 - number), "utf-8")
        os.utime(desktop / name, ns=(0, number % 2 * 10))
    os.utime(desktop / "Договор.txt", ns=(0, 99))
    asked = {"path": str(desktop)}
    assert await named(browsing, **asked) == ["work", "A.txt", "b.md", "c", "Договор.txt", "ж.pdf"]
    assert (await named(browsing, **asked, sort_by=SortBy.SIZE, descending=True))[:3] == [
        "work",
        "b.md",
        "A.txt",
    ]
    by_time = await named(browsing, **asked, sort_by=SortBy.MODIFIED)
    assert by_time == ["work", "b.md", "c", "A.txt", "ж.pdf", "Договор.txt"]
    assert ".hidden" in await named(browsing, **asked, hidden=True)
    page = await browsing.list_folder(ListFolder(path=str(desktop)))
    assert (page.total, page.entries[1].kind, page.entries[1].size) == (6, "txt", 11)
    assert page.entries[0].is_folder
    roots = await browsing.list_folder(ListFolder())
    assert [entry.name for entry in roots.entries] == [str(desktop)]


async def test_what_goes_between_two_pages_costs_nothing_else(
    browsing: BrowsingService, desktop: Path
) -> None:
    """The cursor names a place in the order, not a file and not a number."""
    for name in "abcd":
        (desktop / "work" / name).touch()
    page = await browsing.list_folder(ListFolder(path=str(desktop / "work"), limit=2))
    (desktop / "work" / "b").unlink()
    (desktop / "work" / "a").unlink()
    again = await browsing.list_folder(ListFolder(path=str(desktop / "work"), cursor=page.next_cursor))
    assert [entry.name for entry in again.entries] == ["c", "d", "notes.md"]
    for cursor in ("x", "[]", '[true,"a","b","c"]'):
        with pytest.raises(RequestRefused) as caught:
            await browsing.list_folder(ListFolder(path=str(desktop), cursor=cursor))
        assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1251", "cp1251"), ("utf-16", "utf-16-le")],
)
async def test_a_text_is_read_in_pages_whatever_its_encoding(
    browsing: BrowsingService, desktop: Path, encoding: str, said: str
) -> None:
    """No character is cut in two or read twice, and each page fits into one event."""
    text = (
        "Залог по договору аренды составляет 900 € 😀\n" * 1500
        if "utf" in encoding
        else "Залог по договору\n" * 3000
    )
    (desktop / "a.txt").write_bytes(text.encode(encoding))
    read, pages = await whole(browsing, desktop / "a.txt")
    assert read == text
    assert {page.encoding for page in pages} == {said}
    assert len(pages) > 2


async def test_control_characters_fit_into_an_event_too(browsing: BrowsingService, desktop: Path) -> None:
    """Each takes six bytes in JSON."""
    text = "a\x01" * 20_000
    (desktop / "a.txt").write_text(text)
    assert (await whole(browsing, desktop / "a.txt"))[0] == text


async def test_each_refusal_has_its_code(bus: Bus, desktop: Path, browsing: BrowsingService) -> None:
    """Outside, gone, a folder, a program, no encoding; sources are located by the same service."""
    (desktop / "x.bin").write_bytes(bytes(range(256)) * 40)
    async with serving(bus, Chain(), browsing):
        for request, code in (
            (ListFolder(path="/etc"), "outside"),
            (ListFolder(path=str(desktop / "outside")), "outside"),
            (ListFolder(path=str(desktop / "Договор.txt")), "not_regular"),
            (ReadFile(path="/etc/passwd"), "outside"),
            (ReadFile(path=str(desktop / "none")), "vanished"),
            (ReadFile(path=str(desktop / "work")), "not_regular"),
            (ReadFile(path=str(desktop / "x.bin")), "not_text"),
            (ReadFile(path=str(desktop / "Договор.txt"), encoding="rot13"), "not_text"),
            (ReadFile(path=str(desktop / "Договор.txt"), encoding="none"), "not_text"),
        ):
            with pytest.raises(RequestFailedError) as caught:
                await ask(bus, request)
            assert caught.value.code == code
        assert isinstance(await ask(bus, ListFolder(path=str(desktop))), FolderPage)
        located = await ask(bus, LocateSource(path=str(desktop / "Договор.txt")))
        assert (located.allowed, located.exists) == (True, True)
