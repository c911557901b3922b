import io
import sys

import pytest

from titan_desktop.commands import output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_drawn_on_a_terminal_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first update shows at once, the next ones at most ten times a second, and nothing stays."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = output.Progress("Indexing")
    for done in range(100):
        bar.update(done, 100)
    bar.clear()
    drawn = sys.stderr.getvalue()
    assert "Indexing " + "░" * 24 + " 0/100" in drawn
    assert drawn.count("Indexing") < 10
    assert drawn.endswith("\r\x1b[K")


def test_the_bar_tells_speed_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once they are known, in the person's language."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))
    bar = output.Progress("Индексирую", "ru")
    for done in range(0, 60, 10):
        bar.update(done, 100)
    assert "50/100  1 в секунду, осталось около 50 с" in sys.stderr.getvalue()


def test_elsewhere_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets no control characters."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = output.Progress("Indexing")
    bar.update(1, 2)
    bar.clear()
    assert sys.stderr.getvalue() == ""


def test_output_is_utf8_on_any_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cyrillic reaches an ASCII terminal, and a file name that is no text does not end the program."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.use_utf8()
    output.say("договор \udce9.pdf")
    assert raw.getvalue() == "договор �.pdf\n".encode()
