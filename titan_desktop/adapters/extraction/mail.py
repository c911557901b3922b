"""Mails (RFC 5322, MIME), mailboxes of them and web pages saved as one (MHTML, RFC 2557).

A mail's sender, recipients, subject and date are its first lines. Its attachments are members of it. Everything
is read by what it is and not by what it says, where these differ: a charset may be missing or wrong.
"""

import binascii
import io
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.generator import BytesGenerator
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import cast

from titan_desktop.adapters.extraction import charset, losses, tidy, webpage
from titan_desktop.adapters.extraction.flow import Flow
from titan_desktop.adapters.extraction.markup import MarkupError
from titan_desktop.adapters.extraction.members import Bounds, Members, Read
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.extractor import Block, Extracted, ExtractionError

_FIELDS = ("Subject", "From", "To", "Cc", "Date")
_NO_CHARSET = frozenset({"", "us-ascii", "ascii", "unknown-8bit", "utf-8", "utf8"})
_PARTS_MAX = 2_000
_ENVELOPE = re.compile(rb"(?:\A|\n\r?\n)From [^\n]{0,300}\n(?=>?[A-Za-z][A-Za-z0-9-]{0,60}:)")
_PLAIN_SHARE = 0.5
"""The plain text of a mail is taken, unless it has less than this of what its page has."""
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_DEPTH_MAX = 30
_NAME_CHARACTERS = 150
_HEADER_CHARACTERS = 4_000


class _Policy(Compat32):
    """Cuts long headers: to take them apart takes the standard library time in the square of their length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_HEADER_CHARACTERS]


_POLICY = _Policy()


def read(data: bytes, read_member: Read, bounds: Bounds) -> Extracted:
    """Return the blocks of one mail, its attachments after it. Raises ExtractionError."""
    mail = _parsed(data)
    members = Members(read_member, bounds)
    said = {name: value for name in _FIELDS if (value := _header(mail, name))}
    texts: list[Block] = []
    for number, piece in enumerate(_pieces(mail), start=1):
        if number > _PARTS_MAX:
            members.miss(Reason.CUT, "")
            break
        if isinstance(piece, Block):
            texts.append(piece)
        elif members.is_full:
            break
        else:
            name, content = _attachment(piece, number)
            members.add(name, len(content), lambda _, content=content: content)  # type: ignore[misc]
    if (loss := losses.loss_of("\n".join(block.text for block in texts))) is not None:
        members.miss(loss.reason, loss.detail)
    head = [Block("\n".join(f"{name}: {value}" for name, value in said.items()))] if said else []
    return Extracted(
        (*head, *texts, *members.blocks()),
        "message/rfc822",
        tidy.title(said.get("Subject", "")),
        members.gap,
        members.gap_detail,
    )


def read_mailbox(data: bytes, read_member: Read, bounds: Bounds) -> Extracted:
    """Return the blocks of an mbox (RFC 4155): each mail is a member, named by its subject."""
    members = Members(read_member, bounds)
    begins = [found.end() for found in _ENVELOPE.finditer(data)]
    ends = [found.start() for found in _ENVELOPE.finditer(data)][1:]
    for number, (begin, end) in enumerate(zip(begins, [*ends, len(data)], strict=True), start=1):
        if members.is_full:
            break
        mail = data[begin:end]
        subject = _header(BytesParser(policy=_POLICY).parsebytes(mail, headersonly=True), "Subject")
        name = f"{number}. {_file_name(subject)}" if subject else str(number)
        members.add(f"{name}.eml", len(mail), lambda _, mail=mail: mail)  # type: ignore[misc]
    return Extracted(tuple(members.blocks()), "application/mbox", "", members.gap, members.gap_detail)


def _parsed(data: bytes) -> Message:
    try:
        return BytesParser(policy=_POLICY).parsebytes(data)
    except RecursionError as error:
        raise ExtractionError(Reason.BROKEN, "its parts stand too deep in each other") from error


Piece = Block | Message
"""What a mail consists of: text, or an attachment that is not looked into yet."""


def _pieces(part: Message, depth: int = 0, *, is_related: bool = False) -> list[Piece]:
    """Return a mail's texts and attachments in their order; of alternatives the one that says most."""
    kind = part.get_content_type()
    children = part.get_payload() if part.is_multipart() else None
    if isinstance(children, list) and kind != "message/rfc822" and depth < _DEPTH_MAX:
        is_within = is_related or kind == "multipart/related"
        found = [
            _pieces(child, depth + 1, is_related=is_within)
            for child in children[: _PARTS_MAX + 1]
            if isinstance(child, Message)
        ]
        return _chosen(found) if kind == "multipart/alternative" else [one for each in found for one in each]
    is_attached = part.get_content_disposition() == "attachment"
    if part.get_content_maintype() == "text" and not is_attached and (is_related or not _file_of(part)):
        return list(_text(part))
    return [part] if is_attached or not is_related else []  # what a page is drawn with is no attachment


