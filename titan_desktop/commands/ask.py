"""`titan ask`: sends one question, prints its answer as it grows, then the sources."""

import argparse
import asyncio
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass

from titan_bus import Bus, Event, new_ulid
from titan_desktop.client import foreign
from titan_desktop.commands import exit_codes, output, sentences
from titan_desktop.contracts import chat, memory
from titan_desktop.contracts.faults import Fault
from titan_desktop.contracts.message import BusMessage, Kinds, publish
from titan_desktop.contracts.message import ask as ask_core
from titan_desktop.contracts.sources import FactSource, FilePassage

GET_TIMEOUT_S = 10.0

_FOLLOWED = Kinds[BusMessage](
    chat.AnswerStarted, chat.AssistantDelta, chat.AssistantMessage, chat.StoringDelayed, memory.FactLearned
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with ids of its own: sent twice, it is still one question."""

    text: str
    conversation_id: str
    id: str

    @classmethod
    def new(cls, text: str, conversation_id: str = "") -> "Question":
        """Create a question for a conversation, or for a new one."""
        return cls(text=text, conversation_id=conversation_id or new_ulid(), id=new_ulid())


async def run(bus: Bus, options: argparse.Namespace, text: str, says: sentences.Table) -> int:
    """Ask, print, and return the exit status. When cancelled (Ctrl+C), the answer is stopped."""
    question = Question.new(text, options.conversation)
    paper = Paper(says, silent=options.json)
    try:
        async with asyncio.timeout(options.timeout):
            answer = await _answer(bus, question, paper)
    except TimeoutError:
        await _stop(bus, question)
        answer = _timed_out(question, paper.text)
    except asyncio.CancelledError:
        await _stop(bus, question)
        paper.end()
        raise
    if options.json:
        output.say_json(_as_json(answer, says))
    else:
        paper.finish(answer)
    if paper.has_remembered and answer.kind is chat.AnswerKind.NOTHING:
        return exit_codes.DONE  # it was no question
    return _report_outcome(answer, says)


class Paper:
    """Writes an answer to the terminal as it grows; told more than once, it writes nothing twice."""

    def __init__(self, says: sentences.Table, *, silent: bool) -> None:
        self._says = says
        self._silent = silent
        self._written = ""
        self._attempt = 0
        self._delays: set[chat.Delay] = set()
        self.has_remembered = False

    @property
    def text(self) -> str:
        """What is written of this attempt."""
        return self._written

    @property
    def length(self) -> int:
        """How many characters of this attempt are written."""
        return len(self._written)

    def begin(self, attempt: int) -> bool:
        """Switch to an attempt. Returns False for an older one, which is ignored."""
        if attempt > self._attempt:
            if self._written:
                self.end()
                output.complain(self._says["again"])
            self._attempt = attempt
        return attempt == self._attempt

    def write(self, offset: int, text: str) -> bool:
        """Write what follows the first `offset` characters. Returns False when something before it is missing."""
        if offset > self.length:
            return False
        fresh = text[self.length - offset :]
        if fresh and not self._silent:
            output.say(fresh, end="")
        self._written += fresh
        return True

    def take_back(self, offset: int) -> None:
        """What is written behind `offset` were thoughts: say so, since a terminal takes nothing back."""
        if self.length > offset:
            if not self._silent:
                if not self._written.endswith("\n"):
                    output.say()
                output.complain(self._says["were_thoughts"])
            self._written = self._written[:offset]

    def delayed(self, delay: chat.Delay) -> None:
        """Report once what the answer waits for."""
        if delay not in self._delays:
            self._delays.add(delay)
            if self._written and not self._silent:
                output.say()
            output.complain(sentences.for_delay(self._says, delay))

    def remembered(self, fact: str) -> None:
        """Say that what the question asked to remember is remembered."""
        self.has_remembered = True
        if self._written and not self._silent:
            output.say()
        output.complain(self._says["remembered"].format(fact=output.line(fact)))

    def end(self) -> None:
        """End the current line."""
        if self._written and not self._silent and not self._written.endswith("\n"):
            output.say()
        self._written = ""

    def finish(self, answer: chat.Message) -> None:
        """Write the rest of the final text, then the sources."""
        if not answer.text.startswith(self._written):
            if answer.thoughts:
                self.take_back(0)
            self.end()
        self.write(0, answer.text)
        self.end()
        if answer.state is chat.State.STOPPED:
            output.say(self._says["stopped"])
        if answer.kind is chat.AnswerKind.NOTHING and not answer.text and not self.has_remembered:
            output.say(self._says["nothing"])
        if answer.sources:
            if answer.text:
                output.say()
            output.say(self._says["nearest" if answer.kind is chat.AnswerKind.NEAREST else "sources"])
        for number, source in enumerate(answer.sources, start=1):
            output.say(f"[{number}] {output.line(sentences.for_source(self._says, source))}")
            if isinstance(source, FilePassage):
                output.say(f"    {output.line(source.path)}")
            if answer.kind in chat.OF_PASSAGES and source.passage not in answer.text:
                output.say(textwrap.indent(foreign.text(source.passage).strip(), "    "))


async def _answer(bus: Bus, question: Question, paper: Paper) -> chat.Message:
    """Publish the question and follow it until its answer is stored."""
    tail = bus.tail(_FOLLOWED.topics, start="$")
    try:
        await tail.start()  # before the question is sent: the first delta may follow at once
        command = chat.SendPrompt(
            conversation_id=question.conversation_id, message_id=question.id, text=question.text
        )
        await publish(bus, command, priority="high")
        return await _follow(bus, question, paper, tail)
    finally:
        await tail.close()


async def _follow(bus: Bus, question: Question, paper: Paper, tail: AsyncIterator[Event]) -> chat.Message:
    async for event in tail:
        match _FOLLOWED.read(event):
            case chat.AnswerStarted(message=message) if message.question_id == question.id:
                paper.begin(message.attempt)
            case chat.AssistantDelta(question_id=question.id) as delta:
                is_ours = paper.begin(delta.attempt)
                if is_ours and delta.restarts:
                    paper.take_back(delta.offset)
                if is_ours and not paper.write(delta.offset, delta.text):
                    so_far = await _message(bus, delta.answer_id)
                    if paper.begin(so_far.attempt):
                        paper.write(0, so_far.text)
            case memory.FactLearned(fact=fact) if fact.id == question.id:
                paper.remembered(fact.text)
            case chat.StoringDelayed(question_id=question.id, delay=delay):
                paper.delayed(delay)
            case chat.AssistantMessage(message=message, text_omitted=omitted) if (
                message.question_id == question.id
            ):
                return await _message(bus, message.id) if omitted else message
    raise AssertionError("a tail ends only when it is closed")


async def _message(bus: Bus, message_id: str) -> chat.Message:
    return await ask_core(bus, chat.GetMessage(message_id=message_id), GET_TIMEOUT_S)


async def _stop(bus: Bus, question: Question) -> None:
    command = chat.StopAnswer(conversation_id=question.conversation_id, question_id=question.id)
    await publish(bus, command, priority="high")


def _timed_out(question: Question, said: str) -> chat.Message:
    """Return an answer that did not end in time, with what there is of it."""
    return chat.Message(
        id="",
        conversation_id=question.conversation_id,
        role=chat.Role.ASSISTANT,
        text=said,
        state=chat.State.FAILED,
        created_at="",
        question_id=question.id,
        fault=Fault.TIMED_OUT,
    )


def _as_json(answer: chat.Message, says: sentences.Table) -> dict[str, object]:
    return {
        "answer": answer.text or _passages(answer),
        "state": answer.state,
        "kind": answer.kind,
        "model": answer.model,
        "sources": [output.source_as_json(source) for source in answer.sources],
        "conversation_id": answer.conversation_id,
        "fault": _fault_as_json(answer, says),
    }


def _fault_as_json(answer: chat.Message, says: sentences.Table) -> dict[str, str] | None:
    """Return the code for a script, what the endpoint said, and the sentence with the cure for a person."""
    if answer.fault is None:
        return None
    cure = sentences.for_fault(says, answer.fault)
    return {"kind": answer.fault, "detail": answer.fault_detail, "cure": cure}


def _passages(answer: chat.Message) -> str:
    """Return the passages as one text: without a model they are the answer."""
    if answer.kind not in chat.OF_PASSAGES:
        return ""
    return "\n\n".join(
        source.passage.strip()
        if isinstance(source, FactSource)
        else f"{source.title}: {source.passage.strip()}"
        for source in answer.sources
    )


def _report_outcome(answer: chat.Message, says: sentences.Table) -> int:
    """Say on stderr what the person should know, and return the exit status."""
    if answer.state is chat.State.FAILED:
        detail = f" ({output.line(answer.fault_detail)})" if answer.fault_detail else ""
        output.complain(f"titan: {sentences.for_fault(says, answer.fault)}{detail}")
        return exit_codes.MODEL_FAILED
    if answer.kind is not chat.AnswerKind.MODEL:
        output.complain(says["connect"])
    return exit_codes.NOTHING if answer.kind is chat.AnswerKind.NOTHING else exit_codes.DONE
