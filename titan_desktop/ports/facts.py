"""Facts, the entities that they are about, and what the person decided about both. The facts service writes them.

Every change returns the events that tell of it, in their order; the caller publishes them. The same call again,
with the ids of the first one, changes nothing and returns the same events, so a command may be delivered twice. A
change that has no effect returns one `MemoryVoid`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from titan_desktop.contracts.memory import (
    CorrectFact,
    Entities,
    Entity,
    EntityKind,
    Fact,
    FactExplained,
    FactPage,
    ListEntities,
    ListFacts,
    Origin,
    Rule,
    RuleMade,
)
from titan_desktop.contracts.message import BusMessage

_WORD = re.compile(r"\w+")

Events = tuple[BusMessage, ...]


class FactsUnavailableError(Exception):
    """The store cannot be used now; the call may be repeated later.

    Attributes:
        reason: the driver's message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the facts cannot be used: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is to be learned; see `contracts.memory`.

    Attributes:
        predicate: in its plain form, see `plain`; "" for a sentence.
        replaces: whether it ends the former one with the same subject and predicate.
        valid_from: with a time zone.
        event_id: the event that it was said by.
    """

    fact_id: str
    text: str
    subject: str
    predicate: str
    object: str
    replaces: bool
    valid_from: datetime
    event_id: str
    origin: Origin
    subject_kind: EntityKind | None = None
    object_kind: EntityKind | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """A fact, or where it is from, as an edge of the graph: ids, codes and times, and no word of its content.

    Attributes:
        predicate: a code of Titan's list, else "".
        valid_from: in milliseconds since 1970, as are the other times.
        valid_to: OPEN while it is so.
        origin_id: the entity that is the conversation or file which it is from; "" for none.
    """

    fact_id: str
    subject_id: str
    object_id: str
    predicate: str
    valid_from: int
    valid_to: int
    learned_at: int
    confidence: float
    origin_id: str = ""


OPEN = 2**62
"""The end of what has none, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the graph has to do.

    Attributes:
        entities: id and kind of those that are new or have another kind.
        links: those that are new or others than before.
        gone: ids of entities and facts that are no more.
        revision: of the last of them; what to ask from next.
        more: whether others follow.
        newest: the store's own revision; a graph that has a greater one is not of this store.
    """

    entities: Sequence[tuple[str, str]]
    links: Sequence[Link]
    gone: Sequence[str]
    revision: int
    more: bool
    newest: int


def plain(text: str) -> str:
    """Return a text as it is compared: its words in lower case with single spaces, "ё" as "е"."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return " ".join(_WORD.findall(folded))


class Facts(Protocol):
    """All methods raise FactsUnavailableError."""

    async def learn(self, statement: Statement, *, proposed: bool) -> Events:
        """Keep a fact, or a proposal; a rule of the person may have decided about a proposal already."""
        ...

    async def correct(self, command: CorrectFact, statement: Statement) -> Events:
        """Put the statement in the place of `command.former_id`; what of it is empty is taken from there."""
        ...

    async def close(self, fact_id: str, valid_to: datetime) -> Events:
        """Give a fact an end."""
        ...

    async def pin(self, fact_id: str, *, pinned: bool) -> Events:
        """Pin a fact, or no longer."""
        ...

    async def decide(self, fact_ids: Sequence[str], rule: Rule | None, *, accepts: bool) -> Events:
        """Accept or refuse proposals, and those that come, by a rule."""
        ...

    async def drop_rule(self, rule: Rule) -> Events:
        """Decide no more by this rule."""
        ...

    async def merge(self, merge_id: str, kept_id: str, merged_id: str, event_id: str) -> Events:
        """Make two entities one."""
        ...

    async def undo_merge(self, merge_id: str) -> Events:
        """Make them two again."""
        ...

    async def forget_fact(self, fact_id: str) -> Events:
        """Delete a fact with what it corrected and the entities that nothing else names."""
        ...

    async def forget_entity(self, entity_id: str) -> Events:
        """Delete an entity with all facts that name it; of ME the facts."""
        ...

    async def forget_conversation(self, conversation_id: str) -> Events:
        """Delete the facts that were said in a conversation, except the pinned."""
        ...

    async def keep(self, most: int) -> Events:
        """Forget what is more than so many facts and proposals: the least used first, and no pinned one."""
        ...

    async def note_used(self, fact_ids: Sequence[str]) -> None:
        """Note that an answer was given these facts, so that others go before them."""
        ...

    async def page(self, wanted: ListFacts) -> FactPage | None:
        """Return a page of facts; None for a cursor or a time that is none."""
        ...

    async def recall(self, question: str, limit: int) -> Sequence[Fact]:
        """Return the facts that hold now and touch a question, the best first; for a prompt."""
        ...

    async def explain(self, fact_id: str) -> FactExplained | None:
        """Return a fact with its history, None when there is none."""
        ...

    async def entities(self, wanted: ListEntities) -> Entities:
        """Return entities, which of them may be one, and which were merged."""
        ...

    async def named(self, entity_ids: Sequence[str]) -> Sequence[Entity]:
        """Return these entities, without those that are not there."""
        ...

    async def predicates(self, fact_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the predicates of these facts."""
        ...

    async def rules(self) -> Sequence[RuleMade]:
        """Return the rules for proposals."""
        ...

    async def changes(self, after: int, limit: int) -> Changes:
        """Return what has changed after a revision, 0 for everything, oldest first."""
        ...
