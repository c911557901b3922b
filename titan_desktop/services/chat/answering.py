"""One attempt at an answer, from the command to the stored result."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from titan_bus import Bus, BusError
from titan_bus.errors import BusClosedError, BusOverloadedError, BusUnavailableError
from titan_desktop.contracts.chat import AnswerKind, Message, PathChanged, State
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.message import ask, publish
from titan_desktop.contracts.search import Search, SearchResult
from titan_desktop.contracts.sources import Source
from titan_desktop.ports.facts import Facts
from titan_desktop.ports.history import History
from titan_desktop.ports.model import ChatModel, Endpoint, ModelError, Reasoning, Text, Turn, WereThoughts
from titan_desktop.services.chat import events, followup_query, prompt
from titan_desktop.services.chat.attempts import Attempt
from titan_desktop.services.chat.delta_publisher import DeltaPublisher
from titan_desktop.services.chat.recalling import recalled
from titan_desktop.services.chat.recent import Recent
from titan_desktop.services.chat.storing import Storing
from titan_desktop.services.chat.tokens import room_for_prompt, tokens_of, tokens_of_prompt

SEARCH_TIMEOUT_S = 5.0
SOURCES_MAX = 6
OF_ONE_FILE_MAX = 3
"""The most passages of one file for a model; for a person who reads them as the answer each file is named once."""
LEANT_ON_MAX = 2
"""The most additional passages for a question that refers to an earlier one; they never replace its own."""
QUERY_CHARS_MAX = 2_000
ANSWER_CHARS_MAX = 200_000
"""The limit for a model that repeats itself; a reply on the bus has room for it."""
THINKING_CHARS_MAX = 1_000_000
"""The limit for a model that thinks in a circle: several times the longest ones that lead anywhere."""

_MUCH_LESS = 0.7
"""How much of the room a prompt may take that was too long before: the estimate was too low."""

_log = logging.getLogger(__name__)


class Answering:
    """Answers questions, one call each. `endpoint()` is called each time, so new settings apply at once."""

    def __init__(
        self,
        bus: Bus,
        history: History,
        storing: Storing,
        recent: Recent,
        model: ChatModel,
        facts: Facts,
        endpoint: Callable[[], Endpoint | None],
    ) -> None:
        self._bus = bus
        self._history = history
        self._storing = storing
        self._recent = recent
        self._model = model
        self._facts = facts
        self._endpoint = endpoint
        self._unstored: dict[str, tuple[Message, str]] = {}
        """Question -> its answer and the thoughts to it, until the store has them."""

    async def answer(
        self, attempt: Attempt, question: Message, *, beside: str = "", keep: bool = False
    ) -> None:
        """Generate, store and publish an answer. When it returns, the command is done.

        With `beside` the answer may be a new one of that id, with `keep` it goes on, see `History.begin`. When
        cancelled, it leaves the answer unfinished in the history for the next delivery of the command. The model
        is called once, however often storing is retried.

        Raises:
            BusError: the command must be delivered again.
        """
        unstored = self._unstored.get(question.id)
        if unstored is None:
            unstored = await self._answered(attempt, question, beside, keep=keep)
        if unstored is None:
            await self.say_again(question.id)
            return
        self._unstored[question.id] = ended, thoughts = unstored
        attempt.answer, attempt.text, attempt.thoughts = ended, ended.text, thoughts
        is_stored = await self._storing.until_taken(
            lambda: self._history.finish(ended, thoughts), question.id
        )
        del self._unstored[question.id]
        if is_stored:
            await self._recent.changed(question.conversation_id)
            await self._say(ended)

    async def say_again(self, question_id: str) -> None:
        """Publish the stored answer again, if it has ended: the event may have been lost with the last process."""
        asked = await self._storing.until_taken(lambda: self._history.asked(question_id), question_id)
        if asked is not None and asked.answer.state not in events.UNFINISHED:
            await self._recent.changed(asked.answer.conversation_id)
            await self._say(asked.answer)

    async def _answered(
        self, attempt: Attempt, question: Message, beside: str, *, keep: bool
    ) -> tuple[Message, str] | None:
        """Begin an answer; return the finished one and its thoughts; None if there is nothing to answer."""
        endpoint = self._endpoint()
        model = endpoint.model if endpoint else ""
        begun = await self._storing.until_taken(
            lambda: self._history.begin(
                question.id, event_id=attempt.event_id, model=model, beside=beside, keep=keep
            ),
            question.id,
        )
        if begun is None:
            return None
        attempt.answer, attempt.text = begun, begun.text
        if begun.thoughts:
            attempt.thoughts = await self._storing.until_taken(lambda: self._thoughts(begun.id), question.id)
        await self._recent.changed(question.conversation_id)
        if beside:
            await publish(self._bus, PathChanged(conversation_id=question.conversation_id, leaf_id=begun.id))
        ended = await self._ended(attempt, question, begun, endpoint)
        return ended, attempt.thoughts if ended.thoughts else ""

    async def _thoughts(self, answer_id: str) -> str:
        return await self._history.thoughts(answer_id) or ""

    async def _ended(
        self, attempt: Attempt, question: Message, begun: Message, endpoint: Endpoint | None
    ) -> Message:
        """Generate the answer and return it: complete, stopped or failed."""
        state, fault, detail = State.COMPLETE, None, ""
        try:
            if endpoint is None:
                work = self._without_model(attempt, question, begun)
            else:
                work = self._with_model(attempt, question, begun, endpoint)
            if not await attempt.finished_unless_stopped(work):
                state = State.STOPPED
        except ModelError as error:
            state, fault, detail = State.FAILED, error.fault, error.detail
        except (BusUnavailableError, BusClosedError, BusOverloadedError):
            raise
        except Exception as error:  # noqa: BLE001 - a supervisor: a bug fails the answer, once, visibly
            _log.exception("the answer to %s failed", question.id)
            state, fault, detail = State.FAILED, Fault.INTERNAL, type(error).__name__
        return replace(
            attempt.answer or begun,
            text=attempt.text,
            thoughts=len(attempt.thoughts) if attempt.thoughts.strip() else 0,
            state=state,
            fault=fault,
            fault_detail=detail,
        )

    async def _with_model(
        self, attempt: Attempt, question: Message, begun: Message, endpoint: Endpoint
    ) -> None:
        recent = await self._storing.until_taken(lambda: self._recent.until(question), question.id)
        learning = asyncio.create_task(
            self._model.context_tokens(endpoint), name=f"chat context for {question.id}"
        )
        try:
            sources = begun.sources if begun.text else await self._sources(question, recent)
            attempt.answer = replace(begun, sources=sources)
            await self._say_started(attempt.answer)
            context = await learning
        finally:
            learning.cancel()
        await self._stream_fitting(attempt, question, recent, endpoint, context)

    async def _stream_fitting(
        self,
        attempt: Attempt,
        question: Message,
        recent: Sequence[Message],
        endpoint: Endpoint,
        context: int | None,
    ) -> None:
        """Call the model with as much as it takes; when it takes less than that, once more with less."""
        assert attempt.answer is not None  # noqa: S101 - the caller has begun it
        begun, sources = attempt.answer, attempt.answer.sources
        said, thoughts = attempt.text, attempt.thoughts

        async def fits(turns: tuple[Turn, ...]) -> bool:
            nonlocal context
            try:
                await self._stream_answer(attempt, begun, endpoint, turns)
            except ModelError as error:
                if error.fault is not Fault.CONTEXT_TOO_LONG or attempt.text != said:
                    raise
                context, attempt.thoughts = error.context_tokens or context, thoughts
                _log.info("the prompt for %s is too long, once more with less: %s", question.id, error.detail)
                return False
            return True

        turns = prompt.compose(question, recent, sources, _room(context, said))
        if await fits(turns):
            return
        less = prompt.compose(question, recent, sources, _room(context, said, _MUCH_LESS))
        if tokens_of_prompt(less) < tokens_of_prompt(turns) and await fits(less):
            return
        least = prompt.compose(question, (), prompt.least(sources), _room(context, said, _MUCH_LESS))
        await self._stream_answer(attempt, begun, endpoint, least)

    async def _stream_answer(
        self, attempt: Attempt, begun: Message, endpoint: Endpoint, turns: Sequence[Turn]
    ) -> None:
        """Call the model, and publish the answer while it grows, behind what there is of it."""
        if begun.text:
            turns = prompt.to_go_on(turns, begun.text)
        said, thought = len(begun.text), 0
        async with (
            DeltaPublisher(self._bus, self._history, attempt, begun) as publisher,
            contextlib.aclosing(self._model.stream(endpoint, turns)) as parts,
        ):
            async for part in parts:
                match part:
                    case Text(text=text):
                        publisher.add(text[: ANSWER_CHARS_MAX - said])
                        said += len(text)
                    case Reasoning(text=text):
                        publisher.think(text)
                        thought += len(text)
                    case WereThoughts():
                        publisher.were_thoughts()
                        said = len(begun.text)
                if thought >= THINKING_CHARS_MAX:
                    _log.warning("answer %s ended after %d characters of thoughts", begun.id, thought)
                    raise ModelError(Fault.CUT_OFF if said else Fault.EMPTY)
                if said >= ANSWER_CHARS_MAX:
                    _log.warning("answer %s was cut off at %d characters", begun.id, said)
                    break

    async def _without_model(self, attempt: Attempt, question: Message, begun: Message) -> None:
        """Answer with the passages. The window translates them, or the message that there are none."""
        if begun.text:
            raise ModelError(Fault.UNREACHABLE, "no model is connected")  # passages are no rest of an answer
        facts, found = await asyncio.gather(recalled(self._facts, question.text), self._search(question.text))
        if found is None:
            raise ModelError(Fault.INTERNAL, "The search in the files did not answer.")
        kind = AnswerKind.NEAREST if found.nearest_only else AnswerKind.PASSAGES
        sources = facts + found.hits
        attempt.answer = replace(begun, sources=sources, kind=kind if sources else AnswerKind.NOTHING)
        await self._say_started(attempt.answer)

    async def _sources(self, question: Message, recent: Sequence[Message]) -> tuple[Source, ...]:
        """Return the facts and passages for a question, then passages for the earlier one it refers to."""
        in_full = followup_query.in_full(question, recent)
        facts, found = await asyncio.gather(
            recalled(self._facts, in_full or question.text),
            self._search(question.text, of_one_file=OF_ONE_FILE_MAX),
        )
        if found is None:
            return facts
        more = await self._search(in_full, LEANT_ON_MAX) if in_full else None
        known = {(hit.path, hit.position) for hit in found.hits}
        added = more.hits if more else ()
        return facts + found.hits + tuple(hit for hit in added if (hit.path, hit.position) not in known)

    async def _search(
        self, query: str, limit: int = SOURCES_MAX, *, of_one_file: int = 1
    ) -> SearchResult | None:
        """Return the search result, None if the search does not answer."""
        search = Search(query=query[:QUERY_CHARS_MAX], limit=limit, per_file=of_one_file)
        try:
            found = await ask(self._bus, search, SEARCH_TIMEOUT_S)
        except BusError as error:
            _log.warning("the search did not answer: %s", error)
            return None
        return replace(found, hits=found.hits[:limit])

    async def _say_started(self, answer: Message) -> None:
        await publish(self._bus, events.answer_started(answer))

    async def _say(self, answer: Message) -> None:
        await publish(self._bus, events.assistant_message(answer))


def _room(context_tokens: int | None, said: str, share: float = 1.0) -> int | None:
    """Return about how many tokens the prompt may have beside what there is of the answer; None for any number."""
    if context_tokens is None:
        return None
    return int(room_for_prompt(context_tokens) * share) - tokens_of(said[-prompt.GO_ON_CHARS_MAX :])
