"""A conversation as a tree: one path is active, pages are of it alone, and nothing that was said is lost."""

import random

import pytest
from msgspec.structs import replace

from titan_desktop.contracts.chat import AnswerKind, Message, SendPrompt, State
from titan_desktop.ports.history import History

AT = "2026-11-23T10:00:00Z"


class Conversation:
    """Drives the history as the service does."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._commands = 0

    def command(self) -> str:
        """The id of the next command's event."""
        self._commands += 1
        return f"E{self._commands:06}"

    async def ask(self, name: str, edits: str = "") -> None:
        """Ask a question and have it answered; the answer's id is the question's with an A."""
        event_id = self.command()
        prompt = SendPrompt(conversation_id="c", message_id=name, text=name, edits=edits)
        await self.history.ask(prompt, title="t", answer_id=f"{name}A", asked_at=AT, event_id=event_id)
        await self.end(await self.history.begin(name, event_id=event_id, model="m"))

    async def again(self, question: str, answer: str) -> None:
        """Have another answer given."""
        begun = await self.history.begin(question, event_id=self.command(), model="m", beside=answer)
        await self.end(begun)

    async def end(self, answer: Message | None, state: State = State.COMPLETE, text: str = "so") -> None:
        assert answer is not None
        assert await self.history.finish(replace(answer, text=text, state=state))

    async def show(self, message: str) -> str | None:
        return await self.history.show("c", message, event_id=self.command())

    async def page(self, before: str = "", limit: int = 100) -> tuple[Message, ...]:
        page = await self.history.page("c", before=before, limit=limit)
        assert page is not None
        return page.messages

    async def path(self) -> str:
        """The ids of the active path, page by page."""
        found: list[str] = []
        while True:
            page = await self.history.page("c", before=found[0] if found else "", limit=3)
            assert page is not None
            found = [message.id for message in page.messages] + found
            if not page.more:
                return " ".join(found)


@pytest.fixture
async def talk(history: History) -> Conversation:
    """A conversation of three questions."""
    talk = Conversation(history)
    for name in ("one", "two", "three"):
        await talk.ask(name)
    return talk


async def test_every_message_names_the_one_before_it(talk: Conversation) -> None:
    messages = await talk.page()
    assert [message.parent_id for message in messages] == ["", "one", "oneA", "two", "twoA", "three"]
    assert {message.siblings for message in messages} == {()}
    assert [message.question_id for message in messages] == ["", "one", "", "two", "", "three"]


@pytest.mark.parametrize(
    ("edited", "after"),
    [("two", "one oneA TWO TWOA"), ("one", "TWO TWOA"), ("three", "one oneA two twoA TWO TWOA")],
)
async def test_an_edited_question_stands_beside_the_former_one_and_takes_the_path(
    talk: Conversation, edited: str, after: str
) -> None:
    """Also where it was the first of all; what followed the former one is there, and found again."""
    await talk.ask("TWO", edits=edited)
    assert await talk.path() == after
    question = await talk.history.message("TWO")
    assert question is not None
    assert (question.siblings, question.sibling_index) == ((edited, "TWO"), 1)
    await talk.ask("four")
    assert await talk.path() == f"{after} four fourA"
    assert await talk.show(edited) == "threeA"
    assert await talk.path() == "one oneA two twoA three threeA"
    former = next(message for message in await talk.page() if message.id == edited)
    assert (former.siblings, former.sibling_index) == ((edited, "TWO"), 0)
    assert await talk.show("TWO") == "fourA"
    assert await talk.path() == f"{after} four fourA"


async def test_another_answer_stands_beside_the_former_one_and_takes_the_path(talk: Conversation) -> None:
    await talk.again("two", "twoB")
    assert await talk.path() == "one oneA two twoB"
    [*_, answer] = await talk.page()
    assert (answer.siblings, answer.sibling_index, answer.attempt) == (("twoA", "twoB"), 1, 2)
    assert await talk.show("twoA") == "threeA"
    assert await talk.path() == "one oneA two twoA three threeA"


async def test_the_next_question_follows_what_is_shown(talk: Conversation) -> None:
    await talk.ask("TWO", edits="two")
    await talk.show("two")
    await talk.ask("four")
    assert await talk.path() == "one oneA two twoA three threeA four fourA"


async def test_a_version_of_a_version_is_a_sibling_of_both(talk: Conversation) -> None:
    await talk.ask("TWO", edits="two")
    await talk.show("two")
    await talk.ask("Two", edits="TWO")
    question = await talk.history.message("Two")
    assert question is not None
    assert question.siblings == ("two", "TWO", "Two")
    assert await talk.path() == "one oneA Two TwoA"


async def test_an_answer_without_a_word_is_no_version(talk: Conversation) -> None:
    """It failed, or was stopped before it began: the next one takes its row."""
    for state, kept in ((State.FAILED, False), (State.STOPPED, False), (State.COMPLETE, True)):
        begun = await talk.history.begin("three", event_id=talk.command(), model="m")
        await talk.end(begun, state, text="")
        again = await talk.history.begin("three", event_id=talk.command(), model="m", beside=f"B{state}")
        assert again is not None
        assert again.id == (f"B{state}" if kept else "threeA")
        await talk.end(again)


