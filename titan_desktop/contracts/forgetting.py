"""Forgetting: what a person has deleted is erased everywhere, behind their back, and then said.

Topic: `topics.FORGETTING`.
"""

from typing import ClassVar

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage


class ConversationForgotten(BusMessage, frozen=True, kw_only=True):
    """Nothing on the bus tells of a deleted conversation any more, but that it was deleted.

    Attributes:
        events: how many there were.
        complete: whether their bytes are gone from all files of the bus; core.log says which may still have some.
    """

    topic: ClassVar[str] = topics.FORGETTING

    conversation_id: str
    events: int
    complete: bool
