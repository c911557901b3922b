"""Text for tooltips, which Qt takes for HTML when it looks like it."""

from html import escape

from titan_desktop.client import foreign


def tip(text: str) -> str:
    """The text for a tooltip, which would take a file's name or an address with tags in it for HTML."""
    return f"<p>{escape(foreign.text(text)).replace(chr(10), '<br>')}</p>"