async def test_passages_are_a_version_though_they_have_no_text(talk: Conversation) -> None:
    begun = await talk.history.begin("three", event_id=talk.command(), model="")
    assert begun is not None
    await talk.end(replace(begun, kind=AnswerKind.PASSAGES), text="")
    await talk.again("three", "threeB")
    assert await talk.path() == "one oneA two twoA three threeB"


async def test_the_same_command_begins_one_answer_beside_and_an_older_one_none(talk: Conversation) -> None:
    older, event_id = talk.command(), talk.command()
    first = await talk.history.begin("two", event_id=event_id, model="m", beside="twoB")
    again = await talk.history.begin("two", event_id=event_id, model="m", beside="twoC")
    assert first is not None
    assert again is not None
    assert (first.id, again.id, again.attempt) == ("twoB", "twoB", 3)
    assert await talk.history.begin("two", event_id=older, model="m", beside="twoD") is None
    await talk.end(again)
    assert await talk.history.begin("two", event_id=event_id, model="m", beside="twoE") is None


async def test_a_stop_is_of_the_newest_answer_and_keeps_one_beside_from_beginning(talk: Conversation) -> None:
    older = talk.command()
    assert await talk.history.stop("two", event_id=talk.command()) is None
    assert await talk.history.begin("two", event_id=older, model="m", beside="twoB") is None
    begun = await talk.history.begin("two", event_id=talk.command(), model="m", beside="twoC")
    stopped = await talk.history.stop("two", event_id=talk.command())
    assert begun is not None
    assert stopped is not None
    assert (stopped.id, stopped.state) == ("twoC", State.STOPPED)


async def test_a_choice_that_comes_late_is_void(talk: Conversation) -> None:
    await talk.ask("TWO", edits="two")
    late = talk.command()
    await talk.ask("four")
    assert await talk.history.show("c", "two", event_id=late) == "fourA"
    assert await talk.path() == "one oneA TWO TWOA four fourA"


async def test_what_is_nowhere_is_not_shown(talk: Conversation) -> None:
    assert await talk.show("nothing") is None
    assert await talk.history.show("nowhere", "one", event_id="E9") is None
    await talk.history.delete("c", event_id="E9")
    assert await talk.show("one") is None


async def test_a_page_before_what_stands_on_another_path_is_none(talk: Conversation) -> None:
    """A mixture of two paths would be shown."""
    await talk.ask("TWO", edits="two")
    assert await talk.history.page("c", before="three", limit=10) is None
    assert [message.id for message in await talk.page(before="TWO")] == ["one", "oneA"]


async def test_what_led_to_a_message_is_told_on_every_path(talk: Conversation) -> None:
    await talk.ask("TWO", edits="two")
    led = await talk.history.path("three", limit=4)
    assert [message.id for message in led] == ["oneA", "two", "twoA", "three"]
    assert await talk.history.path("nothing", limit=4) == ()


class Tree:
    """The same in dictionaries."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}
        self.children: dict[str, list[str]] = {"": []}
        self.leaf = ""

    def add(self, message: str, parent: str) -> None:
        self.parent[message] = parent
        self.children[parent].append(message)
        self.children[message] = []
        self.leaf = message

    def ask(self, question: str, parent: str) -> None:
        self.add(question, parent)
        self.add(f"{question}A", question)

    def show(self, message: str) -> None:
        if message not in self.path(self.leaf):
            while self.children[message]:
                message = self.children[message][-1]
            self.leaf = message

    def path(self, message: str) -> list[str]:
        return [*self.path(self.parent[message]), message] if message else []


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_done_the_active_path_is_what_a_person_expects(
    talk: Conversation, seed: int
) -> None:
    chance, tree = random.Random(seed), Tree()
    for name in ("one", "two", "three"):
        tree.ask(name, tree.leaf)
    for number in range(25):
        questions = [message for message in tree.parent if "A" not in message]
        message, question = chance.choice(list(tree.parent)), chance.choice(questions)
        match chance.choice(("ask", "edit", "again", "show")):
            case "ask":
                await talk.ask(f"q{number}")
                tree.ask(f"q{number}", tree.leaf)
            case "edit":
                await talk.ask(f"q{number}", edits=question)
                tree.ask(f"q{number}", tree.parent[question])
            case "again":
                await talk.again(question, f"{question}A{number}")
                tree.add(f"{question}A{number}", question)
            case "show":
                tree.show(message)
                assert await talk.show(message) == tree.leaf
        assert await talk.path() == " ".join(tree.path(tree.leaf))
    for shown in await talk.page():
        beside = tree.children[shown.parent_id]
        assert shown.siblings == (tuple(beside) if len(beside) > 1 else ())
