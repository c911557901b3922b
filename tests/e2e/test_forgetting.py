"""Claims about deleting a conversation: what was said in it is nowhere in the files of the bus any more."""

from pathlib import Path

import pytest

from tests.bytes_in_files import holding
from tests.e2e.harness import Listener, Titan, ask
from tests.openai_server import OpenAIServer
from titan_bus import Bus, BusConfig
from titan_desktop.client.link import CoreLink
from titan_desktop.contracts import chat, topics
from titan_desktop.contracts.dead_letters import ListDeadLetters
from titan_desktop.contracts.forgetting import ConversationForgotten
from titan_desktop.contracts.message import ask as ask_core
from titan_desktop.contracts.message import publish
from titan_desktop.core.archiving import archive_config
from titan_desktop.settings import Settings
from titan_desktop.system.paths import Paths

ASKED, ANSWERED, CALLED, SPOILT = "zygomorph-asked", "quixotry-answered", "jackdaw-called", "wyvern-spoilt"
SECRETS = (ASKED, ANSWERED, CALLED, SPOILT)
KEPT = "petrichor-kept"


def where(secret: str, paths: Paths) -> list[str]:
    """Return the files of this Titan with these bytes; PostgreSQL's own are another promise."""
    folders = [folder for folder in paths.data.iterdir() if not folder.name.startswith("postgres")]
    return holding(secret, *folders, paths.logs, paths.run)


async def talk(titan: Titan, model: OpenAIServer) -> chat.SendPrompt:
    """Have two conversations, and leave one of them with a dead letter; return its question."""
    model.text = f"Here is {ANSWERED}."
    async with titan.link() as link, Listener(link, chat.AssistantMessage, chat.ConversationChanged) as heard:
        prompt = await ask(link, f"Where is {ASKED}?")
        await heard.answer_to(prompt.message_id)
        title = chat.RenameConversation(conversation_id=prompt.conversation_id, title=CALLED)
        await publish(link.bus, title)
        await heard.first(chat.ConversationChanged)
        model.text = f"Here is {KEPT}."
        other = await ask(link, "And the other?")
        await heard.answer_to(other.message_id)
        await link.bus.publish(
            topics.CHAT_COMMANDS,
            "send_prompt",
            {"conversation_id": prompt.conversation_id, "message_id": 5, "text": SPOILT},
        )
        while not (await ask_core(link.bus, ListDeadLetters())).letters:
            pass
    await titan.gone()
    return prompt


async def archive_now(titan: Titan, link: CoreLink) -> None:
    """Do what the core does every quarter of an hour."""
    archive = archive_config(titan.paths, Settings().archive)
    async with Bus(BusConfig(url=link.record.bus_url, archive=archive)) as bus:
        await bus.archive_now()


@pytest.mark.parametrize("fate", ["alive", "killed"])
async def test_a_deleted_conversation_is_in_no_file_of_the_bus(
    titan: Titan, model: OpenAIServer, fate: str
) -> None:
    """Commands, events, deltas, the search for it, a dead letter; streams, archive, append-only file, logs.

    Also when the core is killed right after the deletion was said. What else was said is still there.
    """
    prompt = await talk(titan, model)
    archive = titan.paths.archive
    async with titan.link() as link, Listener(link, chat.ConversationChanged) as heard:
        await archive_now(titan, link)
        assert all(holding(secret, archive) for secret in SECRETS)
        assert all(set(where(secret, titan.paths)) - set(holding(secret, archive)) for secret in SECRETS)
        await publish(link.bus, chat.DeleteConversation(conversation_id=prompt.conversation_id))
        await heard.first(chat.ConversationChanged, lambda changed: changed.deleted)
        if fate == "killed":
            titan.kill_core()
    async with titan.link() as link, Listener(link, ConversationForgotten) as heard:
        forgotten = await heard.first(ConversationForgotten)
        assert forgotten.conversation_id == prompt.conversation_id
        assert forgotten.complete
        assert forgotten.events >= 8
        assert (await ask_core(link.bus, ListDeadLetters())).letters == ()
    await titan.gone()
    assert {secret: where(secret, titan.paths) for secret in SECRETS} == {secret: [] for secret in SECRETS}
    assert where(KEPT, titan.paths)


async def test_the_archive_is_private_and_holds_what_was_said(titan: Titan, model: OpenAIServer) -> None:
    """Its folder and files are the person's alone, as everything that Titan keeps."""
    await talk(titan, model)
    archive = titan.paths.archive
    async with titan.link() as link:
        await archive_now(titan, link)
        assert holding(ASKED, archive)
    await titan.gone()
    assert {stat_of(path) for path in (archive, *archive.rglob("*"))} == {"0o40700", "0o100600"}


def stat_of(path: Path) -> str:
    return oct(path.stat().st_mode)
