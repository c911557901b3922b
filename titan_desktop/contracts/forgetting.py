"""Forgetting: deleted conversations are erased everywhere in the background, and the result is published.

Topic: `topics.FORGETTING`.
"""

from typing import ClassVar

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage


class ConversationForgotten(BusMessage, frozen=True, kw_only=True):
    """The events of a deleted conversation are erased from the bus, except that of its deletion.

    Attributes:
        events: how many there were.
        complete: whether their bytes are gone from all files of the bus; core.log says which may still have some.
    """

    topic: ClassVar[str] = topics.FORGETTING

    conversation_id: str
    events: int
    complete: bool
