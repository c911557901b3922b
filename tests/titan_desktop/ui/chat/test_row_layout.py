"""Where the rows of the conversation stand."""

from titan_desktop.ui.chat.row_layout import BOTTOM, TOP, RowLayout

VIEW = 500


def _fill(layout: RowLayout, height: int = 100) -> list[tuple[int, int]]:
    """Fill the view with rows that are all of this height once they are measured."""

    def measure(row: int) -> int:
        layout.heights[row] = height
        return height

    return layout.fill(VIEW, measure)


def test_the_end_is_in_view_at_first() -> None:
    """The last row ends at the view's lower edge, and only the rows that are seen are measured."""
    layout = RowLayout([7] * 1_000)
    rows = _fill(layout)
    assert rows[-1] == (999, VIEW - BOTTOM - 100)
    assert layout.heights[900] == 7
    assert layout.position == layout.extent - VIEW


def test_a_height_above_moves_nothing_that_is_seen() -> None:
    """Neither does an older page that comes in above."""
    layout = RowLayout([100] * 50)
    layout.hold(20, -30)
    before = _fill(layout)
    layout.heights[3] = 900
    assert _fill(layout) == before
    layout.insert(0, [100] * 10)
    assert _fill(layout) == [(row + 10, y) for row, y in before]


def test_few_rows_begin_at_the_top() -> None:
    """Nothing stands above the first row's margin."""
    layout = RowLayout([100, 100])
    assert _fill(layout) == [(0, TOP), (1, TOP + 100)]
    assert _fill(RowLayout()) == []


def test_what_was_folded_stays_with_slack_below() -> None:
    """Without slack the last row would go down to the lower edge."""
    layout = RowLayout([100] * 50)
    layout.hold(49, 50, slack=VIEW)
    assert _fill(layout)[-1] == (49, 50)
    layout.hold(49, 50, slack=0)
    assert _fill(layout)[-1] == (49, VIEW - BOTTOM - 100)
