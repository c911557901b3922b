"""Memory: facts about the person and their world, and the people, organisations and things that these are about.

Topics: `topics.MEMORY_COMMANDS`, `topics.MEMORY`, `topics.MEMORY_REQUESTS`.

A fact is `subject predicate object`, or, where no such parts can be read, a sentence about the person (`ME`). Ids
are ULIDs; the client makes those of facts and merges, so a command that is delivered twice changes nothing the
second time. Times are RFC 3339 in UTC, or a date ("2024-03-01"), which means its first moment in UTC.
"""

from enum import StrEnum
from typing import ClassVar, Generic

import msgspec

from titan_desktop.contracts import topics
from titan_desktop.contracts.message import BusMessage, R, Request
from titan_desktop.contracts.numbers import Count
from titan_desktop.contracts.sources import Place

TEXT_BYTES_MAX = 4_000
"""The longest UTF-8 text of a fact, and of each of its parts."""
ME = "me"
"""The id of the entity that is the person whose memory this is. Its name is "", each client words it."""


class EntityKind(StrEnum):
    """What a fact is about. THING: anything else."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PROJECT = "project"
    PLACE = "place"
    FILE = "file"
    CONVERSATION = "conversation"
    DAY = "day"
    THING = "thing"


class FactState(StrEnum):
    """HOLDS: also in the past or the future, see `valid_to`. CORRECTED: another stands in its place."""

    HOLDS = "holds"
    PROPOSED = "proposed"
    REFUSED = "refused"
    CORRECTED = "corrected"


class Void(StrEnum):
    """Why a command changed nothing.

    KNOWN: the same is remembered, proposed or was refused already. RECALLED: it repeats what an answer has quoted
    from memory. CONFLICT: the id belongs to something else.
    """

    NOT_FOUND = "not_found"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    BAD_TIME = "bad_time"
    KNOWN = "known"
    RECALLED = "recalled"
    CONFLICT = "conflict"


class ByPerson(msgspec.Struct, frozen=True, kw_only=True, tag="by_person", tag_field="type"):
    """The person wrote it on the memory page or by a command."""


class FromMessage(msgspec.Struct, frozen=True, kw_only=True, tag="from_message", tag_field="type"):
    """Somebody said it in a conversation."""

    message_id: str
    conversation_id: str


class FromFile(msgspec.Struct, frozen=True, kw_only=True, tag="from_file", tag_field="type"):
    """It stands in a file. `path` is absolute."""

    path: str
    place: Place | None = None


Origin = ByPerson | FromMessage | FromFile


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """What facts are about.

    Attributes:
        name: as it was first called; for a file its path, for a day its date, for ME "".
        aliases: its other names.
        facts: how many that hold name it.
    """

    id: str
    kind: EntityKind
    name: str
    aliases: tuple[str, ...] = ()
    facts: Count = 0


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact.

    Attributes:
        text: the fact as a sentence; what search finds and a model is told.
        predicate: a code where Titan knows one ("lives_in"), else words in lower case; "" for a sentence.
        object: what stands on the right; "" for a sentence.
        valid_from: since when it is so in the world.
        valid_to: until when; "" while it is.
        learned_at: when Titan learned it.
        closed_at: when Titan learned that it ends; "" while it does not.
        confidence: from 0 to 1.
    """

    id: str
    text: str
    subject: str
    subject_id: str
    learned_at: str
    predicate: str = ""
    object: str = ""
    object_id: str = ""
    state: FactState = FactState.HOLDS
    valid_from: str = ""
    valid_to: str = ""
    closed_at: str = ""
    confidence: float = 1.0
    pinned: bool = False
    origin: Origin = ByPerson()


# Commands


