"""The memory's part of the core beside the window: facts in a list, told as the real service tells them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from titan_bus import Bus, Handlers, RequestRefused
from titan_desktop.contracts import memory
from titan_desktop.contracts.declaring import take
from titan_desktop.contracts.memory import ME, Fact, FactState, Void
from titan_desktop.contracts.message import BusMessage, publish
from titan_desktop.ports.facts import plain


class MemoryCore:
    """Serves the memory topics on a real bus. It knows sentences, no parts of them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.facts: list[Fact] = []
        self.away = False
        self.page_max = 500
        self.asked: list[memory.ListFacts] = []
        self._corrected: dict[str, str] = {}
        self._forgotten: dict[str, int] = {}
        self._clock = datetime(2026, 11, 23, 10, tzinfo=UTC)

    async def serve(self) -> None:
        handlers = Handlers()
        take(
            handlers, "facts",
            self.remember, self.propose, self.correct, self.close, self.pin, self.forget_fact,
            self.forget_entity, self.accept, self.refuse,
            concurrency=1,
        )  # fmt: skip
        take(handlers, "facts", self.list_facts)
        await self._bus.include(handlers)

    def now(self) -> str:
        """A later time with every call."""
        self._clock += timedelta(seconds=1)
        return self._clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def remember(self, command: memory.Remember) -> None:
        await self._learn(command, FactState.HOLDS)

    async def propose(self, command: memory.ProposeFact) -> None:
        await self._learn(command, FactState.PROPOSED)

    async def correct(self, command: memory.CorrectFact) -> None:
        former = self._find(command.former_id)
        if former is None or former.state is FactState.CORRECTED:
            await self._void(command.former_id, Void.NOT_FOUND)
            return
        self._put(replace(former, state=FactState.CORRECTED))
        fact = replace(
            former, id=command.fact_id, text=command.text.strip(), state=FactState.HOLDS,
            learned_at=self.now(), origin=command.origin, confidence=1.0,
        )  # fmt: skip
        self._corrected[fact.id] = former.id
        self._put(fact)
        await self._tell(memory.FactChanged(fact=fact, former_id=former.id))

    async def close(self, command: memory.CloseFact) -> None:
        fact = self._find(command.fact_id)
        if fact is None or fact.state is not FactState.HOLDS:
            await self._void(command.fact_id, Void.NOT_FOUND)
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fact = replace(fact, valid_to=command.valid_to or now, closed_at=now)
        self._put(fact)
        await self._tell(memory.FactClosed(fact=fact))

    async def pin(self, command: memory.PinFact) -> None:
        fact = self._find(command.fact_id)
        if fact is None:
            await self._void(command.fact_id, Void.NOT_FOUND)
            return
        self._put(replace(fact, pinned=command.pinned))
        await self._tell(memory.FactChanged(fact=replace(fact, pinned=command.pinned)))

    async def forget_fact(self, command: memory.ForgetFact) -> None:
        same = {command.fact_id}
        while more := {
            other
            for pair in self._corrected.items()
            for other in pair
            if same & set(pair) and other not in same
        }:
            same |= more
        await self._forget(command.fact_id, same)

    async def forget_entity(self, command: memory.ForgetEntity) -> None:
        named = {f.id for f in self.facts if command.entity_id in (f.subject_id, f.object_id)}
        await self._forget(command.entity_id, named)

    async def accept(self, command: memory.AcceptProposals) -> None:
        for fact_id in command.fact_ids:
            fact = self._find(fact_id)
            if fact is None:
                await self._void(fact_id, Void.NOT_FOUND)
                continue
            if fact.state is not FactState.HOLDS:
                fact = replace(fact, state=FactState.HOLDS, learned_at=self.now())
                self._put(fact)
            await self._tell(memory.FactLearned(fact=fact))

    async def refuse(self, command: memory.RefuseProposals) -> None:
        for fact_id in command.fact_ids:
            fact = self._find(fact_id)
            if fact is None or fact.state is FactState.HOLDS:
                await self._void(fact_id, Void.NOT_FOUND)
                continue
            fact = replace(fact, state=FactState.REFUSED)
            self._put(fact)
            await self._tell(memory.FactChanged(fact=fact))

    async def list_facts(self, wanted: memory.ListFacts) -> memory.FactPage:
        self.asked.append(wanted)
        if self.away:
            raise RequestRefused("store_unavailable", "away")
        found = [fact for fact in self.facts if self._fits(fact, wanted)]
        found.sort(key=lambda fact: (fact.pinned, fact.learned_at, fact.id), reverse=True)
        ids = [fact.id for fact in found]
        begin = ids.index(wanted.cursor) + 1 if wanted.cursor in ids else 0
        end = begin + min(wanted.limit, self.page_max)
        more = end < len(found)
        return memory.FactPage(
            facts=tuple(found[begin:end]), more=more, cursor=found[end - 1].id if more else ""
        )

    def _fits(self, fact: Fact, wanted: memory.ListFacts) -> bool:
        if fact.state is not wanted.state:
            return False
        words = plain(wanted.words).split()
        if words and not any(word in plain(fact.text).split() for word in words):
            return False
        if wanted.entity_id and wanted.entity_id not in (fact.subject_id, fact.object_id):
            return False
        if fact.state is not FactState.HOLDS or (wanted.all_times and not wanted.ended):
            return True
        has_ended = bool(fact.valid_to) and datetime.fromisoformat(fact.valid_to) <= datetime.now(UTC)
        return has_ended is wanted.ended

    async def _learn(self, command: memory.Remember | memory.ProposeFact, state: FactState) -> None:
        text = command.text.strip()
        known = [f for f in self.facts if plain(f.text) == plain(text) and f.state is not FactState.CORRECTED]
        held = self._find(command.fact_id)
        if held is None and not plain(text):
            await self._void(command.fact_id, Void.EMPTY)
        elif held is None and known and (known[0].state is FactState.HOLDS or state is FactState.PROPOSED):
            await self._tell(
                memory.MemoryVoid(subject_id=command.fact_id, reason=Void.KNOWN, known_id=known[0].id)
            )
        else:
            now = self.now()
            fact = held or Fact(
                id=command.fact_id, text=text, subject=command.subject, subject_id=ME, state=state,
                learned_at=now, valid_from=now, origin=command.origin,
            )  # fmt: skip
            self._put(fact)
            kind = memory.FactLearned if fact.state is FactState.HOLDS else memory.FactProposed
            await self._tell(kind(fact=fact))

    async def _forget(self, subject_id: str, fact_ids: Iterable[str]) -> None:
        gone = [fact for fact in self.facts if fact.id in fact_ids]
        self.facts = [fact for fact in self.facts if fact not in gone]
        if gone:
            self._forgotten[subject_id] = len(gone)
        if subject_id in self._forgotten:
            told = memory.MemoryForgotten(subject_id=subject_id, facts=self._forgotten[subject_id])
            await self._tell(told)
        else:
            await self._void(subject_id, Void.NOT_FOUND)

    def _find(self, fact_id: str) -> Fact | None:
        return next((fact for fact in self.facts if fact.id == fact_id), None)

    def _put(self, fact: Fact) -> None:
        self.facts = [*(held for held in self.facts if held.id != fact.id), fact]

    async def _void(self, subject_id: str, reason: Void) -> None:
        await self._tell(memory.MemoryVoid(subject_id=subject_id, reason=reason))

    async def _tell(self, message: BusMessage) -> None:
        await publish(self._bus, message)
