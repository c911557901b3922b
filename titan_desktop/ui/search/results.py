"""What was found, as a list: a heading for the files and one for the messages, the best of each first."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from titan_desktop.client import foreign, sentences
from titan_desktop.contracts.chat import Role
from titan_desktop.contracts.sources import FilePassage, MessageSource
from titan_desktop.system.folder_names import shown_path
from titan_desktop.ui.base import dates, passage
from titan_desktop.ui.base.translator import language

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The `Hit` of a row, None for a heading."""
_NOWHERE = QModelIndex()

Target = FilePassage | MessageSource


@dataclass(frozen=True)
class Hit:
    """One result as it is shown. The language's words are looked up when they are shown.

    Attributes:
        folder: of a file, as people see it.
        excerpt: the part of the passage around the words found, in one paragraph.
        marks: where in the excerpt the words found begin and end.
    """

    source: Target
    folder: str = ""
    excerpt: str = ""
    marks: tuple[tuple[int, int], ...] = field(default=())

    @property
    def title(self) -> str:
        """What a person calls it."""
        return foreign.name(self.source.title)

    @property
    def place(self) -> str:
        """Where in the file it stands, "" when unknown."""
        return sentences.place(language(), self.source)

    @property
    def details(self) -> str:
        """Folder, kind and date, or who said it and when."""
        source = self.source
        if isinstance(source, MessageSource):
            translate = QCoreApplication.translate
            who = translate("Search", "You") if source.role == Role.USER else translate("Search", "Titan")
            parts = [foreign.name(source.speaker) or who, dates.day_of(source.said_at)]
        else:
            parts = [self.folder, source.kind.upper(), dates.day_of_ns(source.modified_ns)]
        return "  ·  ".join(filter(None, parts))


def hit(source: Target, pattern: re.Pattern[str] | None, roots: Iterable[PurePath]) -> Hit:
    """Return a source as it is shown, with the words of `pattern` marked."""
    excerpt = " ".join(passage.excerpt(foreign.text(source.passage), pattern).split())
    marks = tuple(found.span() for found in pattern.finditer(excerpt)) if pattern else ()
    folder = ""
    if isinstance(source, FilePassage):
        folder = foreign.name(shown_path(PurePath(source.path).parent, roots))
    return Hit(source, folder, excerpt, marks)


class ResultModel(QAbstractListModel):
    """Files, then messages, each beneath a heading; reset with every answer."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Hit | type[Target]] = []

    def show(self, files: Sequence[Hit], messages: Sequence[Hit]) -> None:
        """Show these in place of what is there."""
        self.beginResetModel()
        self._rows = []
        for kind, hits in ((FilePassage, files), (MessageSource, messages)):
            self._rows += [kind, *hits] if hits else []
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NOWHERE) -> int:
        """Results and headings."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        """A heading cannot be chosen."""
        if not index.isValid() or not isinstance(self._rows[index.row()], Hit):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> object:
        """The title, for `ROW_ROLE` the hit, and for a screen reader the whole row as it is seen."""
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        row = self._rows[index.row()]
        if not isinstance(row, Hit):
            return self._heading(row) if role == int(Qt.ItemDataRole.DisplayRole) else None
        if role == ROW_ROLE:
            return row
        if role == int(Qt.ItemDataRole.DisplayRole):
            return row.title
        if role == int(Qt.ItemDataRole.AccessibleTextRole):
            named = ", ".join(filter(None, (row.title, row.place, row.details.replace("  ·  ", ", "))))
            return f"{named}. {row.excerpt}"
        return None

    def _heading(self, kind: type[Target]) -> str:
        return self.tr("Files") if kind is FilePassage else self.tr("Messages")
