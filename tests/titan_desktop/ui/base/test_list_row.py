"""What rows of every list have in common."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from titan_desktop.ui.base.list_row import paint_lines

MARK = QColor("#ff0000")
WIDTH = 200


def red_columns(text: str, mark: tuple[int, int]) -> list[int]:
    """Where the mark is seen when one line of the text is painted."""
    image = QImage(WIDTH, 40, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    paint_lines(painter, QRect(0, 0, WIDTH, 40), text, [mark], MARK, 1)
    painter.end()
    return [x for x in range(WIDTH) if any(image.pixelColor(x, y) == MARK for y in range(40))]


def test_a_word_stays_marked_on_a_line_that_is_cut(qapp):
    """As far as it is shown: neither the ellipsis nor what is cut has a mark."""
    text = "deposit " + "w" * 300
    assert red_columns(text, (0, 7)) == red_columns("deposit", (0, 7))
    cut = red_columns(text, (8, 308))
    assert cut
    assert max(cut) < WIDTH - 4
    assert not red_columns(text, (290, 300))
