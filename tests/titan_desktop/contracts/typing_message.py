"""What a type checker makes of messages: mypy reads this in CI, nobody runs it."""

from typing import assert_type

from titan_bus import Bus, Event
from titan_desktop.contracts import chat, search, system
from titan_desktop.contracts.message import Kinds, ask, publish
from titan_desktop.ui.base.bridge import Bridge


async def a_reply_is_known_by_its_request(bus: Bus, bridge: Bridge) -> None:
    assert_type(await ask(bus, search.Search(query="deposit")), search.SearchResult)
    assert_type(await ask(bus, chat.GetMessage(message_id="m")), chat.Message)
    assert_type(await bridge.ask(system.GetStatus()), system.Status)
    await ask(bus, chat.StopAnswer(conversation_id="c", question_id="q"))  # type: ignore[arg-type]
    assert_type(await publish(bus, system.ReadSettings()), str)
    publish(bus, system.ModelStatus(configured=True))  # type: ignore[arg-type]


def a_slot_takes_what_it_listens_to(bridge: Bridge) -> None:
    def on_user_message(said: chat.UserMessage) -> None: ...

    bridge.listen(chat.UserMessage, on_user_message)
    bridge.listen(chat.AnswerStarted, on_user_message)  # type: ignore[arg-type]


def kinds_are_read_as_what_they_are(event: Event) -> None:
    assert_type(Kinds(chat.UserMessage).read(event), chat.UserMessage | None)
