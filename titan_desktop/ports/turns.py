"""What was said in conversations, as an index: each message on the active path of its conversation.

`Turns` is derived from the history and catches up with it, so it can be thrown away. Its vectors are kept by a
`Vectors` of `ports.passages`, over the two texts of each message: the message alone, and with what came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from titan_desktop.contracts.chat import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message that can be found.

    Attributes:
        number: `id`, or the one under which it was imported.
        speaker: who said it, where an import has named somebody; else "".
        said_at: RFC 3339, UTC.
        before: the id of the message before it, "" for the first one.
        after: that of the one after it, "" for the last one.
        passages: the numbers of its texts in the index.
    """

    id: str
    number: str
    conversation_id: str
    title: str
    role: str
    speaker: str
    text: str
    said_at: str
    before: str
    after: str
    passages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A message from another program. `said_at` is RFC 3339 with its zone."""

    id: str
    conversation: str
    role: str
    text: str
    said_at: str
    speaker: str = ""


class Turns(Protocol):
    """The keyword leg over messages. Every method raises IndexUnavailableError."""

    async def behind(self) -> Sequence[str]:
        """Return the conversations of which the index does not have what the history has."""
        ...

    async def catch_up(self, conversation_id: str) -> int:
        """Make the index of a conversation what the history has of it. Returns how many messages have changed."""
        ...

    async def find_words(self, query: str, limit: int) -> Mapping[str, float]:
        """Return the best messages for the words of `query`: BM25 over each with its date and its neighbours."""
        ...

    async def turns(self, messages: Sequence[str]) -> Mapping[str, Turn]:
        """Return those of these messages that are shown in a conversation that is not deleted."""
        ...

    async def bring_in(
        self, batch: Sequence[Imported], *, event_id: str
    ) -> Sequence[tuple[Conversation, int]]:
        """Put messages at the ends of their conversations; one that is there already is passed over.

        Returns:
            The conversations, and how many of the messages are new in each; without those that were deleted.
        """
        ...
