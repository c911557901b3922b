"""A click opens documents, and nothing that could run."""

from pathlib import PurePath

import pytest

from titan_desktop.ui.chat.openable import is_opened


@pytest.mark.parametrize("name", ["a.pdf", "Отчёт.DOCX", "a.b.txt", "a.jpeg", "a.mp3", "a.odt", "a.exe.csv"])
def test_documents_are_opened(name: str):
    """Text, pictures, sound and film, too, in capitals as well."""
    assert is_opened(PurePath(name))


@pytest.mark.parametrize(
    "name",
    [
        "a.JS", "a.exe", "a.pdf.exe", "a.txt.", "a.pdf ", "a.pdf:b", "a.app", "a.lnk", "a.url", "a.desktop",
        "a.sh", "a.py", "a.html", "a.svg", "a.xml", "a.docm", "a.zip", "a.dmg", "README", ".desktop", ".pdf",
        "a.newkind", "a.m\u212av", "a.txt\u202e", "a\u202efdp.exe", "a.p\u200bdf",
    ],
)  # fmt: skip
def test_all_else_is_not(name: str):
    """Programs, pages with scripts, archives, letters that only look right, and kinds that nobody thought of."""
    assert not is_opened(PurePath(name))
