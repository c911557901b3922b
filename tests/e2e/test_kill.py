"""Claims about kill -9: nothing is lost, nothing happens twice, no process is left behind."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.e2e.harness import Listener, Titan, ask, history, until
from tests.openai_server import OpenAIServer
from titan_desktop.contracts import chat, files, indexing, search
from titan_desktop.contracts.message import ask as ask_core
from titan_desktop.contracts.message import publish

AGREEMENT = "Договор аренды квартиры. Залог составляет 45 000 рублей и возвращается при выезде."
FILES = 120


async def reading(titan: Titan, model: OpenAIServer) -> None:
    """Wait until the model holds its answer: the question has been asked and some words are out."""
    assert await asyncio.to_thread(model.holding.wait, 40), "the model was not asked"


async def test_a_core_killed_in_mid_answer_answers_once_after_its_return(
    titan: Titan, model: OpenAIServer
) -> None:
    """The question is kept, the half answer is replaced, and there is one answer in the end."""
    (titan.desktop / "Договор аренды.txt").write_text(AGREEMENT, "utf-8")
    model.hold(after=3)
    async with titan.link() as link, Listener(link, chat.AssistantDelta) as heard:
        prompt = await ask(link, "Какой залог?")
        await reading(titan, model)
        await heard.first(chat.AssistantDelta)
    dead = titan.kill_core()
    model.release()
    async with titan.link() as link, Listener(link, chat.AssistantMessage) as heard:
        answer = await heard.answer_to(prompt.message_id)
        stored = await history(link, prompt.conversation_id)
    assert titan.core_pid() != dead
    assert answer.state is chat.State.COMPLETE
    assert answer.attempt == 2
    assert [(m.role, m.state) for m in stored] == [
        (chat.Role.USER, chat.State.COMPLETE),
        (chat.Role.ASSISTANT, chat.State.COMPLETE),
    ]
    await titan.gone()


async def test_everything_killed_at_once_in_mid_answer_loses_nothing(
    titan: Titan, model: OpenAIServer
) -> None:
    """Core, server host and both servers die together; the next start answers the question, once."""
    model.hold(after=3)
    async with titan.link() as link:
        prompt = await ask(link, "What is the deposit?")
        await reading(titan, model)
        titan.kill_everything()
    await titan.gone()
    model.release()
    async with titan.link() as link, Listener(link, chat.AssistantMessage) as heard:
        answer = await heard.answer_to(prompt.message_id)
        stored = await history(link, prompt.conversation_id)
    assert answer.state is chat.State.COMPLETE
    assert len(stored) == 2
    await titan.gone()


async def test_a_killed_window_leaves_an_answer_that_finishes(titan: Titan, model: OpenAIServer) -> None:
    """The window dies right after asking; the core finishes the answer, stores it and then ends by itself."""
    model.hold(after=3)
    window = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.window_that_asks",
        "What is the deposit?",
        cwd=Path(__file__).parents[2],
    )
    await reading(titan, model)
    psutil.Process(window.pid).kill()
    await window.wait()
    model.release()
    async with titan.link() as link:
        page = await ask_core(link.bus, chat.ListConversations())
        (conversation,) = page.conversations

        async def complete() -> None:
            async with Listener(link, chat.AssistantMessage) as heard:
                stored = await history(link, conversation.id)
                await heard.answer_to(stored[0].id)

        await asyncio.wait_for(complete(), 40)
        stored = await history(link, conversation.id)
    assert [m.state for m in stored] == [chat.State.COMPLETE, chat.State.COMPLETE]
    assert stored[1].attempt == 1
    await titan.gone()


@pytest.mark.parametrize("victim", ["core", "everything"])
async def test_killed_in_mid_index_every_file_is_indexed_once(titan: Titan, victim: str) -> None:
    """After the restart every file is in the index, with its passages once."""
    for number in range(FILES):
        (titan.desktop / f"note-{number:03}.txt").write_text(
            f"Заметка номер {number}: слово{number} и ещё.", "utf-8"
        )
    async with titan.link() as link, Listener(link, indexing.FileIndexed) as heard:
        await heard.first(indexing.FileIndexed)
        titan.kill_core() if victim == "core" else titan.kill_everything()
    async with titan.link() as link, Listener(link, files.ScanFinished, indexing.FileIndexed) as heard:
        job = files.IndexPaths(job_id="01J00000000000000000000000")
        await publish(link.bus, job)
        await heard.first(files.ScanFinished)

        seen: set[str] = set()

        def all_done(done: indexing.FileIndexed) -> bool:
            if done.outcome in {indexing.Outcome.INDEXED, indexing.Outcome.UNCHANGED}:
                seen.add(done.path)
            return len(seen) == FILES

        await heard.first(indexing.FileIndexed, all_done)
        status = await ask_core(link.bus, indexing.GetIndexStatus())
        assert (status.files, status.passages) == (FILES, FILES)
        found = await ask_core(link.bus, search.Search(query="слово77", limit=5))
        assert found.hits[0].title.startswith("note-077")
        assert max(Counter(hit.path for hit in found.hits).values()) == 1
    await titan.gone()


async def test_a_killed_store_comes_back_under_a_living_core(titan: Titan) -> None:
    """kill -9 of the transport and of PostgreSQL: the server host starts them again, the same core serves on."""
    (titan.desktop / "Договор аренды.txt").write_text(AGREEMENT, "utf-8")
    async with titan.link() as link:
        prompt = await ask(link, "Какой залог?")
        async with Listener(link, chat.AssistantMessage) as heard:
            await heard.answer_to(prompt.message_id)
        before = titan.core_pid()
        servers = [p for p in titan.processes() if p.name().startswith(("valkey", "postgres"))]
        assert {p.name()[:6] for p in servers} == {"valkey", "postgr"}
        for server in servers:
            if server.is_running():
                server.kill()
        await until(lambda: not any(p.is_running() for p in servers), "the servers are dead")
        prompt = await ask(link, "А когда он возвращается?")
        async with Listener(link, chat.AssistantMessage) as heard:
            await heard.answer_to(prompt.message_id)
        assert titan.core_pid() == before