class _Command(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.MEMORY_COMMANDS


class _Statement(_Command, frozen=True, kw_only=True):
    """A statement: a sentence (`text`), or subject, predicate and object, or both.

    Attributes:
        subject: a name, "" for the person.
        replaces: whether a newer one ends an older one with the same subject and predicate, as "lives in" does and
            "likes" does not. None: as Titan's list of predicates says, and not for a predicate it does not know.
        valid_from: "" for now.
    """

    fact_id: str
    text: str = ""
    subject: str = ""
    subject_kind: EntityKind | None = None
    predicate: str = ""
    object: str = ""
    object_kind: EntityKind | None = None
    replaces: bool | None = None
    valid_from: str = ""
    origin: Origin = ByPerson()


class Remember(_Statement, frozen=True, kw_only=True):
    """The person said to remember this: it holds at once."""


class ProposeFact(_Statement, frozen=True, kw_only=True):
    """A model has read this somewhere: it waits until the person, or a rule of theirs, accepts it."""

    confidence: float = 0.5


class CorrectFact(_Statement, frozen=True, kw_only=True):
    """A fact is wrong: the statement stands in its place, as `fact_id`. What is "" stays as it was.

    The former one is kept as CORRECTED. A new `text` without parts makes the fact a sentence about its subject.
    """

    former_id: str


class CloseFact(_Command, frozen=True, kw_only=True):
    """The world changed: the fact was true until `valid_to`; "" for now."""

    fact_id: str
    valid_to: str = ""


class PinFact(_Command, frozen=True, kw_only=True):
    """Keep a fact, whatever the limits; or with `pinned` unset no more."""

    fact_id: str
    pinned: bool = True


class ForgetFact(_Command, frozen=True, kw_only=True):
    """Erase a fact everywhere. What was said in conversations and stands in files stays there."""

    fact_id: str


class ForgetEntity(_Command, frozen=True, kw_only=True):
    """Erase a person or thing with its names and every fact that names it. Of ME only the facts go."""

    entity_id: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Which proposals are meant: those that fit what is not "".

    Attributes:
        predicate: as in `Fact.predicate`.
        source: "message", "file", or the absolute path of a file or of a folder above it.
    """

    predicate: str = ""
    source: str = ""


class AcceptProposals(_Command, frozen=True, kw_only=True):
    """These proposals hold; with a rule, all that fit it, those of the future too."""

    fact_ids: tuple[str, ...] = ()
    rule: Rule | None = None


class RefuseProposals(_Command, frozen=True, kw_only=True):
    """These proposals are refused, and not made again; with a rule, all that fit it, those of the future too."""

    fact_ids: tuple[str, ...] = ()
    rule: Rule | None = None


class DropRule(_Command, frozen=True, kw_only=True):
    """Proposals that fit this rule wait again."""

    rule: Rule


class MergeEntities(_Command, frozen=True, kw_only=True):
    """Two entities are one: `merged_id` becomes another name of `kept_id`, with its facts."""

    merge_id: str
    kept_id: str
    merged_id: str


class UndoMerge(_Command, frozen=True, kw_only=True):
    """They are two after all: names and facts go back to whom they belonged."""

    merge_id: str


class RebuildGraph(_Command, frozen=True, kw_only=True):
    """Make the graph anew from the index and the facts; twice is as once. `GraphRebuilt` follows."""

    rebuild_id: str


# Events


class _Event(BusMessage, frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.MEMORY


class FactLearned(_Event, frozen=True, kw_only=True):
    """A fact holds: it was said, or a proposal was accepted."""

    fact: Fact


class FactProposed(_Event, frozen=True, kw_only=True):
    """A proposal waits."""

    fact: Fact


class FactClosed(_Event, frozen=True, kw_only=True):
    """A fact has an end. `closed_by` is the newer fact that ended it, "" for none."""

    fact: Fact
    closed_by: str = ""


class FactChanged(_Event, frozen=True, kw_only=True):
    """A fact was pinned, refused, or stands in the place of `former_id`, which was wrong."""

    fact: Fact
    former_id: str = ""


class MemoryForgotten(_Event, frozen=True, kw_only=True):
    """A fact, or an entity with its facts, is gone: no request finds it any more. `MemoryErased` follows.

    Attributes:
        subject_id: the fact's or the entity's.
        facts: how many facts went.
    """

    subject_id: str
    facts: Count


class StoreReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What one store has erased.

    Attributes:
        store: "postgres", "stream" (of commands and events), "archive" or "dead_letters". The graph has no words,
            only ids, which go as soon as it is there.
        erased: rows or copies of events.
        complete: whether no byte of it is left in the store's files; else `reason` says why, in English.
    """

    store: str
    erased: Count = 0
    complete: bool = True
    reason: str = ""


class MemoryErased(_Event, frozen=True, kw_only=True):
    """The receipt of a forgetting.

    Attributes:
        subject_id: as in `MemoryForgotten`.
        kept_in: where it was said or written, which was not erased: a few of these places.
    """

    subject_id: str
    stores: tuple[StoreReceipt, ...]
    kept_in: tuple[Origin, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every store has no byte of it left."""
        return all(one.complete for one in self.stores)


class GraphRebuilt(_Event, frozen=True, kw_only=True):
    """The graph was made anew. `files`: how many are in it."""

    rebuild_id: str
    files: Count


class RulesChanged(_Event, frozen=True, kw_only=True):
    """A rule for proposals was made or dropped: ask for the list again."""


class EntitiesMerged(_Event, frozen=True, kw_only=True):
    """Two are one; or with `undone` set they are two again."""

    merge_id: str
    kept: Entity
    merged_id: str
    undone: bool = False


class MemoryVoid(_Event, frozen=True, kw_only=True):
    """A command changed nothing.

    Attributes:
        subject_id: the id that the command was about: a fact's, an entity's or a merge's.
        known_id: with KNOWN, the fact that says the same.
    """

    subject_id: str
    reason: Void
    known_id: str = ""


# Requests and replies


class _Request(Request[R], Generic[R], frozen=True, kw_only=True):
    topic: ClassVar[str] = topics.MEMORY_REQUESTS


class FactPage(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListFacts; `more` says that others follow, after `cursor`."""

    facts: tuple[Fact, ...]
    more: bool = False
    cursor: str = ""


class ListFacts(_Request[FactPage], frozen=True, kw_only=True):
    """Facts, the pinned first, then the newest; with `words` the best first.

    Attributes:
        entity_id: only those that name this entity; "" for all.
        state: only these.
        as_of: only those that were so in the world then; "" for those without an end.
        known_at: as Titan knew it then; "" for now.
        all_times: those that have ended, too; then `as_of` is not asked for.
        ended: those that have ended alone.
        cursor: that of the page before; "" asks for the first one.
    """

    words: str = ""
    entity_id: str = ""
    state: FactState = FactState.HOLDS
    as_of: str = ""
    known_at: str = ""
    all_times: bool = False
    ended: bool = False
    limit: int = 100
    cursor: str = ""


class FactExplained(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ExplainFact.

    Attributes:
        event_id: the event that it was learned by.
        history: what it corrected, what it ended and what ended it, oldest first; without the fact itself.
    """

    fact: Fact
    event_id: str
    history: tuple[Fact, ...] = ()


class ExplainFact(_Request[FactExplained], frozen=True, kw_only=True):
    """Where a fact is from. Refused as `not_found` when there is none."""

    fact_id: str


class MergeProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Two entities that may be one. `likeness` is from 0 to 1."""

    kept: Entity
    merged: Entity
    likeness: float


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that can be undone; `merged_name` was the name of the other one."""

    merge_id: str
    kept: Entity
    merged_name: str


class Entities(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListEntities; `more` says that there are others."""

    entities: tuple[Entity, ...]
    proposals: tuple[MergeProposal, ...] = ()
    merges: tuple[Merge, ...] = ()
    more: bool = False


class ListEntities(_Request[Entities], frozen=True, kw_only=True):
    """Entities, those with the most facts first, and which may be or were merged. `words` are parts of a name."""

    words: str = ""
    kind: EntityKind | None = None
    limit: int = 100


class RuleMade(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the person for proposals: they are accepted, or refused."""

    rule: Rule
    accepts: bool


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to ListRules."""

    rules: tuple[RuleMade, ...]


class ListRules(_Request[Rules], frozen=True, kw_only=True):
    """The rules for proposals."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the picture: a fact, or with `predicate` "origin" where a fact about the node is from."""

    fact_id: str
    from_id: str
    to_id: str
    predicate: str
    valid_from: str = ""
    valid_to: str = ""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to Neighbourhood: every edge's ends are among the nodes; `more` says that some were left out."""

    nodes: tuple[Entity, ...]
    edges: tuple[Edge, ...]
    more: bool = False


class Neighbourhood(_Request[Surroundings], frozen=True, kw_only=True):
    """The picture of the graph around an entity. Refused as `graph_unavailable` while the graph is away.

    Attributes:
        depth: how many edges far, 1 to 3.
        as_of: as in ListFacts.
        limit: the most nodes.
    """

    entity_id: str = ME
    depth: int = 1
    as_of: str = ""
    limit: int = 100


Outcome = (
    FactLearned | FactProposed | FactClosed | FactChanged | MemoryForgotten | MemoryErased | EntitiesMerged
)
