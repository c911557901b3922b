"""A page for the suites of the cache."""

from titan_desktop.contracts.chat import HistoryPage, Message, Role, State


def page(text: str = "hello", conversation: str = "c") -> HistoryPage:
    message = Message(
        id="q",
        conversation_id=conversation,
        role=Role.USER,
        text=text,
        state=State.COMPLETE,
        created_at="now",
    )
    return HistoryPage(conversation_id=conversation, messages=(message,), more=False)
