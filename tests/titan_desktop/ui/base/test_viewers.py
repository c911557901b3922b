"""Files are opened at their place by the programs that can be told one."""

import os
import sys
from pathlib import Path, PurePath

import pytest

from titan_desktop.contracts.sources import Cells, Lines, Pages, Place
from titan_desktop.ui.base import viewers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's programs can be asked for")


def program(folder: Path, name: str, script: str) -> None:
    made = folder / name
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop whose program for PDFs is Okular, and a pipe into which that says how it was started."""
    program(tmp_path, "xdg-mime", "test $3 = application/pdf && echo okularApplication_pdf.desktop")
    program(tmp_path, "okular", f'echo "$@ key=$OPENAI_API_KEY" > {tmp_path}/told')
    os.mkfifo(tmp_path / "told")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    return tmp_path


async def test_the_persons_own_program_is_told_the_page(desktop: Path) -> None:
    """It inherits no key, and no word of the file's name is an option."""
    assert await viewers.open_at(PurePath("/d/--print договор.pdf"), Pages(first=3, last=4))
    assert (desktop / "told").read_text() == "--page=3 /d/--print договор.pdf key=\n"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/d/a.pdf", Lines(first=2, last=2)),
        ("/d/a.xlsx", Cells(sheet="s")),
        ("/d/a.docx", Pages(first=1, last=1)),
    ],
)
async def test_what_no_program_can_be_told_is_not_opened(desktop: Path, path: str, place: Place) -> None:
    """Text has no program here, and nobody takes a cell: the window says the place itself."""
    assert not await viewers.open_at(PurePath(path), place)


async def test_a_program_that_is_gone_is_not_started(desktop: Path) -> None:
    (desktop / "okular").unlink()
    assert not await viewers.open_at(PurePath("/d/a.pdf"), Pages(first=3, last=3))


def test_browsers_and_editors_have_their_own_ways() -> None:
    """A page is part of the address, a line is behind the path."""
    page, line = Pages(first=3, last=3), Lines(first=12, last=14)
    assert viewers.command(PurePath("/d/a b#1.pdf"), page, "firefox.desktop\n") == [
        "firefox", "file:///d/a%20b%231.pdf#page=3",
    ]  # fmt: skip
    assert viewers.command(PurePath("/d/a.py"), line, "code.desktop") == ["code", "--goto", "/d/a.py:12"]
    assert viewers.command(PurePath("/d/a.txt"), line, "org.gnome.TextEditor.desktop") is None
