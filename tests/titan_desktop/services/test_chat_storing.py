"""What there is gets stored, however long that takes, and the model is not asked for it again."""

import pytest

from tests.chat_service import Cores, Window
from tests.openai_server import OpenAIServer
from titan_desktop.contracts import chat
from titan_desktop.services.chat import ChatService

ENDED = "UPDATE ON messages FOR EACH ROW WHEN (NEW.state IN ('complete', 'stopped', 'failed'))"
ASKED = "INSERT ON messages FOR EACH ROW"
GONE = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60)"
FULL = (
    "RAISE EXCEPTION USING ERRCODE = 'disk_full', MESSAGE = 'could not extend file: No space left on device'"
)
BROKEN = "RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = 'a bug of ours'"


async def refuse_twice(cores: Cores, what: str, how: str) -> None:
    """Let PostgreSQL do something else the first two times; a sequence counts on when its transaction fails."""
    await cores.database.pool.execute(
        "CREATE SEQUENCE refusals; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('refusals') <= 2 THEN {how}; END IF; RETURN NEW; END $$;"
        f" CREATE TRIGGER refusing BEFORE {what} EXECUTE FUNCTION refuse()"
    )


@pytest.mark.parametrize("how", [GONE, FULL, BROKEN], ids=["gone", "full", "broken"])
@pytest.mark.logs(" waits: ")
async def test_an_answer_that_cannot_be_stored_is_not_asked_for_again(
    core: ChatService, cores: Cores, window: Window, server: OpenAIServer, how: str
) -> None:
    """Also where waiting mends nothing, and the command comes again as one that failed."""
    await refuse_twice(cores, ENDED, how)
    answer = await window.answer(await window.ask())
    await window.handled()
    assert (answer.state, answer.attempt) == ("complete", 1)
    assert (await window.message(answer.id)).text == answer.text
    assert len(server.chats) == 1
    assert len(window.said(chat.AssistantMessage)) == 1


@pytest.mark.parametrize("what", [ASKED, ENDED], ids=["question", "answer"])
@pytest.mark.logs(" waits: ")
async def test_a_full_disk_is_said_for_as_long_as_something_waits_for_it(
    core: ChatService, cores: Cores, window: Window, what: str
) -> None:
    await refuse_twice(cores, what, FULL)
    question_id = await window.ask()
    await window.answer(question_id)
    delayed = chat.StoringDelayed(question_id=question_id, delay=chat.Delay.DISK_FULL)
    assert window.said(chat.StoringDelayed) == [delayed] * 2


@pytest.mark.logs(" waits: ")
async def test_a_renaming_that_finds_the_disk_full_is_said_and_done_later(
    core: ChatService, cores: Cores, window: Window
) -> None:
    await window.answer(await window.ask())
    await refuse_twice(cores, "UPDATE OF title ON conversations FOR EACH ROW", FULL)
    await window.publish(chat.RenameConversation(conversation_id="c", title="My flat"))
    [changed] = await window.until(lambda: window.said(chat.ConversationChanged))
    assert changed.conversation.title == "My flat"
    assert len(window.said(chat.StoringDelayed)) == 2
