"""Messages for the tests of the conversation."""

from titan_desktop.contracts.chat import AssistantDelta, Message, Role, State
from titan_desktop.contracts.sources import FilePassage, Place

CONVERSATION = "c1"


def question(number: int, text: str = "Какой депозит?") -> Message:
    return Message(
        id=f"q{number}",
        conversation_id=CONVERSATION,
        role=Role.USER,
        text=text,
        state=State.COMPLETE,
        created_at="2026-01-01T00:00:00Z",
    )


def answer(number: int, text: str = "", state: State = State.COMPLETE, **fields: object) -> Message:
    given = {"attempt": 1, "id": f"a{number}", **fields}
    return Message(
        conversation_id=CONVERSATION,
        role=Role.ASSISTANT,
        text=text,
        state=state,
        question_id=f"q{number}",
        created_at="2026-01-01T00:00:01Z",
        **given,
    )


def delta(number: int, offset: int, text: str, attempt: int = 1, **more: object) -> AssistantDelta:
    return AssistantDelta(
        conversation_id=CONVERSATION,
        question_id=f"q{number}",
        answer_id=f"a{number}",
        attempt=attempt,
        offset=offset,
        text=text,
        **more,
    )


def hit(
    title: str = "Договор.pdf",
    passage: str = "Депозит составляет 45 000 рублей.",
    place: Place | None = None,
) -> FilePassage:
    return FilePassage(
        path=f"/home/anna/Desktop/{title}", title=title, score=1.0, passage=passage, kind="pdf", place=place
    )


def exchange(count: int) -> list[Message]:
    messages = []
    for number in range(count):
        messages.append(question(number, f"Вопрос {number} " + "слово " * (number % 7)))
        messages.append(answer(number, f"Ответ {number}.\n\n" + "текст ответа " * (5 + number * 37 % 90)))
    return messages
