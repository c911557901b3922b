"""The style sheets of a conversation's parts: what they say beyond the application's own."""

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QWidget

from titan_desktop.ui.base.colours import Colours
from titan_desktop.ui.chat.html_writer import QUOTE_INDENT


def dress(widget: QWidget, sheet: str) -> None:
    """Set a style sheet, unless the widget has it already: Qt would polish it again with every token."""
    if widget.styleSheet() != sheet:
        widget.setStyleSheet(sheet)


def scroll_bar(colours: Colours) -> str:
    """The bar beside the messages; with nothing to scroll it has no handle."""
    return f"""
        QScrollBar:vertical {{ background:{colours.page}; width:12px; margin:0; border:none; }}
        QScrollBar::handle:vertical {{
            background:{colours.line}; min-height:36px; border-radius:4px; margin:2px;
        }}
        QScrollBar::handle:vertical:hover {{ background:{colours.muted}; }}
        QScrollBar::handle:vertical:disabled {{ background:transparent; }}
        QScrollBar::add-line, QScrollBar::sub-line {{ height:0; border:none; }}
        QScrollBar::add-page, QScrollBar::sub-page {{ background:none; }}
    """


def jump_button(colours: Colours, side: int) -> str:
    """The round button, `side` pixels wide, that leads to the newest message."""
    return f"""
        QToolButton {{
            background:{colours.page}; color:{colours.text}; border:1px solid {colours.line};
            border-radius:{side // 2}px; padding:0;
        }}
        QToolButton:hover {{ background:{colours.code}; }}
        QToolButton:focus {{ border:2px solid {colours.accent}; }}
    """


def button(colours: Colours, *, framed: bool) -> str:
    """A button below a message."""
    frame = f"1px solid {colours.line}" if framed else "1px solid transparent"
    fill, text = (colours.page, colours.text) if framed else ("transparent", colours.muted)
    return (
        f"QToolButton {{ border:{frame}; border-radius:6px; padding:3px 6px; background:{fill}; color:{text}; }}"
        f"QToolButton:hover, QToolButton:pressed {{ background:{colours.hover}; color:{colours.text}; }}"
        f"QToolButton:focus {{ border:2px solid {colours.accent}; padding:2px 5px; }}"
    )


def code_button(colours: Colours) -> str:
    """The copy button in the corner of code."""
    return (
        f"QToolButton {{ border:1px solid transparent; border-radius:5px; padding:1px 6px;"
        f" color:{colours.muted}; }}"
        f"QToolButton:hover, QToolButton:pressed {{ background:{colours.hover}; color:{colours.text}; }}"
        f"QToolButton:focus {{ border:2px solid {colours.accent}; padding:0 5px; }}"
    )


def document(colours: Colours, gap: int) -> str:
    """What rendered Markdown looks like, in the subset of CSS that a `QTextDocument` knows.

    `gap` is the width in pixels of what begins a list's item (`html_writer.ITEM_GAP`).
    """
    code = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    return f"""
        p {{ margin-top:0px; margin-bottom:10px; line-height:135%; }}
        li {{ margin-bottom:4px; line-height:130%; text-indent:-{gap}px; }}
        li p {{ text-indent:-{gap}px; }}
        ul, ol {{ margin-top:0px; margin-bottom:10px; }}
        h1 {{ font-size:x-large; margin-top:14px; margin-bottom:8px; }}
        h2 {{ font-size:large; margin-top:14px; margin-bottom:8px; }}
        h3, h4 {{ font-size:medium; margin-top:10px; margin-bottom:6px; }}
        blockquote {{ margin-left:{QUOTE_INDENT}px; margin-right:0px; color:{colours.muted}; }}
        a {{ color:{colours.link}; text-decoration:none; }}
        code {{ font-family:"{code}"; background-color:{colours.code}; }}
        pre {{ font-family:"{code}"; white-space:pre-wrap; }}
        th {{ font-weight:600; }}
    """
