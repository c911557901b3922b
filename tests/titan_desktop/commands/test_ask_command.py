import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.responders import a_delta, a_hit, an_answer, chat_service
from titan_bus import Bus
from titan_desktop.commands import ask, exit_codes, sentences
from titan_desktop.contracts import chat, memory
from titan_desktop.contracts.sources import FactSource

SAYS = sentences.ENGLISH


def options(**changes: object) -> Namespace:
    return Namespace(**{"json": False, "conversation": "", "timeout": 20.0, **changes})


async def streamed(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
    yield chat.AnswerStarted(message=an_answer(command, state=chat.State.WAITING))
    yield a_delta(command, 0, "The deposit ")
    yield a_delta(command, 12, "is 900.")
    yield chat.AssistantMessage(message=an_answer(command, "The deposit is 900.", sources=(a_hit(),)))


async def test_the_answer_is_written_once_with_its_sources(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """Deltas and the final message together make one text, then the numbered sources follow."""
    async with chat_service(bus, streamed):
        status = await ask.run(bus, options(), "What is the deposit?", SAYS)
    out, err = capsys.readouterr()
    assert status == exit_codes.DONE
    assert out == "The deposit is 900.\n\nSources:\n[1] rent.pdf, p. 3\n    /home/anna/Desktop/rent.pdf\n"
    assert err == ""


async def test_a_fact_is_cited_as_one(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """By its sentence, in the person's language; a script gets its id."""
    fact = FactSource(
        fact_id="f", title="", passage="The key is\nwith Anna.", learned_at="2026-03-03T10:00:00Z"
    )

    async def answered(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield chat.AssistantMessage(message=an_answer(command, "With Anna [1].", sources=(fact,)))

    async with chat_service(bus, answered):
        await ask.run(bus, options(), "Where is the key?", SAYS)
        assert capsys.readouterr().out.endswith("[1] fact: The key is with Anna.\n")
        await ask.run(bus, options(json=True), "Where is the key?", SAYS)
    assert json.loads(capsys.readouterr().out)["sources"][0]["fact_id"] == "f"


async def test_without_a_model_the_sources_are_the_first_line(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no text before them, so there is no empty line either: `| head` shows something."""

    async def passages(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        answer = an_answer(command, kind=chat.AnswerKind.PASSAGES, sources=(a_hit(),))
        yield chat.AssistantMessage(message=answer)

    async with chat_service(bus, passages):
        await ask.run(bus, options(), "What is the deposit?", SAYS)
    assert capsys.readouterr().out.startswith("Sources:\n[1] rent.pdf, p. 3\n")


async def test_what_was_to_be_remembered_is_said_beside_the_answer(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only for this question: the fact has the message's id. That no file has anything on it is not said."""

    async def remembering(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        for fact_id, text in (("other", "no"), (command.message_id, "the key is under the mat")):
            fact = memory.Fact(id=fact_id, text=text, subject="", subject_id=memory.ME, learned_at="")
            yield memory.FactLearned(fact=fact)
        yield chat.AssistantMessage(message=an_answer(command, kind=chat.AnswerKind.NOTHING))

    async with chat_service(bus, remembering):
        status = await ask.run(bus, options(), "Remember that the key is under the mat", SAYS)
    out, err = capsys.readouterr()
    assert (status, out) == (exit_codes.DONE, "")
    assert "Remembered: the key is under the mat" in err
    assert err.count("Remembered") == 1


async def test_json_is_one_object(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints nothing but the finished answer, with the fields that scripts rely on."""
    async with chat_service(bus, streamed):
        status = await ask.run(
            bus, options(json=True, conversation="01J25T91SA3G7G9F2W3ZVQ7E7N"), "Deposit?", SAYS
        )
    said = json.loads(capsys.readouterr().out)
    assert status == exit_codes.DONE
    assert said == {
        "answer": "The deposit is 900.",
        "state": "complete",
        "kind": "model",
        "model": "m",
        "sources": [
            {
                "path": "/home/anna/Desktop/rent.pdf",
                "title": "rent.pdf",
                "score": 1.0,
                "passage": "The deposit is 900.",
                "kind": "pdf",
                "place": {"type": "pages", "first": 3, "last": 3},
            }
        ],
        "conversation_id": "01J25T91SA3G7G9F2W3ZVQ7E7N",
        "fault": None,
    }


async def test_lost_deltas_are_fetched(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """A gap in the offsets is filled from the stored message, and what was written is not written again."""

    async def gappy(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "One ")
        yield a_delta(command, 8, "three ")
        yield a_delta(command, 2, "e two ")
        yield chat.AssistantMessage(message=an_answer(command, "One two three four"))

    async with chat_service(bus, gappy, {"Count": "One two three"}):
        await ask.run(bus, options(), "Count", SAYS)
    assert capsys.readouterr().out == "One two three four\n"


async def test_an_answer_too_long_for_an_event_is_fetched(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """`text_omitted` means: ask for the message."""

    async def omitted(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield chat.AssistantMessage(message=an_answer(command), text_omitted=True)

    async with chat_service(bus, omitted, {"Long": "long " * 3000}):
        await ask.run(bus, options(), "Long", SAYS)
    assert capsys.readouterr().out.split() == ["long"] * 3000


@pytest.mark.parametrize("heard", [True, False])
async def test_thoughts_that_were_written_are_told_from_the_answer(
    bus: Bus, capsys: pytest.CaptureFixture[str], *, heard: bool
) -> None:
    """A terminal takes nothing back; the word about it may come with the finished answer alone."""

    async def thinking(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "Let me see.")
        if heard:
            yield msgspec.structs.replace(a_delta(command, 0, ""), thoughts=11, restarts=True)
            yield a_delta(command, 0, "It is ")
        yield chat.AssistantMessage(message=an_answer(command, "It is 42.", thoughts=11))

    async with chat_service(bus, thinking):
        await ask.run(bus, options(), "?", SAYS)
    out, err = capsys.readouterr()
    assert (out, err) == ("Let me see.\nIt is 42.\n", f"{SAYS['were_thoughts']}\n")


@pytest.mark.parametrize("json_", [True, False])
async def test_an_answer_that_does_not_end_in_time_is_told_with_what_there_is(
    bus: Bus, capsys: pytest.CaptureFixture[str], *, json_: bool
) -> None:
    """In JSON with fault, detail and cure, as any other."""

    async def endless(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "It is")

    async with chat_service(bus, endless) as stops:
        status = await ask.run(bus, options(json=json_, timeout=1.0), "?", SAYS)
        await stops.get()
    out, err = capsys.readouterr()
    assert (status, "in time" in err) == (exit_codes.MODEL_FAILED, True)
    if json_:
        said = json.loads(out)
        assert (said["answer"], said["state"], said["fault"]["kind"]) == ("It is", "failed", "timed_out")
        assert "in time" in said["fault"]["cure"]
    else:
        assert out == "It is\n"


@pytest.mark.parametrize("fault", ["cut_off", "filtered", "empty", "wrong_address", "context_too_long"])
async def test_each_fault_is_told_with_its_detail_and_its_cure(
    bus: Bus, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    async def failing(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        told = an_answer(
            command, "half", state=chat.State.FAILED, fault=chat.Fault(fault), fault_detail="its words"
        )
        yield chat.AssistantMessage(message=told)

    for json_ in (False, True):
        async with chat_service(bus, failing):
            assert await ask.run(bus, options(json=json_), "?", SAYS) == exit_codes.MODEL_FAILED
        out, err = capsys.readouterr()
        cure = sentences.for_fault(SAYS, chat.Fault(fault))
        assert err == f"titan: {cure} (its words)\n"
    assert json.loads(out)["fault"] == {"kind": fault, "detail": "its words", "cure": cure}


async def test_a_second_attempt_replaces_the_first(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """When a core died in mid-answer, the new one begins a line of its own; late deltas of the old are void."""

    async def twice(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "Half an ans")
        yield a_delta(command, 0, "The whole ", attempt=2)
        yield a_delta(command, 11, "wer", attempt=1)
        yield a_delta(command, 10, "answer", attempt=2)
        yield chat.AssistantMessage(message=an_answer(command, "The whole answer", attempt=2))

    async with chat_service(bus, twice):
        await ask.run(bus, options(), "?", SAYS)
    out, err = capsys.readouterr()
    assert out == "Half an ans\nThe whole answer\n"
    assert err == f"{SAYS['again']}\n"


async def test_without_a_model_the_passages_are_the_answer(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """The passages stand on stdout with their files; how to connect a model stands on stderr."""

    async def passages(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        message = an_answer(command, kind=chat.AnswerKind.PASSAGES, sources=(a_hit(),))
        yield chat.AssistantMessage(message=message)

    async with chat_service(bus, passages):
        status = await ask.run(bus, options(), "deposit", SAYS)
    out, err = capsys.readouterr()
    assert status == exit_codes.DONE
    assert "    /home/anna/Desktop/rent.pdf\n    The deposit is 900.\n" in out
    assert "titan key set" in err
    assert "Ollama" in err


async def test_without_a_model_json_has_the_passages_as_the_answer(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that reads `answer` alone gets what was found."""

    async def passages(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        message = an_answer(command, kind=chat.AnswerKind.PASSAGES, sources=(a_hit(), a_hit("/d/b.txt")))
        yield chat.AssistantMessage(message=message)

    async with chat_service(bus, passages):
        await ask.run(bus, options(json=True), "deposit", SAYS)
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "passages"
    assert said["answer"] == "rent.pdf: The deposit is 900.\n\nb.txt: The deposit is 900."


async def test_nothing_found_is_said_by_the_exit_status(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a model and without a passage: 1."""

    async def nothing(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield chat.AssistantMessage(message=an_answer(command, kind=chat.AnswerKind.NOTHING))

    async with chat_service(bus, nothing):
        assert await ask.run(bus, options(), "x", SAYS) == exit_codes.NOTHING
    assert capsys.readouterr().out == f"{SAYS['nothing']}\n"


@pytest.mark.parametrize("fault", chat.Fault)
async def test_a_fault_is_a_sentence_with_its_cure(
    bus: Bus, capsys: pytest.CaptureFixture[str], fault: chat.Fault
) -> None:
    """Whatever the model's endpoint does, stderr says which fault it was, and the status is 5."""

    async def failing(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        message = an_answer(command, state=chat.State.FAILED, fault=fault, fault_detail="HTTP 4xx")
        yield chat.AssistantMessage(message=message)

    async with chat_service(bus, failing):
        status = await ask.run(bus, options(), "x", sentences.RUSSIAN)
    out, err = capsys.readouterr()
    assert status == exit_codes.MODEL_FAILED
    assert err == f"titan: {sentences.for_fault(sentences.RUSSIAN, fault)} (HTTP 4xx)\n"
    async with chat_service(bus, failing):
        await ask.run(bus, options(json=True), "?", SAYS)
    said = json.loads(capsys.readouterr().out)["fault"]
    assert said == {"kind": fault, "detail": "HTTP 4xx", "cure": sentences.for_fault(SAYS, fault)}
    assert out == ""


async def test_the_timeout_stops_the_answer(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """After `--timeout` the core is told to stop, and the half answer's line is closed."""

    async def endless(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "Half")

    async with chat_service(bus, endless) as stops:
        status = await ask.run(bus, options(timeout=0.5), "x", SAYS)
        await asyncio.wait_for(stops.get(), 30)
    assert status == exit_codes.MODEL_FAILED
    assert capsys.readouterr().out == "Half\n"


async def test_ctrl_c_stops_the_answer(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Cancelled, the command tells the core to stop before it goes."""
    begun = asyncio.Event()

    async def endless(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "Half")
        begun.set()

    async with chat_service(bus, endless) as stops:
        asking = asyncio.create_task(ask.run(bus, options(), "x", SAYS))
        await begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        stop = await asyncio.wait_for(stops.get(), 30)
    assert stop.question_id


async def test_what_an_answer_waits_for_is_said_once(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """The core says it with every try; another question's wait is not this one's."""

    async def delayed(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        full = chat.StoringDelayed(question_id=command.message_id, delay=chat.Delay.DISK_FULL)
        yield msgspec.structs.replace(full, question_id="another")
        yield a_delta(command, 0, "The deposit is 900.")
        yield full
        yield full
        yield chat.AssistantMessage(message=an_answer(command, "The deposit is 900."))

    async with chat_service(bus, delayed):
        assert await ask.run(bus, options(), "What is the deposit?", SAYS) == exit_codes.DONE
    out, err = capsys.readouterr()
    assert out.split("\n")[0] == "The deposit is 900."
    assert err == sentences.for_delay(SAYS, chat.Delay.DISK_FULL) + "\n"


async def test_the_terminal_obeys_no_answer(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in an answer, a title or a passage are shown as marks, not sent to the terminal."""

    async def hostile(command: chat.SendPrompt) -> AsyncIterator[msgspec.Struct]:
        yield a_delta(command, 0, "\x1b]52;c;cm0gLXJm\x07")
        hit = a_hit("/d/\x1b[2Ja.pdf", passage="\x9b31m")
        text = "\x1b]52;c;cm0gLXJm\x07"
        message = an_answer(command, text, kind=chat.AnswerKind.PASSAGES, sources=(hit,))
        yield chat.AssistantMessage(message=message)

    async with chat_service(bus, hostile):
        await ask.run(bus, options(), "x", SAYS)
    assert not {"\x1b", "\x07", "\x9b"} & set(capsys.readouterr().out)
