"""The messages between core and worker: MessagePack behind a length of four bytes, decoded by type, never pickle.

A worker may be controlled by whoever wrote the file that it reads. So its answers are bounded before they are
kept and checked before they are used; a worker that sends anything else has failed.
"""

import re
from dataclasses import dataclass, field

import msgspec

from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.security import Attempt, Mechanism
from titan_desktop.contracts.sources import Cells, Member, Place
from titan_desktop.ports.extractor import Block, BlockKind, Extracted

PREPARE = "--prepare"
"""The worker's argument: lay down what parsers unpack for themselves, read nothing, and end."""
LENGTH_BYTES = 4
BYTES_OF_A_CHARACTER = 4
"""At the most, in UTF-8."""
_REST_BYTES = 8192
"""For what a message has beside its text: names of types, a place, a title."""
LINE_CHARACTERS_MAX = 300
_NUMBER_MAX = 2**31 - 1
_CELL = re.compile(r"[A-Z]{1,7}[1-9]\d{0,7}")


class WrongAnswerError(Exception):
    """A worker sent something that no message allows; the sentence says what."""


# From the core


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first request.

    Attributes:
        parent: the core's process id; the worker ends with it.
        readable: where this worker's libraries lie, beside those that it has imported.
    """

    limits: Limits
    parent: int
    readable: tuple[str, ...]


class Read(msgspec.Struct, frozen=True, tag="read"):
    """Read the file whose descriptor comes along; on Windows, whose handle this is."""

    extension: str
    handle: int = 0


class Try(msgspec.Struct, frozen=True, tag="try"):
    """Try what you should be kept from; `outside` is a file that the core's user may read and write."""

    outside: str


Request = Setup | Read | Try


# From the worker


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Answer to Setup."""

    mechanisms: tuple[Mechanism, ...]


class Tried(msgspec.Struct, frozen=True, tag="tried"):
    """Answer to Try."""

    attempts: tuple[Attempt, ...]


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A block of the file; any number of them come before End."""

    text: str
    place: Place | None = None
    kind: BlockKind = BlockKind.TEXT


class End(msgspec.Struct, frozen=True, tag="end"):
    """The file has been read; see `Extracted`."""

    mime_type: str
    title: str = ""
    gap: Reason = Reason.NONE
    gap_detail: str = ""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The file gives no text."""

    reason: Reason
    detail: str = ""


Message = Ready | Tried | Part | End | Failed


@dataclass(frozen=True, slots=True)
class Text:
    """What the parts and the end make together."""

    extracted: Extracted


Answer = Ready | Tried | Text | Failed
_ANSWERS_TO: dict[type[Request], tuple[type[Answer], ...]] = {
    Setup: (Ready,),
    Read: (Text, Failed),
    Try: (Tried,),
}

_encoder = msgspec.msgpack.Encoder()
_messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)


def framed(message: Message | Request) -> bytes:
    """Return the bytes of one message."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def request_of(body: bytes) -> Request:
    """Return what the core asks for; its bytes are trusted."""
    return _requests.decode(body)


@dataclass(slots=True)
class Answering:
    """The bytes of the answer to a request as they come in: at most `limits.text_characters` of text are kept."""

    limits: Limits
    request: Request
    _bytes: bytearray = field(default_factory=bytearray)
    _blocks: list[Block] = field(default_factory=list)
    _characters: int = 0

    def feed(self, data: bytes) -> Answer | None:
        """Take the next bytes; return the answer when it is complete.

        Raises:
            WrongAnswerError: it is none.
        """
        self._bytes += data
        begin, answer = 0, None
        while answer is None and len(self._bytes) - begin >= LENGTH_BYTES:
            body = begin + LENGTH_BYTES
            end = body + int.from_bytes(self._bytes[begin:body], "big")
            if end - body > self._room:
                raise WrongAnswerError("it is too long")
            if end > len(self._bytes):
                break
            answer, begin = self._heard(bytes(self._bytes[body:end])), end
        del self._bytes[:begin]
        if answer is not None and self._bytes:
            raise WrongAnswerError("something follows it")
        if answer is not None and not isinstance(answer, _ANSWERS_TO[type(self.request)]):
            raise WrongAnswerError("it is to another question")
        return answer

    @property
    def _room(self) -> int:
        left = self.limits.text_characters - self._characters
        return left * BYTES_OF_A_CHARACTER + _REST_BYTES

    def _heard(self, body: bytes) -> Answer | None:
        try:
            message = _messages.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise WrongAnswerError("it cannot be read") from error
        match message:
            case Part():
                self._keep(message)
                return None
            case End():
                return self._text(message)
            case Failed(reason=Reason.NONE):
                raise WrongAnswerError("it gives no reason")
            case Failed():
                return Failed(message.reason, one_line(message.detail))
        return message

    def _keep(self, part: Part) -> None:
        if not part.text or part.text.isspace() or "\0" in part.text:
            raise WrongAnswerError("a block is blank or holds a NUL")
        if not is_possible(part.place):
            raise WrongAnswerError("a place is impossible")
        self._characters += len(part.text)
        if self._characters > self.limits.text_characters or len(self._blocks) == self.limits.blocks:
            raise WrongAnswerError("it is too long")
        self._blocks.append(Block(part.text, part.place, part.kind))

    def _text(self, end: End) -> Text:
        if not self._blocks:
            raise WrongAnswerError("it has no text")
        extracted = Extracted(
            tuple(self._blocks),
            one_line(end.mime_type),
            one_line(end.title),
            end.gap,
            one_line(end.gap_detail),
        )
        return Text(extracted)


def one_line(text: str) -> str:
    """Return what can be shown and stored as one line."""
    text = text[: LINE_CHARACTERS_MAX * 2].replace("\0", "")
    return " ".join(text.split())[:LINE_CHARACTERS_MAX]


def is_possible(place: Place | None) -> bool:
    """Say whether a file may have this place; the name of a sheet may be longer than anybody shows."""
    if place is None:
        return True
    if isinstance(place, Member):
        return place.path == one_line(place.path) != "" and is_possible(place.place)
    if not isinstance(place, Cells):
        return 1 <= place.first <= place.last <= _NUMBER_MAX
    if len(place.sheet) > LINE_CHARACTERS_MAX or "\0" in place.sheet:
        return False
    corners = (place.first, place.last)
    return corners == ("", "") or all(map(_CELL.fullmatch, corners))
