"""The links of a text: their places in its document, which of them open, and how their addresses are shown."""

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote

from PySide6.QtCore import QRectF, QUrl
from PySide6.QtGui import QTextBlock, QTextDocument, QTextFragment

from titan_desktop.ui.chat import mail_address

_WEB = frozenset({"http", "https"})


@dataclass(frozen=True)
class Link:
    """Characters `start` to `end` of a document lead to `address`."""

    start: int
    end: int
    address: str


def links(document: QTextDocument) -> list[Link]:
    """The links of a document, in reading order."""
    found = []
    block = document.begin()
    while block.isValid():
        for address, pieces in groupby(_fragments(block), lambda piece: piece.charFormat().anchorHref()):
            if address:
                run = list(pieces)
                found.append(Link(run[0].position(), run[-1].position() + run[-1].length(), address))
        block = block.next()
    return found


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    pieces, position = [], block.begin()
    while not position.atEnd():
        pieces.append(position.fragment())
        position += 1
    return pieces


def areas(document: QTextDocument, link: Link) -> list[QRectF]:
    """Where a link stands, a rectangle a line, in the document's pixels."""
    block = document.findBlock(link.start)
    origin = document.documentLayout().blockBoundingRect(block).topLeft()
    layout, found = block.layout(), []
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        start = max(link.start - block.position(), line.textStart())
        end = min(link.end - block.position(), line.textStart() + line.textLength())
        if start < end:
            left, right = sorted((_x(line.cursorToX(start)), _x(line.cursorToX(end))))
            found.append(QRectF(left, line.y(), right - left, line.height()).translated(origin))
    return found


def _x(at: object) -> float:
    """Where a character stands: Qt's call returns its position, too, which its stubs do not know."""
    return float(at[0] if isinstance(at, tuple) else at)  # type: ignore[arg-type]


def safe(address: str) -> QUrl | None:
    """What is opened for an address: web and mail alone, of mail what a stranger may ask for. None: nothing."""
    url = QUrl(address, QUrl.ParsingMode.TolerantMode)
    if url.scheme() == "mailto":
        cleaned = mail_address.clean(bytes(url.toEncoded().data()).decode("ascii"))
        return QUrl(cleaned) if cleaned else None
    return url if url.scheme() in _WEB and url.host() else None


def shown_address(url: QUrl) -> str:
    """A link's address so that it shows where it leads: nothing in it turns the text around.

    What stands before an @ is left out: `https://bank.example@thief.example` leads to the thief. A name that is
    not Latin is said a second time as the network spells it, since its letters may only look Latin.
    """
    bare = QUrl(url)
    bare.setUserInfo(None)  # type: ignore[arg-type]  # "" would leave the @; the stubs do not know a null QString
    address = "".join(char if char.isprintable() else quote(char) for char in bare.toDisplayString())
    if bare.host().isascii():
        return address
    return f"{address}\n{bytes(QUrl.toAce(bare.host()).data()).decode('ascii')}"
