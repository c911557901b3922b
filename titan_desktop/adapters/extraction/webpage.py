"""HTML pages: every text that stands in them, wherever it stands."""

import re
from collections.abc import Mapping

from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_html

_BLOCKS = frozenset(
    (  # noqa: SIM905 - forty quoted words are no better to read
        "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption "
        "figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main menu nav ol option p pre section select "
        "summary textarea ul tbody thead tfoot"
    ).split()
)
_UNSEEN = frozenset({"script", "style", "template", "title"})
_WRITTEN = frozenset({"pre", "textarea"})
_TYPED = frozenset({"", "text", "email", "tel", "url", "number", "date", "search", "button", "submit"})
_SPACES = re.compile(r"[ \t\r\n\f]+")


class Page:
    """The `markup.Target` that writes a page into a flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._unseen = self._written = 0
        self._title: list[str] = []
        self._in_title = False

    @property
    def title(self) -> str:
        """What the page calls itself."""
        return "".join(self._title)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Target`."""
        if tag in _BLOCKS:
            self._flow.end_paragraph()
        if tag in _UNSEEN:
            self._unseen += 1
        self._in_title = tag == "title" and not self._title
        self._written += tag in _WRITTEN
        match tag:
            case "br":
                self._flow.write("\n")
            case "table":
                self._flow.begin_table()
            case "tr":
                self._flow.end_row()
            case "img" | "area":
                self._say(attributes.get("alt", ""))
            case "input" if attributes.get("type", "").lower() in _TYPED:
                self._say(attributes.get("value", ""))

    def end(self, tag: str) -> None:
        """See `markup.Target`."""
        if tag in _BLOCKS:
            self._flow.end_paragraph()
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
            self._in_title = False
        if tag in _WRITTEN:
            self._written = max(0, self._written - 1)
        match tag:
            case "td" | "th":
                self._flow.end_cell()
            case "tr":
                self._flow.end_row()
            case "table":
                self._flow.end_table()

    def data(self, text: str) -> None:
        """See `markup.Target`."""
        if self._in_title:
            self._title.append(text)
        if not self._unseen:
            self._flow.write(text if self._written else _SPACES.sub(" ", text))

    def close(self) -> None:
        """Nothing is left over."""

    def _say(self, text: str) -> None:
        if text.strip():
            self._flow.write(f" {text} ")


def read(text: str, flow: Flow) -> str:
    """Write a page into a flow; return its title. Raises MarkupError."""
    page = Page(flow)
    read_html(text, page)
    flow.end_paragraph()
    return page.title
