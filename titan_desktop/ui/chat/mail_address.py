"""Removes from a `mailto:` link what could make a mail program attach a file or send a hidden copy.

The text of an answer may come from a file that wants something. Mail programs know parts of such a link that
RFC 6068 warns of (section 4 and 7): `attach` has put files of the person's into mails.
"""

from urllib.parse import quote, unquote

_KEPT = frozenset({"to", "cc", "subject", "body"})
_IN_ADDRESSES = frozenset("'\"\\<>()[];:=? \t")
"""No usual address has these; programs that are called with one have taken them for options of their own."""


def clean(address: str) -> str:
    """Return the link with its addresses, subject and text alone; "" when nothing is left.

    An apostrophe in subject and text becomes a typographic one: scripts between browser and mail program have
    put these words between quotes.
    """
    target, _, query = address.partition(":")[2].partition("#")[0].partition("?")
    parts = [("to", target), *(part.partition("=")[::2] for part in query.split("&"))]
    to: list[str] = []
    kept: list[str] = []
    for name, raw in parts:
        field, value = unquote(name).strip().lower(), unquote(raw)
        if field not in _KEPT or not value.strip():
            continue
        if field in {"to", "cc"}:
            found = [one.strip() for one in value.split(",") if _is_address(one.strip())]
            if field == "to":
                to += found
            elif found:
                kept.append(f"cc={','.join(map(_quoted, found))}")
        else:
            kept.append(f"{field}={quote(_words(value, lines=field == 'body'), safe='')}")
    addressed = ",".join(map(_quoted, to))
    return f"mailto:{addressed}{'?' if kept else ''}{'&'.join(kept)}" if to or kept else ""


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    is_plain = text.isprintable() and not _IN_ADDRESSES & set(text) and not text.startswith("-")
    return bool(name and at and host) and "@" not in host and is_plain


def _quoted(address: str) -> str:
    return quote(address, safe="@+")


def _words(text: str, *, lines: bool) -> str:
    """Keep what can be read, and the lines of a text."""
    text = text.replace("\r\n", "\n").replace("'", "’")
    return "".join(char for char in text if char.isprintable() or (lines and char == "\n")).replace(
        "\n", "\r\n"
    )
