"""Light and dark: the palette, the style sheet and the icons, and who decides which.

The only module of the shell that knows colour values. Text colours reach 4.5 to 1 on every background they stand
on, lines of fields and focus rings 3 to 1 (WCAG 2.1, 1.4.3 and 1.4.11); a test holds it.
"""

import logging
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QStyleFactory, QTabBar, QWidget

log = logging.getLogger(__name__)

Choice = Literal["system", "light", "dark"]

LIGHT = {
    "page": "#ffffff",
    "sidebar": "#f4f5f8",
    "field": "#ffffff",
    "field_line": "#858d9b",
    "line": "#dcdfe5",
    "hover": "#e9ecf1",
    "text": "#1b1f24",
    "muted": "#565e6c",
    "accent": "#2456c9",
    "accent_strong": "#1c46a8",
    "accent_soft": "#e3ebfc",
    "on_accent": "#ffffff",
    "link": "#1d4fc4",
    "danger": "#b3261e",
    "danger_soft": "#fde7e5",
    "warning": "#fff1d0",
    "scroll": "#c3c8d1",
}
DARK = {
    "page": "#17191e",
    "sidebar": "#1d2026",
    "field": "#23272e",
    "field_line": "#6f7887",
    "line": "#343a44",
    "hover": "#2b3038",
    "text": "#e7eaee",
    "muted": "#a6adb9",
    "accent": "#8ab4ff",
    "accent_strong": "#a8c7ff",
    "accent_soft": "#25334f",
    "on_accent": "#0b1a33",
    "link": "#8ab4ff",
    "danger": "#ff9a92",
    "danger_soft": "#45201e",
    "warning": "#3d3013",
    "scroll": "#4a515d",
}


_RINGED = (QAbstractButton, QTabBar)
"""What the style sheet draws a ring around. A field has one after a click as well: that is where one writes."""


class Theme(QObject):
    """Dresses the application, and again when the person or the system changes their mind."""

    changed = Signal()

    def __init__(self, app: QApplication, resources: Path) -> None:
        super().__init__(app)
        self._app = app
        self._resources = resources
        self._choice: Choice = "system"
        self._dark: bool | None = None
        style = QStyleFactory.create("Fusion")  # the one style that follows a palette on all three systems
        if style is not None:
            app.setStyle(style)
        app.styleHints().colorSchemeChanged.connect(self._dress)
        app.focusChanged.connect(self._ring)

    @property
    def dark(self) -> bool:
        """Whether the dark colours are in force."""
        return bool(self._dark)

    def choose(self, choice: Choice) -> None:
        """Follow the system, or keep to light or dark. Applies at once."""
        self._choice = choice
        hints = self._app.styleHints()
        scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(choice)
        # Title bars and native dialogs go along where the platform lets them.
        if scheme is None:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(scheme)
        self._dress()

    def close(self) -> None:
        """Follow the system no longer."""
        self._app.styleHints().colorSchemeChanged.disconnect(self._dress)
        self._app.focusChanged.disconnect(self._ring)

    def _ring(self, _former: QWidget | None, focused: QWidget | None) -> None:
        """Have the style sheet draw a ring around a button that the keyboard came to, not one that was clicked."""
        if isinstance(focused, _RINGED):
            by_keyboard = QGuiApplication.mouseButtons() is Qt.MouseButton.NoButton
            if focused.property("ringed") is not by_keyboard:
                focused.setProperty("ringed", by_keyboard)
                _polish(focused)

    def _dress(self) -> None:
        system = self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        dark = system if self._choice == "system" else self._choice == "dark"
        if dark == self._dark:
            return
        self._dark = dark
        colours = DARK if dark else LIGHT
        self._app.setPalette(palette(colours))
        self._app.setStyleSheet(self._style_sheet(colours))
        self.changed.emit()

    def _style_sheet(self, colours: dict[str, str]) -> str:
        try:
            sheet = (self._resources / "style.qss").read_text("utf-8")
        except OSError:
            log.exception("the style sheet cannot be read; the window does without")
            return ""
        names = {
            **colours,
            "icons": (self._resources / "icons").as_posix(),
            "tone": "dark" if colours is DARK else "light",
            "size_page": f"{round(self._app.font().pointSizeF() * 1.3)}pt",
            "size_title": f"{round(self._app.font().pointSizeF() * 1.8)}pt",
        }
        for name in sorted(names, key=len, reverse=True):  # @accent_soft before @accent
            sheet = sheet.replace(f"@{name}", names[name])
        return sheet

    def icon(self, name: str) -> QIcon:
        """Draw one of our own icons in the text colour of the theme in force."""
        colours = DARK if self.dark else LIGHT
        try:
            source = (self._resources / "icons" / f"{name}.svg").read_text("utf-8")
        except OSError:
            log.exception("an icon cannot be read")
            return QIcon()
        return _drawn(source.replace("currentColor", colours["text"]), QSize(20, 20))


def set_tone(widget: QWidget, tone: str) -> None:
    """Give a widget one of the style sheet's tones. Qt looks at a property only when a widget is polished."""
    widget.setProperty("tone", tone)
    _polish(widget)


def _polish(widget: QWidget) -> None:
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def palette(colours: dict[str, str]) -> QPalette:
    """Return the palette that goes with a table of colours."""
    made = QPalette()
    role = QPalette.ColorRole
    for target, name in {
        role.Window: "page",
        role.WindowText: "text",
        role.Base: "page",
        role.AlternateBase: "sidebar",
        role.Text: "text",
        role.PlaceholderText: "muted",
        role.Button: "field",
        role.ButtonText: "text",
        role.ToolTipBase: "field",
        role.ToolTipText: "text",
        role.BrightText: "danger",
        role.Highlight: "accent",
        role.HighlightedText: "on_accent",
        role.Link: "link",
        role.LinkVisited: "link",
        role.Light: "field",
        role.Midlight: "hover",
        role.Mid: "line",
        role.Dark: "field_line",
        role.Accent: "accent",
    }.items():
        made.setColor(target, QColor(colours[name]))
    for target in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, target, QColor(colours["muted"]))
    return made


def _drawn(svg: str, size: QSize) -> QIcon:
    from PySide6.QtSvg import QSvgRenderer

    ratio = max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return QIcon(QPixmap.fromImage(image))
