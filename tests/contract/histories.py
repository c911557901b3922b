"""Questions for the suites of a history."""

from ulid import ULID

from titan_desktop.contracts.chat import Conversation, SendPrompt
from titan_desktop.contracts.sources import FilePassage
from titan_desktop.ports.history import Asked, History

AT = "2026-11-23T10:00:00Z"


HIT = FilePassage(path="/d/a.txt", title="a.txt", score=1.5, passage="Kaution: 500 €", kind="txt", position=3)


async def listed(history: History, limit: int) -> tuple[Conversation, ...]:
    page = await history.conversations(limit)
    assert page is not None
    return page.conversations


async def ask(
    history: History,
    text: str = "Сколько?",
    conversation: str = "c",
    event_id: str = "E1",
    question: str = "",
) -> Asked:
    prompt = SendPrompt(conversation_id=conversation, message_id=question or str(ULID()), text=text)
    asked = await history.ask(prompt, title="Сколько", answer_id=str(ULID()), asked_at=AT, event_id=event_id)
    assert asked is not None
    return asked
