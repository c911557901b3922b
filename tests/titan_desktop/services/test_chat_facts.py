"""Facts in an answer: those that hold and touch the question are its sources."""

import asyncio

import pytest

from tests.chat_service import Cores, Memory, Window
from tests.contract.statements import learn
from tests.openai_server import FENCED, OpenAIServer
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.facts import PostgresFacts
from titan_desktop.contracts import chat
from titan_desktop.contracts.sources import FactSource, FilePassage
from titan_desktop.services.chat import ChatService, recalling


@pytest.fixture
async def facts(database: Database) -> PostgresFacts:
    store = PostgresFacts(database)
    await learn(store, "", "", text="The landlord of the flat is Anna", fact_id="former")
    await learn(store, "", "", text="The deposit was paid by Boris", fact_id="paid")
    await learn(store, "", "", text="Pancakes are eaten on Sundays", fact_id="other")
    return store


async def test_a_fact_that_touches_the_question_is_a_source_of_the_answer(
    facts: PostgresFacts, core: ChatService, window: Window, server: OpenAIServer
) -> None:
    """The model is told it under a number of its own, the answer names it, and the history keeps it."""
    answer = await window.answer(await window.ask("Who paid the deposit?"))
    fact, passage = answer.sources
    assert isinstance(fact, FactSource)
    assert (fact.fact_id, fact.passage) == ("paid", "The deposit was paid by Boris")
    assert isinstance(passage, FilePassage)
    told = FENCED.findall(server.chats[-1].body["messages"][-1]["content"])
    assert [text for _, _, _, text in told] == [fact.passage, passage.passage]
    assert (await window.message(answer.id)).sources == answer.sources


async def test_without_a_model_and_without_a_file_a_fact_is_the_answer(
    facts: PostgresFacts, cores: Cores, found: Memory, window: Window
) -> None:
    found.hits = ()
    async with cores.run(with_model=False):
        answer = await window.answer(await window.ask("Who paid the deposit?"))
    assert answer.kind is chat.AnswerKind.PASSAGES
    assert [source.passage for source in answer.sources] == ["The deposit was paid by Boris"]


@pytest.mark.logs("no facts were recalled")
async def test_an_answer_does_without_facts_that_are_late(
    core: ChatService, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_args: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(recalling, "RECALL_TIMEOUT_S", 0.0)
    monkeypatch.setattr(PostgresFacts, "recall", never)
    answer = await window.answer(await window.ask("Who paid the deposit?"))
    assert answer.state is chat.State.COMPLETE
    assert [type(source) for source in answer.sources] == [FilePassage]
