"""What the services could not do, on a real bus."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from titan_bus import Bus, BusConfig, Event, FatalError, RequestFailedError, Tail, names
from titan_desktop.contracts import chat
from titan_desktop.contracts.dead_letters import (
    DeadLetterPage,
    DeadLettersChanged,
    DropDeadLetters,
    ListDeadLetters,
    RedriveDeadLetters,
)
from titan_desktop.contracts.message import ask, publish
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services import dead_letters
from titan_desktop.services.dead_letters import DeadLetterService

pytestmark = pytest.mark.logs("goes to the dead letters")

PROMPT = chat.SendPrompt(conversation_id="c", message_id="q", text="What is\nthe deposit?")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "LOOK_S", 0.01)


@pytest.fixture
async def bus(clean_redis_url: str) -> AsyncIterator[Bus]:
    async with Bus(BusConfig(url=clean_redis_url, source="test@v1", streams=STREAMS)) as opened:
        yield opened


@pytest.fixture
async def heard(bus: Bus) -> AsyncIterator[Tail]:
    tail = bus.tail([DeadLettersChanged.topic])
    await tail.start()
    yield tail
    await tail.close()


@pytest.fixture
async def service(bus: Bus, heard: Tail) -> AsyncIterator[DeadLetterService]:
    async with serving(bus, Chain(), DeadLetterService(bus)) as entered:
        yield entered


class Chat:
    """A chat service that fails for good until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.answered: asyncio.Queue[str] = asyncio.Queue()

    async def handle(self, event: Event) -> None:
        if self.broken:
            raise FatalError("no room")
        self.answered.put_nowait(event.event_id)


async def counted(heard: Tail) -> int:
    async with asyncio.timeout(30):
        return (await anext(heard)).payload_as(DeadLettersChanged).count


async def fail(bus: Bus, heard: Tail, *payloads: object) -> Chat:
    service = Chat()
    await bus.subscribe(PROMPT.topic, "chat", service.handle)
    for number, payload in enumerate(payloads, 1):
        await bus.publish(PROMPT.topic, "send_prompt", payload)  # type: ignore[arg-type]
        while await counted(heard) != number:
            pass
    return service


async def test_a_failed_question_is_shown_by_its_words(
    bus: Bus, service: DeadLetterService, heard: Tail
) -> None:
    """What could not be done is told with its task, its subject on one line, its service and its error."""
    await fail(bus, heard, PROMPT)
    page = await ask(bus, ListDeadLetters())
    [letter] = page.letters
    assert page.count == 1
    assert (letter.event_type, letter.group, letter.subject) == (
        "send_prompt",
        "chat",
        "What is the deposit?",
    )
    assert (letter.error, letter.message) == ("FatalError", "no room")
    assert letter.at.endswith("Z")


@pytest.mark.by_url
async def test_trying_again_gives_it_back_to_who_failed(
    bus: Bus, service: DeadLetterService, heard: Tail
) -> None:
    """Once the cause is mended the event is handled under its own id, and is no dead letter any more."""
    failing = await fail(bus, heard, PROMPT)
    [letter] = (await ask(bus, ListDeadLetters())).letters
    failing.broken = False
    await publish(bus, RedriveDeadLetters(letter_ids=(letter.letter_id, letter.letter_id)))
    assert await counted(heard) == 0
    assert await ask(bus, ListDeadLetters()) == DeadLetterPage(count=0, letters=())
    async with asyncio.timeout(30):
        assert await failing.answered.get()
    assert failing.answered.empty()


async def test_removing_removes_these_alone(bus: Bus, service: DeadLetterService, heard: Tail) -> None:
    """The newest comes first; what is removed is gone, the others stay, and all are told."""
    await fail(bus, heard, PROMPT, {"path": "/home/anna/a.pdf"}, {"text": 7})
    page = await ask(bus, ListDeadLetters(limit=2))
    assert (page.count, [letter.subject for letter in page.letters]) == (3, ["", "/home/anna/a.pdf"])
    await publish(bus, DropDeadLetters(letter_ids=(page.letters[0].letter_id,)))
    assert await counted(heard) == 2
    page = await ask(bus, ListDeadLetters())
    assert [letter.subject for letter in page.letters] == ["/home/anna/a.pdf", "What is the deposit?"]


async def test_letters_come_in_pages(bus: Bus, service: DeadLetterService, heard: Tail) -> None:
    """Each says whether there is more, and where the next begins; a cursor of nobody's is refused."""
    await fail(bus, heard, *({"path": f"/d/{number}"} for number in range(5)))
    found: list[str] = []
    cursor, more = "", True
    while more:
        page = await ask(bus, ListDeadLetters(limit=2, cursor=cursor))
        assert (page.count, len(page.letters)) == (5, 2 if page.more else 1)
        found += [letter.subject for letter in page.letters]
        cursor, more = page.cursor, page.more
    assert found == [f"/d/{number}" for number in (4, 3, 2, 1, 0)]
    for nobodys in ("yesterday", "9" * 30 + "-1"):
        with pytest.raises(RequestFailedError) as refused:
            await ask(bus, ListDeadLetters(cursor=nobodys))
        assert refused.value.code == "not_found"


async def test_a_long_path_keeps_its_file_name(bus: Bus, service: DeadLetterService, heard: Tail) -> None:
    """What is too long is cut where it says least: a path in front, a question behind."""
    await fail(bus, heard, {"path": "/deep" * 60 + "/contract.pdf"}, {"text": "why " * 100})
    question, path = (await ask(bus, ListDeadLetters())).letters
    assert path.subject.startswith("…")
    assert path.subject.endswith("/contract.pdf")
    assert question.subject.endswith("…")
    assert max(len(path.subject), len(question.subject)) == dead_letters.SUBJECT_CHARS_MAX


@pytest.mark.logs("stays a dead letter")
async def test_what_is_no_event_is_shown_and_stays(bus: Bus, service: DeadLetterService, heard: Tail) -> None:
    """Bytes that somebody put among the dead letters break nothing, and cannot be tried again."""
    await bus._connection.call("XADD", names.DEAD_LETTERS, "*", "x", b"\xff")
    assert await counted(heard) == 1
    [letter] = (await ask(bus, ListDeadLetters())).letters
    assert (letter.event_type, letter.subject) == ("", "")
    await publish(bus, RedriveDeadLetters(letter_ids=(letter.letter_id,)))
    assert await counted(heard) == 1
    assert (await ask(bus, ListDeadLetters())).letters == (letter,)


async def test_what_was_there_at_the_start_is_told(bus: Bus, heard: Tail) -> None:
    """A core that starts says what an earlier life left."""
    async with serving(bus, Chain(), DeadLetterService(bus)):
        await fail(bus, heard, PROMPT)
    async with serving(bus, Chain(), DeadLetterService(bus)):
        assert await counted(heard) == 1
