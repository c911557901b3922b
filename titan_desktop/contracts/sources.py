"""Sources: what an answer rests on and what a search finds, with the place in it.

Search hits, the sources of an answer and the history speak of them. Every source has a `title` that a person knows
it by and the `passage` that counts; where it leads is each one's own.
"""

import msgspec

from titan_desktop.contracts.numbers import Int64


class Pages(msgspec.Struct, frozen=True, kw_only=True, tag="pages", tag_field="type"):
    """Pages of a document, from 1, both ends included."""

    first: int
    last: int


class Slides(msgspec.Struct, frozen=True, kw_only=True, tag="slides", tag_field="type"):
    """Slides of a presentation in the order in which they are shown, from 1, both ends included."""

    first: int
    last: int


class Lines(msgspec.Struct, frozen=True, kw_only=True, tag="lines", tag_field="type"):
    """Lines of a text file as an editor counts them, from 1, both ends included."""

    first: int
    last: int


class Cells(msgspec.Struct, frozen=True, kw_only=True, tag="cells", tag_field="type"):
    """A rectangle of a spreadsheet.

    Attributes:
        sheet: its name.
        first: the upper left cell, such as "B3"; "" when only the sheet is known.
        last: the lower right one.
    """

    sheet: str
    first: str = ""
    last: str = ""


PlaceOfFile = Pages | Slides | Lines | Cells


class Member(msgspec.Struct, frozen=True, kw_only=True, tag="member", tag_field="type"):
    """Within a file that is in this one: a member of an archive, an attachment of a mail.

    Attributes:
        path: its name, with folders as the archive has them: "2024/letter.docx". A file in a file in this one has
            both names, with `MEMBER_SIGN` between them.
        place: where in that file; None when it has no places, or they are not known.
    """

    path: str
    place: PlaceOfFile | None = None


MEMBER_SIGN = " \u203a "
"""Stands between a file and what is in it: "archive.zip › letter.docx"."""
Place = PlaceOfFile | Member
"""Where in a file; a field of this type may be None: the file has no places, or they are not known."""


class FilePassage(msgspec.Struct, frozen=True, kw_only=True, tag="file_passage", tag_field="type"):
    """A passage of a file.

    Attributes:
        path: absolute.
        title: what a person calls the file: its name without the folder.
        score: greater is better; comparable within one answer only.
        passage: the text, at most about 1,600 characters.
        kind: the file's kind: "pdf", "docx", "txt" … (the extension in lower case).
        position: the passage's number in the file, from 0.
        place: where in the file it stands.
        modified_ns: when the file was last changed, since the epoch; 0 when unknown.
    """

    path: str
    title: str
    score: float
    passage: str
    kind: str
    position: int = 0
    place: Place | None = None
    modified_ns: Int64 = 0


class MessageSource(msgspec.Struct, frozen=True, kw_only=True, tag="message_source", tag_field="type"):
    """Something that was said in a conversation.

    Attributes:
        title: the conversation's.
        role: who said it, a `chat.Role`.
        speaker: their name, where an import has given one.
        said_at: RFC 3339, UTC.
        imported_id: the message's id in the program that it comes from; "" for what was said here.
    """

    message_id: str
    conversation_id: str
    title: str
    passage: str
    role: str
    said_at: str
    speaker: str = ""
    imported_id: str = ""
    score: float = 0.0


class FactSource(msgspec.Struct, frozen=True, kw_only=True, tag="fact_source", tag_field="type"):
    """Something that is remembered of the person or the world.

    Attributes:
        title: what the fact is about.
        passage: the fact as a sentence.
        learned_at: RFC 3339, UTC.
    """

    fact_id: str
    title: str
    passage: str
    learned_at: str
    score: float = 0.0


class WebSource(msgspec.Struct, frozen=True, kw_only=True, tag="web_source", tag_field="type"):
    """A passage of a page on the web. `fetched_at` is RFC 3339, UTC."""

    url: str
    title: str
    passage: str
    fetched_at: str
    score: float = 0.0


Source = FilePassage | MessageSource | FactSource | WebSource
