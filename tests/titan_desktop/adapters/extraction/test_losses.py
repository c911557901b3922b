"""Claims about the check for loss: it sees what is missing or garbled, and is silent about what is whole."""

import pytest

from tests import documents
from tests.hostile import assert_linear
from titan_desktop.adapters.extraction import losses
from titan_desktop.contracts.indexing import Reason

TEXT = " ".join(documents.RUSSIAN) * 3


def reason_of(text: str, source: str = "", *, is_written: bool = False) -> Reason:
    loss = losses.loss_of(text, losses.words(source), is_written=is_written)
    return Reason.NONE if loss is None else loss.reason


def test_words_of_the_source_are_looked_for() -> None:
    """Words that formatting parts, entities and case are no loss; words of a place that was left out are."""
    source = (
        "<p>Зал<b>ог</b> &laquo;Василёк&raquo; 45&#160;000</p><td>ячейка</td><div>Жимолостный Калинкин</div>"
    )
    assert reason_of("Залог «Василёк» 45 000\nЯЧЕЙКА Жимолостный Калинкин", source) is Reason.NONE
    loss = losses.loss_of("Залог «Василёк» 45 000 ячейка", losses.words(source))
    assert loss is not None
    assert (loss.reason, loss.detail) == (Reason.WORDS_MISSING, "жимолостный, калинкин")


@pytest.mark.parametrize(
    "garbled",
    [
        TEXT.encode().decode("cp1252", "replace"),
        TEXT.encode().decode("cp1251", "replace"),
        TEXT.encode("cp1251").decode("cp1252"),
        TEXT.encode("koi8-r").decode("cp1252"),
        TEXT.encode("cp1251").decode("utf-8", "replace"),
        "\n".join(["0JrQstCw0YDRgtCw0LvRjNC90YvQuSDQvtGC0YfRkdGCINC/0L7QtNCz0L7RgtC+0LLQuNC7INCg"] * 5),
        "=D0=98=D0=BD=D1=81=D1=82=D1=80=D1=83=D0=BA=D1=86=D0=B8=D1=8F " * 5,
    ],
)
def test_garbled_text_is_seen(garbled: str) -> None:
    """Wrong decodings of Russian, replacement characters, and codes in place of text."""
    assert reason_of(garbled, is_written=True) is Reason.GARBLED


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "".join(documents.ENGLISH),
        "Der Mietvertrag: Kaution beträgt 500 €, zahlbar bis März; größer, Übergröße, naïve œuvre, São João",
        "Þetta er íslenskur texti með öllum stöfum, það er gott",
        "租赁合同 押金 四万五千 卢布",
        "║ Итого ║ 45 000 ║",
        "if (x < y) { return data[i]; } // 0xDEADBEEF =?",
        "<p>written by hand</p> in Markdown <br>",
        TEXT + " \ufffd",
    ],
)
def test_good_text_is_none(text: str) -> None:
    """Letters with marks, other scripts, boxes, code, tags that the author wrote, one bad byte."""
    assert reason_of(text, is_written=True) is Reason.NONE


def test_tags_in_a_document_are_garbage() -> None:
    """What a reader took for text was markup."""
    assert reason_of("<p>Залог</p><div>45 000</div>" * 9) is Reason.GARBLED


def test_the_check_takes_time_in_proportion_to_the_text() -> None:
    """Whatever the text."""
    assert_linear(lambda text: losses.loss_of(text, losses.words(text)), 100_000)
