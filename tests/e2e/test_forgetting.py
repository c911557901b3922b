"""Claims about deleting a conversation: what was said in it is nowhere in the files of this Titan any more."""

from pathlib import Path

from tests.bytes_in_files import holding
from tests.e2e.harness import Listener, Titan, ask
from tests.openai_server import OpenAIServer
from titan_bus import Bus, BusConfig, new_ulid
from titan_desktop.client.handing import hand_over
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import chat, memory, topics
from titan_desktop.contracts.dead_letters import ListDeadLetters
from titan_desktop.contracts.file_actions import ActionEnded, ActionState, ForgetFile, OnExists, WriteFile
from titan_desktop.contracts.files import IndexPaths
from titan_desktop.contracts.forgetting import ConversationForgotten
from titan_desktop.contracts.indexing import FileIndexed, Outcome
from titan_desktop.contracts.message import ask as ask_core
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.recall import (
    ImportedMessage,
    ImportMessages,
    MessagesImported,
    QueryMemory,
    imported_conversation,
)
from titan_desktop.core.archiving import archive_config
from titan_desktop.settings import Settings
from titan_desktop.system.paths import Paths

ASKED, ANSWERED, CALLED, SPOILT = "zygomorph-asked", "quixotry-answered", "jackdaw-called", "wyvern-spoilt"
LATER = "obnubilate-later"
SECRETS = (ASKED, ANSWERED, CALLED, SPOILT, LATER)
NAMED, FORMER = "wombat-named", "limpet-former"
REMEMBERED, WHOM = "gossamer-remembered", "Thistlewood"
WRITTEN = "brachiation"
IMPORTED = "tamarisk-imported"
KEPT = "petrichor-kept"


def where(secret: str, paths: Paths) -> list[str]:
    """Return the files of this Titan with these bytes."""
    return holding(secret, paths.data, paths.logs, paths.run)


async def talk(link: CoreLink, model: OpenAIServer, question: str, answer: str) -> str:
    """Ask, and wait for the answer; return the conversation."""
    model.text = f"Here is {answer}."
    async with Listener(link, chat.AssistantMessage) as heard:
        prompt = await ask(link, f"Where is {question}?")
        await heard.answer_to(prompt.message_id)
    return prompt.conversation_id


async def call_and_spoil(link: CoreLink, conversation_id: str) -> None:
    """Give a conversation a title, and leave a dead letter of it."""
    async with Listener(link, chat.ConversationChanged) as heard:
        await publish(link.bus, chat.RenameConversation(conversation_id=conversation_id, title=CALLED))
        await heard.first(chat.ConversationChanged)
    spoilt = {"conversation_id": conversation_id, "message_id": 5, "text": SPOILT}
    await link.bus.publish(topics.CHAT_COMMANDS, "send_prompt", spoilt)
    while not (await ask_core(link.bus, ListDeadLetters())).letters:
        pass


async def archive_now(titan: Titan, link: CoreLink) -> None:
    """Do what the core does every quarter of an hour."""
    archive = archive_config(titan.paths, Settings().archive)
    async with Bus(BusConfig(url=link.record.bus_url, archive=archive)) as bus:
        await bus.archive_now()


async def change_and_forget(titan: Titan, link: CoreLink) -> None:
    """Change a file that the index does not read, look at the bytes that tell of it, and forget it."""
    path = titan.home / "Desktop" / f".{NAMED}.txt"
    path.write_text(FORMER, "utf-8")
    write = WriteFile(action_id=new_ulid(), path=str(path), content_id=new_ulid(), on_exists=OnExists.REPLACE)
    hand_over(titan.paths, write.content_id, [b"new"])
    async with Listener(link, ActionEnded) as heard:
        await publish(link.bus, write)
        assert (await heard.first(ActionEnded)).action.state is ActionState.DONE
    assert path.read_text("utf-8") == "new"
    assert modes(titan.paths.contents) == {"0o40700", "0o100600"}
    assert where(FORMER, titan.paths)
    assert where(NAMED, titan.paths)
    forgotten = await ask_core(link.bus, ForgetFile(path=str(path)), 60)
    assert (forgotten.actions, forgotten.contents, forgotten.complete) == (1, 1, True)


