"""Rich Text Format (1.9.1): text by the charset of the font that it is set in, whatever the header says.

A group's state is kept on a list, not on the interpreter's stack: files may be nested as deep as they are long.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.ports.extractor import Block

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)|(\\)"
)
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 89: "mac_cyrillic", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_DESTINATIONS = frozenset(
    (  # noqa: SIM905 - see kinds
        "fonttbl colortbl stylesheet info pict themedata colorschememapping latentstyles datastore "
        "listtable listoverridetable rsidtbl generator fldinst xmlnstbl objdata bkmkstart bkmkend pntext "
        "revtbl filetbl mmathPr nonshppict shppict datafield atrfstart atrfend atnid atnauthor"
    ).split()
)
_SEEN = frozenset({"shppict", "shpinst", "shp", "shptxt", "annotation"})
"""Destinations that a reader may not know, and this one reads into."""
_SIGNS = {
    "tab": "\t", "line": "\n", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "emdash": "—", "endash": "–", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ",
}  # fmt: skip
_CODE_PAGES = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
_IN_TABLE = frozenset({"trowd", "intbl"})
_UC_MAX = 100
_SURROGATES = range(0xD800, 0xE000)
_LOW = 0xDC00
_PARAGRAPHS = frozenset({"par", "sect", "page", "column"})
_ASIDES = frozenset(
    {
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "footnote",
        "annotation",
        "shptxt",
    }
)


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits. `uc`: how many characters stand behind one in Unicode, for readers that know none."""

    font: int = 0
    uc: int = 1
    is_left_out: bool = False
    in_fonts: bool = False
    is_deleted: bool = False
    in_table: bool = False
    is_aside: bool = False


class _Reader:
    def __init__(self, text: str, flow: Flow) -> None:
        self._text = text
        self._flow = flow
        self._state = _State()
        self._groups: list[_State] = []
        self._charsets: dict[int, str] = {}
        self._header = "cp1252"
        self._default_font = 0
        self._bytes = bytearray()
        self._skip = 0
        self._high = 0
        self._is_open = False
        self._begins_group = self._is_unknown = False

    def read(self) -> None:
        at = 0
        while found := _TOKEN.match(self._text, at):
            at = found.end()
            word, number, code, symbol, brace, plain, _ = found.groups()
            if code:
                self._byte(int(code, 16))
                continue
            if word == "bin":
                at += max(0, int(number or 0))
                continue
            if word != "u":
                self._settle()
            if brace:
                self._brace(brace)
            elif word:
                self._word(word, int(number) if number else None)
            elif symbol:
                self._symbol(symbol)
            elif plain:
                self._plain(plain)
        self._settle()

    def _brace(self, brace: str) -> None:
        self._skip = 0
        self._is_unknown = False
        if brace == "{":
            self._groups.append(self._state)
            self._begins_group = True
            return
        former = self._groups.pop() if self._groups else _State()
        if self._state.is_aside and not former.is_aside:
            self._flow.end_aside()
        self._state = former

    def _word(self, word: str, number: int | None) -> None:
        begins, self._begins_group = self._begins_group, False
        if self._skip and word != "u":
            self._skip -= 1
            return
        state = self._state
        if self._is_unknown and word not in _SEEN:
            self._is_unknown = False
            self._state = replace(state, is_left_out=True, in_fonts=word == "fonttbl")
            return
        if word == "fonttbl":
            self._state = replace(state, is_left_out=True, in_fonts=True)
        elif word in _DESTINATIONS and (begins or self._is_unknown):
            self._state = replace(state, is_left_out=word not in _SEEN)
        elif word in _ASIDES and begins and not state.is_aside and not state.is_left_out:
            self._flow.begin_aside()
            self._state = replace(state, is_aside=True)
        else:
            self._control(word, number)
        self._is_unknown = False

    def _control(self, word: str, number: int | None) -> None:
        state = self._state
        if word in _CODE_PAGES:
            self._header = _CODE_PAGES[word]
        elif word in _SIGNS:
            self._write(_SIGNS[word])
        elif word in _PARAGRAPHS and not state.is_left_out:
            self._flow.end_paragraph()
        elif word in _IN_TABLE and not state.is_left_out:
            self._table(inside=True)
        elif word == "cell":
            self._flow.end_cell()
        elif word == "row":
            self._flow.end_row()
        elif word == "ansicpg":
            self._header = _codec(f"cp{number}")
        else:
            self._state_of(word, number)

    def _state_of(self, word: str, number: int | None) -> None:
        """Take a word that changes how what follows is read."""
        match word:
            case "deff":
                self._default_font = number or 0
                self._change(font=self._default_font)
            case "f":
                self._change(font=number or 0)
            case "fcharset" if self._state.in_fonts:
                self._charsets[self._state.font] = _CHARSETS.get(number or 0, "")
            case "plain":
                self._change(font=self._default_font, is_deleted=False)
            case "deleted":
                self._change(is_deleted=number != 0)
            case "uc":
                self._change(uc=max(0, min(1 if number is None else number, _UC_MAX)))
            case "u":
                self._unicode(number or 0)
            case "pard":
                self._change(in_table=False)

    def _change(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)

    def _table(self, *, inside: bool) -> None:
        if inside and not self._is_open:
            self._flow.begin_table()
        elif not inside and self._is_open:
            self._flow.end_table()
        self._is_open = inside
        self._state = replace(self._state, in_table=inside)

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._is_unknown = True
            return
        self._begins_group = False
        if self._skip:
            self._skip -= 1
        elif symbol in "{}\\":
            self._write(symbol)
        elif symbol in "~_":
            self._write(" " if symbol == "~" else "-")
        elif symbol in "\r\n":
            self._flow.end_paragraph()

    def _plain(self, text: str) -> None:
        self._begins_group = self._is_unknown = False
        skipped = min(self._skip, len(text))
        self._skip -= skipped
        self._write(text[skipped:])

    def _byte(self, value: int) -> None:
        self._begins_group = False
        if self._skip:
            self._skip -= 1
        elif not self._state.is_left_out and not self._state.is_deleted:
            self._bytes.append(value)

    def _unicode(self, number: int) -> None:
        """Write a number of UTF-16, of which two make one character beyond the first plane."""
        self._settle()
        value = number % 0x10000
        self._skip = self._state.uc
        if value in _SURROGATES and value < _LOW:
            self._high = value
        elif value in _SURROGATES:
            if self._high:
                self._write(chr(0x10000 + (self._high - _SURROGATES.start) * 0x400 + value - _LOW))
            self._high = 0
        else:
            self._write(chr(value))

    def _settle(self) -> None:
        """Write the bytes that have come, in the charset of their font."""
        if self._bytes:
            codec = self._charsets.get(self._state.font) or self._header
            if codec == "cp1252":
                codec = self._header  # "ANSI": the header's own, which is as often right
            text = bytes(self._bytes).decode(codec, "replace")
            self._bytes.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        if not text or self._state.is_left_out or self._state.is_deleted:
            return
        if self._is_open and not self._state.in_table:
            self._table(inside=False)
        self._flow.write(text)


def blocks(data: bytes) -> Iterator[Block]:
    """Return a document's blocks."""
    flow = Flow()
    _Reader(data.decode("latin-1"), flow).read()
    return flow.blocks()


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
