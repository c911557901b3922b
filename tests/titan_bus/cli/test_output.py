"""Tables, widths, colours."""

import io

import pytest

from titan_bus.cli.output import Output, duration, line_of, local_time, width_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_columns_are_aligned_in_cells() -> None:
    """Cyrillic takes one cell a letter, Chinese two, a combining accent none; numbers stand to the right."""
    stream = io.StringIO()
    Output(json=False, stream=stream).table(
        ("NAME", "N", "END"), [("заказы", 5, "|"), ("订单", 1234, "|"), ("e\u0301", None, "|")]
    )
    lines = stream.getvalue().splitlines()
    assert lines[1:] == ["заказы     5  |", "订单    1234  |", "e\u0301             |"]
    assert {width_of(line) for line in lines[1:]} == {15}


def test_a_pipe_gets_plain_and_whole_lines() -> None:
    """No colours, nothing cut."""
    stream = io.StringIO()
    output = Output(json=False, stream=stream)
    output.table(("A",), [("x" * 500,)])
    assert stream.getvalue().splitlines()[1] == "x" * 500
    assert output.paint("red", "text") == "text"


def test_a_terminal_gets_colours_and_lines_that_fit(terminal: Terminal) -> None:
    """Rows are cut to its width, wide characters counted as they are shown."""
    output = Output(json=False, stream=terminal)
    output.table(("A", "B"), [("один", "订" * 50), ("два", "x" * 200)])
    assert "\x1b[1m" in terminal.getvalue()
    for line in terminal.getvalue().splitlines()[1:]:
        assert line.endswith("…")
        assert 38 <= width_of(line) <= 40


def test_no_color_is_respected(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As no-color.org asks, also on a terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert Output(json=False, stream=terminal).paint("red", "text") == "text"


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0 ms"),
        (850, "850 ms"),
        (12_500, "12.5 s"),
        (180_000, "3 min"),
        (18_000_000, "5 h"),
        (259_200_000, "3 d"),
    ],
)
def test_durations_have_one_unit(milliseconds: float, shown: str) -> None:
    """The one that fits."""
    assert duration(milliseconds) == shown


def test_strange_times_and_texts_do_no_harm() -> None:
    """What a foreign publisher wrote is shown as text, on one line, without control characters."""
    assert local_time("not a\ntime\x1b") == "not a time�"
    assert local_time(None) == ""
    assert line_of("a\tb\nc\x07") == "a b c�"


def test_a_report_to_a_closed_pipe_is_dropped() -> None:
    """What is done goes on: only its report is lost."""

    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    output = Output(json=True, stream=Closed())
    output.report({"n": 1}, "")
    output.report({"n": 2}, "")
    with pytest.raises(BrokenPipeError):
        Output(json=True, stream=Closed()).record({"n": 3})
