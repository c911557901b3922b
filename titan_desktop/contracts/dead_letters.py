"""Dead letters: what the services tried to do, again and again, and had to put aside.

Topics: events on `topics.DEAD_LETTERS`, requests on `topics.DEAD_LETTER_REQUESTS`.
"""

import msgspec


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


# Events on topics.DEAD_LETTERS


class DeadLettersChanged(
    msgspec.Struct, frozen=True, kw_only=True, tag="dead_letters_changed", tag_field="type"
):
    """There are so many now."""

    count: int


# Requests on topics.DEAD_LETTER_REQUESTS. A letter that is not there any more is passed over.


class ListDeadLetters(msgspec.Struct, frozen=True, kw_only=True, tag="list_dead_letters", tag_field="type"):
    """The newest first -> DeadLetterPage."""

    limit: int = 200


class RedriveDeadLetters(
    msgspec.Struct, frozen=True, kw_only=True, tag="redrive_dead_letters", tag_field="type"
):
    """Let the services that failed try these again -> DeadLetterPage of what is left."""

    letter_ids: tuple[str, ...]


class DropDeadLetters(msgspec.Struct, frozen=True, kw_only=True, tag="drop_dead_letters", tag_field="type"):
    """Remove these for good -> DeadLetterPage of what is left."""

    letter_ids: tuple[str, ...]


class DeadLetterPage(msgspec.Struct, frozen=True, kw_only=True):
    """The reply to each of them. `count` is how many there are in all."""

    count: int
    letters: tuple[DeadLetter, ...]


Request = ListDeadLetters | RedriveDeadLetters | DropDeadLetters
