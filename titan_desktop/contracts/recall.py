"""What is remembered, asked for in words: messages and facts; and messages that come from other programs.

Topic: `topics.RECALL_REQUESTS`.
"""

import hashlib
from typing import ClassVar, Generic

import msgspec
from ulid import ULID

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import R, Request
from titan_desktop.contracts.numbers import Count
from titan_desktop.contracts.sources import FactSource, MessageSource

TEXT_BYTES_MAX = 24_000
"""The longest message that can be brought in; one event carries no more."""


def imported_conversation(name: str) -> str:
    """Return the id of a conversation that is imported under a name."""
    return _derived("conversation", name)


def imported_message(conversation: str, number: str) -> str:
    """Return the id of a message that is imported as `number` of a conversation."""
    return _derived("message", conversation, number)


def _derived(*parts: str) -> str:
    """Return the same ULID for the same parts."""
    return str(ULID.from_bytes(b"\x01" + hashlib.sha256("\0".join(parts).encode()).digest()[:15]))


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.RECALL_REQUESTS


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to QueryMemory.

    Attributes:
        hits: the best first.
        degraded: why the search by meaning is missing that should be there, as in `search.SearchResult`.
    """

    hits: tuple[MessageSource | FactSource, ...]
    degraded: str = ""


class RecallStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to GetRecallStatus: in how many conversations there are messages that cannot be found yet."""

    behind: Count


class GetRecallStatus(_Request[RecallStatus], frozen=True, kw_only=True):
    """Ask how far messages are indexed by their words. Refused with `index_unavailable`."""


class QueryMemory(_Request[Recalled], frozen=True, kw_only=True):
    """Find what was said, and what is known, about `query`.

    Refused with `index_unavailable`.
    """

    query: str
    limit: Count = 10


class ImportedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message from another program.

    Attributes:
        id: what it is called there; the same id in the same conversation is the same message.
        conversation: what its conversation is called there.
        role: "user" or "assistant".
        speaker: a name, where more than these two have spoken.
        said_at: RFC 3339 with its zone.
    """

    id: str
    conversation: str
    role: str
    text: str
    said_at: str
    speaker: str = ""


class MessagesImported(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ImportMessages: how many were new, and how many were there already."""

    new: Count
    known: Count


class ImportMessages(_Request[MessagesImported], frozen=True, kw_only=True):
    """Put messages into the history, each behind the last one of its conversation. Can be repeated.

    Refused with `index_unavailable`.
    """

    messages: tuple[ImportedMessage, ...]
