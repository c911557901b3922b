"""The colours of what is read, mixed from the palette in force, so that light and dark switch while Titan runs.

With `theme` the only module that knows colour values. Code colours are chosen for a contrast of at
least 4.5 to 1 on their background (WCAG 2.1, 1.4.3).
"""

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette

_LIGHT_CODE = {
    "keyword": "#8250df",
    "string": "#0a6640",
    "number": "#0550ae",
    "comment": "#59636e",
    "name": "#953800",
    "builtin": "#0550ae",
    "error": "#b3261e",
}
_DARK_CODE = {
    "keyword": "#d2a8ff",
    "string": "#8ddb8c",
    "number": "#79c0ff",
    "comment": "#9aa4af",
    "name": "#ffb77c",
    "builtin": "#79c0ff",
    "error": "#ff9a93",
}


@dataclass(frozen=True)
class Colours:
    """Colour names (`#rrggbb`) by what they are for."""

    dark: bool
    text: str
    muted: str
    line: str
    page: str
    bubble: str
    code: str
    link: str
    accent: str
    mark: str
    danger: str
    danger_page: str
    hover: str
    code_parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, palette: QPalette) -> "Colours":
        """Mix the colours that go with a palette."""
        page = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.Text)
        accent = palette.color(QPalette.ColorRole.Highlight)
        dark = page.lightness() < text.lightness()
        danger = QColor("#ff8a80" if dark else "#b3261e")
        return cls(
            dark=dark,
            text=text.name(),
            muted=_mix(page, text, 0.62).name(),
            line=_mix(page, text, 0.16).name(),
            page=page.name(),
            bubble=_mix(page, accent, 0.26 if dark else 0.13).name(),
            code=_mix(page, text, 0.07 if dark else 0.045).name(),
            link=_link(palette, dark=dark).name(),
            accent=accent.name(),
            mark="#665200" if dark else "#ffe9a8",
            danger=danger.name(),
            danger_page=_mix(page, danger, 0.12 if dark else 0.07).name(),
            hover=_mix(page, text, 0.1).name(),
            code_parts=tuple((_DARK_CODE if dark else _LIGHT_CODE).items()),
        )


def _mix(background: QColor, other: QColor, share: float) -> QColor:
    """`background` with a share (0 to 1) of `other` in it."""
    return QColor.fromRgbF(
        background.redF() * (1 - share) + other.redF() * share,
        background.greenF() * (1 - share) + other.greenF() * share,
        background.blueF() * (1 - share) + other.blueF() * share,
    )


def _link(palette: QPalette, *, dark: bool) -> QColor:
    """The palette's link colour where it can be read: many dark themes leave Qt's dark blue in place."""
    link = palette.color(QPalette.ColorRole.Link)
    readable = link.lightness() > 140 if dark else link.lightness() < 150  # noqa: PLR2004  # of 255
    return link if readable else QColor("#7ab7ff" if dark else "#0b57d0")
