"""Forgetting: deleted conversations are erased everywhere in the background, and the result is published.

Topic: `topics.FORGETTING`.
"""

from typing import ClassVar

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage


class ConversationForgotten(BusMessage, frozen=True, kw_only=True):
    """A deleted conversation is erased from the bus and the history, except that it was deleted.

    Attributes:
        events: how many events of it there were.
        complete: whether its bytes are gone from all files of the bus and of PostgreSQL; core.log says which may
            still have some.
    """

    topic: ClassVar[str] = topics.FORGETTING

    conversation_id: str
    events: int
    complete: bool