def _chosen(alternatives: list[list[Piece]]) -> list[Piece]:
    """Return the first alternative, mostly the plain one, unless another says much more; and all attachments."""
    sizes = [sum(len(one.text) for one in each if isinstance(one, Block)) for each in alternatives]
    most = max(sizes, default=0)
    best = next((at for at, size in enumerate(sizes) if size >= most * _PLAIN_SHARE), 0)
    return [
        one
        for at, each in enumerate(alternatives)
        for one in each
        if at == best or not isinstance(one, Block)
    ]


def _text(part: Message) -> Iterator[Block]:
    text = _decoded(_content(part), part.get_content_charset() or "")
    if part.get_content_subtype() not in {"html", "xhtml"}:
        if part.get_content_subtype() in {"plain", "enriched", "markdown"} and (tidied := tidy.tidied(text)):
            yield Block(tidied)
        return
    flow = Flow(has_layout=True)
    try:
        webpage.read(text, flow)
    except MarkupError:
        return
    yield from flow.blocks()


def _content(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, binascii.Error):
        return b""
    return content if isinstance(content, bytes) else b""


def _decoded(content: bytes, named: str) -> str:
    """Return the characters: in the charset that is named where it fits, else in the one that fits."""
    if named not in _NO_CHARSET:
        try:
            return content.decode(named)
        except (UnicodeError, LookupError):
            pass
    return charset.decode(content)


def _attachment(part: Message, number: int) -> tuple[str, bytes]:
    """Return an attachment's name and content; another mail is one, too, named by its subject."""
    name = _file_of(part)
    within = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(within, list) and within:
        mail = cast("Message", within[0])
        subject = _file_name(_header(mail, "Subject")) or str(number)
        return name or f"{subject}.eml", _written(mail)
    return name or f"{number}", _content(part)


def _written(mail: Message) -> bytes:
    made = io.BytesIO()
    try:
        BytesGenerator(made, mangle_from_=False, policy=_POLICY).flatten(mail)
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""
    return made.getvalue()


def _file_of(part: Message) -> str:
    try:
        return _readable(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _file_name(text: str) -> str:
    return text.replace("/", " ").replace("\\", " ").strip()[:_NAME_CHARACTERS]


def _header(mail: Message, name: str) -> str:
    values = (value for key, value in mail.raw_items() if key.lower() == name.lower())
    return _readable(str(next(values, "")))


def _readable(value: str) -> str:
    """Return a header's value in one line, its encoded words (RFC 2047) and bare bytes decoded."""
    if not value.isascii():
        value = charset.decode(value.encode("utf-8", "surrogateescape"))
    value = _FOLD.sub(" ", value)
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value.strip()
    said = (
        _decoded(part, (named or "").lower()) if isinstance(part, bytes) else part for part, named in parts
    )
    return tidy.tidied("".join(said)).replace("\n", " ").strip()