async def remember_and_forget(titan: Titan, link: CoreLink) -> None:
    """Remember something of a person, list it, look at the bytes, and forget the person."""
    fact_id = new_ulid()
    async with Listener(link, memory.FactLearned, memory.MemoryErased) as heard:
        stated = memory.Remember(
            fact_id=fact_id, subject=WHOM, subject_kind=memory.EntityKind.PERSON, predicate="likes",
            object=REMEMBERED,
        )  # fmt: skip
        await publish(link.bus, stated)
        fact = (await heard.first(memory.FactLearned)).fact
        assert (await ask_core(link.bus, memory.ListFacts())).facts == (fact,)
        assert (await ask_core(link.bus, memory.ListEntities(words=WHOM))).entities
        assert where(REMEMBERED, titan.paths)
        assert where(WHOM, titan.paths)
        await publish(link.bus, memory.ForgetEntity(entity_id=fact.subject_id))
        erased = await heard.first(memory.MemoryErased)
        assert (erased.subject_id, erased.complete) == (fact.subject_id, True)


async def read_and_forget(titan: Titan, link: CoreLink) -> None:
    """Let a file be indexed, look at the bytes, and forget it."""
    path = titan.home / "Desktop" / "notes.txt"
    path.write_text(f"{WRITTEN} {WRITTEN}\n" * 50, "utf-8")
    async with Listener(link, FileIndexed) as heard:
        await publish(link.bus, IndexPaths(paths=(str(path),), job_id=new_ulid()))
        await heard.first(FileIndexed, lambda said: said.outcome is Outcome.INDEXED)
        assert where(WRITTEN, titan.paths)
        forgotten = await ask_core(link.bus, ForgetFile(path=str(path)), 60)
        assert (forgotten.files, forgotten.complete) == (1, True)
        assert forgotten.passages > 0


async def import_and_forget(titan: Titan, link: CoreLink) -> None:
    """Bring in a conversation, find it, look at the bytes, and delete it."""
    said = ImportedMessage(
        id="1", conversation=IMPORTED, role="user", text=IMPORTED, said_at="2023-05-08T10:00:00Z"
    )
    brought = imported_conversation(IMPORTED)
    async with Listener(link, ConversationForgotten) as heard:
        assert await ask_core(link.bus, ImportMessages(messages=(said,))) == MessagesImported(new=1, known=0)
        while not (await ask_core(link.bus, QueryMemory(query=IMPORTED))).hits:
            pass
        assert where(IMPORTED, titan.paths)
        await publish(link.bus, chat.DeleteConversation(conversation_id=brought))
        forgotten = await heard.first(ConversationForgotten, lambda told: told.conversation_id == brought)
        assert forgotten.complete


def modes(folder: Path) -> set[str]:
    return {oct(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


async def test_a_deleted_conversation_is_in_no_file(titan: Titan, model: OpenAIServer) -> None:
    """Commands, events, deltas, the search for it, a dead letter; streams, archive, append-only file, logs, and
    PostgreSQL's tables, statistics and write-ahead log. The former content and the name of a forgotten file, and a
    forgotten person with what was remembered of them, the text of a forgotten file, and what was imported, too.

    Also when the core is killed right after the deletion was said. What else was said is still there, and the
    archive is its owner's alone.
    """
    archive = titan.paths.archive
    async with titan.link() as link, Listener(link, chat.ConversationChanged, ConversationForgotten) as heard:
        first = await talk(link, model, ASKED, ANSWERED)
        second = await talk(link, model, LATER, LATER)
        await talk(link, model, KEPT, KEPT)
        await call_and_spoil(link, first)
        await archive_now(titan, link)
        assert all(holding(secret, archive) for secret in SECRETS)
        assert all(holding(secret, titan.paths.data / "redis") for secret in SECRETS)
        assert modes(archive) == {"0o40700", "0o100600"}
        await change_and_forget(titan, link)
        await remember_and_forget(titan, link)
        await read_and_forget(titan, link)
        await import_and_forget(titan, link)

        await publish(link.bus, chat.DeleteConversation(conversation_id=first))
        forgotten = await heard.first(ConversationForgotten, lambda said: said.conversation_id == first)
        assert forgotten.complete
        assert forgotten.events >= 8
        assert (await ask_core(link.bus, ListDeadLetters())).letters == ()

        await publish(link.bus, chat.DeleteConversation(conversation_id=second))
        await heard.first(
            chat.ConversationChanged, lambda changed: changed.deleted and changed.conversation.id == second
        )
        titan.kill_core()
    async with titan.link() as link, Listener(link, ConversationForgotten) as heard:
        forgotten = await heard.first(ConversationForgotten, lambda said: said.conversation_id == second)
        assert forgotten.complete
    await titan.gone()
    gone = (*SECRETS, NAMED, FORMER, REMEMBERED, WHOM, WRITTEN, IMPORTED)
    assert {secret: where(secret, titan.paths) for secret in gone} == {secret: [] for secret in gone}
    assert len(where(KEPT, titan.paths)) > 1
