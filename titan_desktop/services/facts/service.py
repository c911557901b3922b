"""The facts service: learns, corrects, ends and forgets facts, answers what is known, keeps the graph in step."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from titan_bus import Bus, Event, Handlers, RequestRefused
from titan_desktop.contracts import memory
from titan_desktop.contracts.chat import ConversationChanged, Role, UserMessage
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.message import publish
from titan_desktop.ports.facts import Events, Facts, FactsUnavailableError
from titan_desktop.ports.graph import Graph, GraphError, GraphUnavailableError, OpenGraph
from titan_desktop.ports.passages import IndexUnavailableError
from titan_desktop.services.facts import picture
from titan_desktop.services.facts.projecting import Projector
from titan_desktop.services.facts.remembering import told_to_remember
from titan_desktop.services.facts.statements import VoidError, moment, statement
from titan_desktop.services.waiting import until_there

GROUP = "facts"
REBUILD_GROUP = "graph-rebuild"
"""Apart, so that no fact waits while the graph is made anew."""
REQUESTS_AT_ONCE = 4
MOST_FACTS = 10_000

R = TypeVar("R")


class FactsService:
    """Takes the commands and requests of the memory topics, and hears "remember that …" in the chat.

    Args:
        most: how many facts and proposals are kept.
        refill: makes the files of the graph anew, and returns how many.
    """

    drain_s = 1.0

    def __init__(
        self,
        bus: Bus,
        facts: Facts,
        graph: OpenGraph,
        most: int = MOST_FACTS,
        refill: Callable[[Graph], Awaitable[int]] | None = None,
    ) -> None:
        self._refill = refill
        self._bus = bus
        self._facts = facts
        self._most = most
        self._graph = graph
        self._projector = Projector(facts, graph)
        self._projecting: asyncio.Task[None] | None = None
        self.handlers = Handlers()
        take(
            self.handlers, GROUP,
            self.remember, self.propose, self.correct, self.close, self.pin, self.forget_fact, self.forget_entity,
            self.accept, self.refuse, self.drop_rule, self.merge, self.undo_merge,
            concurrency=1,
        )  # fmt: skip
        take(self.handlers, REBUILD_GROUP, self.rebuild_graph, concurrency=1)
        take(self.handlers, GROUP, self.user_message, self.conversation_changed, concurrency=1, start="$")
        take(
            self.handlers, GROUP,
            self.list_facts, self.explain, self.list_entities, self.list_rules, self.neighbourhood,
            concurrency=REQUESTS_AT_ONCE,
        )  # fmt: skip
        tell(
            self.handlers,
            memory.FactLearned, memory.FactProposed, memory.FactClosed, memory.FactChanged,
            memory.MemoryForgotten, memory.MemoryErased, memory.RulesChanged, memory.EntitiesMerged,
            memory.MemoryVoid, memory.GraphRebuilt,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        self._projecting = asyncio.create_task(self._projector.run(), name="graph of facts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._projecting is not None:
            self._projecting.cancel()
            await asyncio.wait({self._projecting})

    # Commands

    async def remember(self, command: memory.Remember, event: Event) -> None:
        """Learn at once."""
        await self._learn(command, event)

    async def propose(self, command: memory.ProposeFact, event: Event) -> None:
        """Keep a proposal, unless a rule decides."""
        await self._learn(command, event)

    async def user_message(self, said: UserMessage, event: Event) -> None:
        """Learn what a message says to remember; the message is the origin, and its id the fact's."""
        message = said.message
        told = told_to_remember(message.text) if message.role is Role.USER else ""
        if told:
            origin = memory.FromMessage(message_id=message.id, conversation_id=message.conversation_id)
            await self._learn(memory.Remember(fact_id=message.id, text=told, origin=origin), event)

    async def conversation_changed(self, changed: ConversationChanged) -> None:
        """Forget what was said to be remembered in a conversation that was deleted, unless it is pinned."""
        if changed.deleted:
            await self._change(lambda: self._facts.forget_conversation(changed.conversation.id))

    async def rebuild_graph(self, command: memory.RebuildGraph) -> None:
        """Make the graph anew, waiting while it or a store is away: a kill in between begins it again."""
        files = await until_there(
            self._rebuild, GraphUnavailableError, FactsUnavailableError, IndexUnavailableError
        )
        await publish(self._bus, memory.GraphRebuilt(rebuild_id=command.rebuild_id, files=files))

    async def correct(self, command: memory.CorrectFact, event: Event) -> None:
        """Put another fact in the place of one."""
        try:
            said = statement(command, event.event_id)
        except VoidError as error:
            await self._void(command.former_id, error.reason)
        else:
            await self._change(lambda: self._facts.correct(command, said))

    async def close(self, command: memory.CloseFact) -> None:
        """Give a fact its end."""
        try:
            valid_to = moment(command.valid_to)
        except VoidError as error:
            await self._void(command.fact_id, error.reason)
        else:
            await self._change(lambda: self._facts.close(command.fact_id, valid_to))

    async def pin(self, command: memory.PinFact) -> None:
        """Keep a fact whatever the limits, or no longer."""
        await self._change(lambda: self._facts.pin(command.fact_id, pinned=command.pinned))

    async def forget_fact(self, command: memory.ForgetFact) -> None:
        """Delete a fact; the forgetting service erases what is left of it."""
        await self._change(lambda: self._facts.forget_fact(command.fact_id))

    async def forget_entity(self, command: memory.ForgetEntity) -> None:
        """Delete an entity with its facts; the forgetting service erases what is left of them."""
        await self._change(lambda: self._facts.forget_entity(command.entity_id))

    async def accept(self, command: memory.AcceptProposals) -> None:
        """Let proposals hold."""
        await self._change(lambda: self._facts.decide(command.fact_ids, command.rule, accepts=True))

    async def refuse(self, command: memory.RefuseProposals) -> None:
        """Refuse proposals."""
        await self._change(lambda: self._facts.decide(command.fact_ids, command.rule, accepts=False))

    async def drop_rule(self, command: memory.DropRule) -> None:
        """Forget a rule."""
        await self._change(lambda: self._facts.drop_rule(command.rule))

    async def merge(self, command: memory.MergeEntities, event: Event) -> None:
        """Make one entity of two."""
        await self._change(
            lambda: self._facts.merge(command.merge_id, command.kept_id, command.merged_id, event.event_id)
        )

    async def undo_merge(self, command: memory.UndoMerge) -> None:
        """Make two of one again."""
        await self._change(lambda: self._facts.undo_merge(command.merge_id))

    # Requests

    async def list_facts(self, wanted: memory.ListFacts) -> memory.FactPage:
        """Return a page of facts.

        Raises:
            RequestRefused: `not_found`, for an invalid cursor or time; `store_unavailable`.
        """
        return _there(await self._ask(lambda: self._facts.page(wanted)), wanted.cursor or wanted.as_of)

    async def explain(self, wanted: memory.ExplainFact) -> memory.FactExplained:
        """Return where a fact is from.

        Raises:
            RequestRefused: `not_found`; `store_unavailable`.
        """
        return _there(await self._ask(lambda: self._facts.explain(wanted.fact_id)), wanted.fact_id)

    async def list_entities(self, wanted: memory.ListEntities) -> memory.Entities:
        """Return entities.

        Raises:
            RequestRefused: `store_unavailable`.
        """
        return await self._ask(lambda: self._facts.entities(wanted))

    async def list_rules(self, _wanted: memory.ListRules) -> memory.Rules:
        """Return the rules.

        Raises:
            RequestRefused: `store_unavailable`.
        """
        return memory.Rules(rules=tuple(await self._ask(self._facts.rules)))

    async def neighbourhood(self, wanted: memory.Neighbourhood) -> memory.Surroundings:
        """Return the picture around an entity.

        Raises:
            RequestRefused: `not_found`; `store_unavailable`; `graph_unavailable`.
        """
        graph = self._graph.now()
        if graph is None:
            raise RequestRefused("graph_unavailable", "the graph is not open")
        try:
            at = moment(wanted.as_of) if wanted.as_of else None
            return _there(
                await self._ask(lambda: picture.draw(graph, self._facts, wanted, at)), wanted.entity_id
            )
        except VoidError as error:
            raise RequestRefused("not_found", wanted.as_of) from error
        except GraphError as error:
            raise RequestRefused("graph_unavailable", str(error)) from error

    async def _rebuild(self) -> int:
        graph = await self._graph.opened()
        files = await self._refill(graph) if self._refill is not None else 0
        await self._projector.rebuild(graph)
        return files

    async def _learn(self, command: memory.Remember | memory.ProposeFact, event: Event) -> None:
        try:
            said = statement(command, event.event_id)
        except VoidError as error:
            await self._void(command.fact_id, error.reason)
        else:
            is_proposal = isinstance(command, memory.ProposeFact)
            await self._change(lambda: self._facts.learn(said, proposed=is_proposal))
            await self._change(lambda: self._facts.keep(self._most))

    async def _change(self, change: Callable[[], Awaitable[Events]]) -> None:
        """Change the store, waiting while it is away, and tell. Told twice after a kill, it changes nothing."""
        for told in await until_there(change, FactsUnavailableError):
            await publish(self._bus, told)
        self._projector.wake()

    async def _void(self, subject_id: str, reason: memory.Void) -> None:
        await publish(self._bus, memory.MemoryVoid(subject_id=subject_id, reason=reason))

    @staticmethod
    async def _ask(ask: Callable[[], Awaitable[R]]) -> R:
        try:
            return await ask()
        except FactsUnavailableError as error:
            raise RequestRefused("store_unavailable", "the memory cannot be read now") from error


def _there(answer: R | None, what: str) -> R:
    if answer is None:
        raise RequestRefused("not_found", what)
    return answer
