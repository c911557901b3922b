"""Names that are not UTF-8 as text: each in a way of its own, and back."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from titan_desktop.system.file_names import spelled, written

pytestmark = pytest.mark.skipif(os.name != "posix", reason="names are text here")

_PARTS = st.sampled_from(
    [b"\xef\xbf\xbd", b"\xef", b"\xbf", b"\xbd", b"E9", b"8", b"F", b"\xe9", "é".encode(), b"/"]
)


@given(st.lists(_PARTS | st.binary(max_size=3), max_size=8).map(b"".join))
def test_every_name_comes_back(raw: bytes) -> None:
    """Whatever its bytes, also where it looks like a spelling; the spelling is text that UTF-8 can hold."""
    name = os.fsdecode(raw)
    text = spelled(name)
    assert text.encode().decode() == text
    assert written(text) == name


@given(st.text("\ufffdE9C3AF8Dé/.", max_size=12))
def test_a_text_names_one_file(text: str) -> None:
    """A spelling of nobody's, as somebody may type it, is the name of some bytes, and no separator comes of it."""
    name = written(text)
    assert written(spelled(name)) == name
    assert name.count("/") == text.count("/")
    assert name.count(".") == text.count(".")
