"""Dead letters: what the services tried to do, again and again, and had to put aside.

Topics: `topics.DEAD_LETTER_COMMANDS`, `topics.DEAD_LETTERS`, `topics.DEAD_LETTER_REQUESTS`.
"""

from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One of them.

    Attributes:
        letter_id: what requests name it by.
        event_type: what was to be done, or had happened; "" when the entry was no event at all.
        group: the service that failed.
        subject: what it was about: the beginning of a question, a path, a title; "" when the event names none.
        error: the class of the error; `message` is its text. Both are English.
        at: when it was put aside, RFC 3339, UTC.
    """

    letter_id: str
    event_type: str
    group: str
    subject: str
    error: str
    message: str
    at: str


# Commands. A letter that is not there any more is passed over.


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTER_COMMANDS


class RedriveDeadLetters(_Command, frozen=True, kw_only=True):
    """Let the services that failed try these again."""

    letter_ids: tuple[str, ...]


class DropDeadLetters(_Command, frozen=True, kw_only=True):
    """Remove these for good."""

    letter_ids: tuple[str, ...]


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTERS


class DeadLettersChanged(_Event, frozen=True, kw_only=True):
    """There are so many now, or others than before."""

    count: int


# Requests, and what answers them


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.DEAD_LETTER_REQUESTS


class DeadLetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListDeadLetters: `count` is how many there are in all; `more` says that others follow `cursor`."""

    count: int
    letters: tuple[DeadLetter, ...]
    more: bool = False
    cursor: str = ""


class ListDeadLetters(_Request[DeadLetterPage], frozen=True, kw_only=True):
    """The newest first. `cursor` is that of the page before; "" asks for the first one."""

    limit: int = 200
    cursor: str = ""
