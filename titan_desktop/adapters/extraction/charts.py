"""Charts (ECMA-376, part 1, 21.2) as tables: a row for each category, a column for each series.

A chart keeps a copy of the numbers that it draws; that copy is read.
"""

from collections.abc import Iterable, Mapping

from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import read_xml
from titan_desktop.adapters.extraction.package import local_name

_POINTS_MAX = 10_000
_DIGITS_MAX = 7
_LISTS = {"tx": "names", "cat": "categories", "xVal": "categories", "val": "values", "yVal": "values"}


class _Series:
    def __init__(self) -> None:
        self.lists: dict[str, dict[int, str]] = {"names": {}, "categories": {}, "values": {}}

    @property
    def name(self) -> str:
        return " ".join(self.lists["names"].values())


class _Chart:
    """The `markup.Target` that collects titles and series."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.series: list[_Series] = []
        self._open: list[str] = []
        self._index = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = local_name(tag)
        self._open.append(name)
        if name == "ser":
            self.series.append(_Series())
        elif name == "pt":
            index = attributes.get("idx", "0")
            self._index = int(index) if index.isdecimal() and len(index) <= _DIGITS_MAX else 0
        elif name in {"p", "title"}:
            self.titles.append("")

    def end(self, _: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        if not self._open:
            return
        if self._open[-1] == "t":
            self.titles = self.titles or [""]
            self.titles[-1] += text
        elif self._open[-1] == "v" and self.series:
            kind = next((_LISTS[name] for name in reversed(self._open) if name in _LISTS), None)
            points = self.series[-1].lists.get(kind or "", {})
            if len(points) < _POINTS_MAX:
                points[self._index] = points.get(self._index, "") + text

    def close(self) -> None:
        """Nothing is left over."""


def read_chart(pieces: Iterable[bytes], flow: Flow) -> None:
    """Write a chart's titles and numbers into a flow. Raises MarkupError."""
    chart = _Chart()
    read_xml(pieces, chart)
    for title in chart.titles:
        flow.write(title)
        flow.end_paragraph()
    categories: dict[int, str] = {}
    for series in chart.series:
        categories = {**series.lists["categories"], **categories}
    indexes = sorted(
        {index for series in chart.series for index in series.lists["values"]} | categories.keys()
    )
    if not indexes:
        return
    flow.begin_table()
    _row(flow, "", *(series.name for series in chart.series))
    for index in indexes:
        _row(flow, categories.get(index, ""), *(s.lists["values"].get(index, "") for s in chart.series))
    flow.end_table()


def _row(flow: Flow, *cells: str) -> None:
    for cell in cells:
        flow.write(cell)
        flow.end_cell()
    flow.end_row()
