"""`RecallService`: answers what is remembered of a question, and takes messages from other programs."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from titan_bus import Bus, Handlers, RequestRefused, new_ulid
from titan_desktop.contracts.chat import AssistantMessage, ConversationChanged, UserMessage
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.memory import Fact
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.recall import (
    GetRecallStatus,
    ImportMessages,
    MessagesImported,
    QueryMemory,
    Recalled,
    RecallStatus,
)
from titan_desktop.contracts.sources import FactSource, MessageSource
from titan_desktop.ports.embedder import Embedder
from titan_desktop.ports.facts import Facts, FactsUnavailableError
from titan_desktop.ports.model import ModelError
from titan_desktop.ports.passages import IndexUnavailableError, Vectors, VectorSizeError
from titan_desktop.ports.turns import Imported, Turn, Turns
from titan_desktop.services.recall.keeping_up import KeepingUp
from titan_desktop.services.recall.ranking import ranked
from titan_desktop.services.waiting import until_there

GROUP = "recall"
QUERIES_AT_ONCE = 4
BREADTH = 100
"""Messages that each leg finds."""
MOST_HITS = 100
TEXT_SHOWN = 1_600
"""Characters of a message that are told, as many as a file's passage has."""
MOST_FACTS = 5
"""Facts have no score of the same kind: the first counts like the message with the best words, the next half."""
PATIENCE_S = 5.0
"""How long a question waits for the words of what was said just before it."""
REST_S = 30.0
"""How long a failed embedder is not called."""


class RecallService:
    """Finds messages and facts.

    Args:
        bus: an open bus.
        turns: the index of messages.
        vectors: the vectors over the same index.
        facts: found by their words.
        embedder: returns the embedder whose vectors are current; None: words alone.
    """

    drain_s = 1.0

    def __init__(
        self,
        bus: Bus,
        turns: Turns,
        vectors: Vectors,
        facts: Facts,
        embedder: Callable[[], Embedder | None] = lambda: None,
    ) -> None:
        self._bus = bus
        self._turns = turns
        self._facts = facts
        self._vectors = vectors
        self._embedder = embedder
        self._keeping_up = KeepingUp(turns, vectors, embedder)
        self._rest_until = 0.0
        self._why = ""
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.query_memory, self.import_messages, concurrency=QUERIES_AT_ONCE)
        take(self.handlers, GROUP, self.get_recall_status)
        take(self.handlers, GROUP, self.user_message, self.assistant_message, self.conversation_changed)

    async def __aenter__(self) -> Self:
        self._keeping_up.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._keeping_up.stop()

    def busy(self) -> bool:
        """Whether messages are being indexed: the core should not end now."""
        return self._keeping_up.busy

    async def user_message(self, said: UserMessage) -> None:
        """Index a question."""
        await self._index(said.message.conversation_id)

    async def assistant_message(self, said: AssistantMessage) -> None:
        """Index an answer."""
        await self._index(said.message.conversation_id)

    async def conversation_changed(self, changed: ConversationChanged) -> None:
        """Take out what was said in a conversation that is deleted."""
        if changed.deleted:
            await self._index(changed.conversation.id)

    async def _index(self, conversation_id: str) -> None:
        await until_there(lambda: self._keeping_up.index(conversation_id), IndexUnavailableError)

    async def query_memory(self, wanted: QueryMemory) -> Recalled:
        """Find what was said.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        try:
            return await self._answer(wanted.query, min(max(wanted.limit, 1), MOST_HITS))
        except (IndexUnavailableError, FactsUnavailableError) as error:
            raise RequestRefused("index_unavailable", error.reason) from error

    async def get_recall_status(self, _: GetRecallStatus) -> RecallStatus:
        """Return how far messages are indexed.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        try:
            return RecallStatus(behind=len(await self._turns.behind()))
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error

    async def import_messages(self, wanted: ImportMessages) -> MessagesImported:
        """Put messages into the history.

        Raises:
            RequestRefused: `index_unavailable`.
        """
        batch = [
            Imported(
                id=one.id, conversation=one.conversation, role=one.role, text=one.text,
                said_at=one.said_at, speaker=one.speaker,
            )
            for one in wanted.messages
        ]  # fmt: skip
        try:
            new = await self._turns.bring_in(batch, event_id=new_ulid())
        except IndexUnavailableError as error:
            raise RequestRefused("index_unavailable", error.reason) from error
        count = sum(number for _, number in new)
        if count:
            self._keeping_up.look()
        for conversation, number in new:
            if number:
                await publish(self._bus, ConversationChanged(conversation=conversation))
        return MessagesImported(new=count, known=len(batch) - count)

    async def _answer(self, query: str, limit: int) -> Recalled:
        if not query.strip():
            return Recalled(hits=())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._keeping_up.until_caught_up()
        except TimeoutError:  # many are behind, or the embedder's turn takes long: the others can be found
            pass
        words, (near, vector, degraded), facts = await asyncio.gather(
            self._turns.find_words(query, BREADTH), self._near(query), self._facts.recall(query, MOST_FACTS)
        )
        turns = dict(await self._turns.turns([*words, *(key for key in near if key not in words)]))
        around = {key for turn in turns.values() for key in (turn.before, turn.after) if key} - turns.keys()
        cosines: Mapping[int, float] = {}
        if vector is not None:
            turns |= await self._turns.turns(list(around))
            numbers = [number for turn in turns.values() for number in turn.passages]
            cosines = await self._vectors.cosines(*vector, numbers)
        said = [_hit(turn, score) for turn, score in ranked(turns, words, cosines)[:limit]]
        hits: list[MessageSource | FactSource] = list(said)
        hits += [_known(fact, 1 / (place + 1)) for place, fact in enumerate(facts)]
        hits.sort(key=lambda hit: -hit.score)
        return Recalled(hits=tuple(hits[:limit]), degraded=degraded)

    async def _near(self, query: str) -> tuple[Sequence[str], tuple[str, Sequence[float]] | None, str]:
        """Return the nearest messages, the model and its vector of the question, and why there is none."""
        embedder = self._embedder()
        if embedder is None:
            return (), None, ""
        if time.monotonic() < self._rest_until:
            return (), None, self._why
        try:
            vector = await embedder.embed_query(query)
            near = await self._vectors.find_near(embedder.model, vector, BREADTH)
        except (ModelError, VectorSizeError) as error:
            self._why = str(error) if isinstance(error, ModelError) else f"vectors_differ: {error}"
            self._rest_until = time.monotonic() + REST_S
            return (), None, self._why
        return list(dict.fromkeys(found.path for found in near)), (embedder.model, vector), ""


def _known(fact: Fact, score: float) -> FactSource:
    return FactSource(
        fact_id=fact.id, title=fact.subject, passage=fact.text, learned_at=fact.learned_at, score=score
    )


def _hit(turn: Turn, score: float) -> MessageSource:
    return MessageSource(
        message_id=turn.id,
        imported_id=turn.number if turn.number != turn.id else "",
        conversation_id=turn.conversation_id,
        title=turn.title,
        passage=turn.text[:TEXT_SHOWN],
        role=turn.role,
        speaker=turn.speaker,
        said_at=turn.said_at,
        score=score,
    )
