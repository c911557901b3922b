"""The facts service: declares what it takes and tells. The store follows; until then it refuses."""

from titan_bus import FatalError, Handlers, RequestRefused
from titan_desktop.contracts import memory
from titan_desktop.contracts.declaring import take, tell

GROUP = "facts"
REQUESTS_AT_ONCE = 4


class FactsService:
    """Takes the commands and answers the requests of the memory topics."""

    drain_s = 1.0

    def __init__(self) -> None:
        self.handlers = Handlers()
        take(
            self.handlers,
            GROUP,
            self.remember,
            self.propose,
            self.correct,
            self.close,
            self.pin,
            self.forget_fact,
            self.forget_entity,
            self.accept,
            self.refuse,
            self.drop_rule,
            self.merge,
            self.undo_merge,
            concurrency=1,
        )
        take(
            self.handlers,
            GROUP,
            self.list_facts,
            self.explain,
            self.list_entities,
            self.list_rules,
            self.neighbourhood,
            concurrency=REQUESTS_AT_ONCE,
        )
        tell(
            self.handlers,
            memory.FactLearned,
            memory.FactProposed,
            memory.FactClosed,
            memory.FactChanged,
            memory.MemoryForgotten,
            memory.MemoryErased,
            memory.RulesChanged,
            memory.EntitiesMerged,
            memory.MemoryVoid,
        )

    async def remember(self, command: memory.Remember) -> None:
        """Learn at once."""
        raise FatalError(command.fact_id)

    async def propose(self, command: memory.ProposeFact) -> None:
        """Keep a proposal."""
        raise FatalError(command.fact_id)

    async def correct(self, command: memory.CorrectFact) -> None:
        """Put another fact in the place of one."""
        raise FatalError(command.fact_id)

    async def close(self, command: memory.CloseFact) -> None:
        """Give a fact its end."""
        raise FatalError(command.fact_id)

    async def pin(self, command: memory.PinFact) -> None:
        """Keep a fact whatever the limits."""
        raise FatalError(command.fact_id)

    async def forget_fact(self, command: memory.ForgetFact) -> None:
        """Erase a fact."""
        raise FatalError(command.fact_id)

    async def forget_entity(self, command: memory.ForgetEntity) -> None:
        """Erase an entity with its facts."""
        raise FatalError(command.entity_id)

    async def accept(self, command: memory.AcceptProposals) -> None:
        """Let proposals hold."""
        raise FatalError(str(command.rule))

    async def refuse(self, command: memory.RefuseProposals) -> None:
        """Refuse proposals."""
        raise FatalError(str(command.rule))

    async def drop_rule(self, command: memory.DropRule) -> None:
        """Forget a rule."""
        raise FatalError(str(command.rule))

    async def merge(self, command: memory.MergeEntities) -> None:
        """Make one entity of two."""
        raise FatalError(command.merge_id)

    async def undo_merge(self, command: memory.UndoMerge) -> None:
        """Make two of one again."""
        raise FatalError(command.merge_id)

    async def list_facts(self, wanted: memory.ListFacts) -> memory.FactPage:
        """Return a page of facts."""
        raise RequestRefused("store_unavailable", wanted.cursor)

    async def explain(self, wanted: memory.ExplainFact) -> memory.FactExplained:
        """Return where a fact is from."""
        raise RequestRefused("store_unavailable", wanted.fact_id)

    async def list_entities(self, wanted: memory.ListEntities) -> memory.Entities:
        """Return entities."""
        raise RequestRefused("store_unavailable", wanted.words)

    async def list_rules(self, wanted: memory.ListRules) -> memory.Rules:
        """Return the rules."""
        raise RequestRefused("store_unavailable", str(wanted))

    async def neighbourhood(self, wanted: memory.Neighbourhood) -> memory.Surroundings:
        """Return the picture around an entity."""
        raise RequestRefused("graph_unavailable", wanted.entity_id)
