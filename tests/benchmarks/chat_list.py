"""The message list at 10,000 and 100,000 messages: load, scroll frame, token, resize, memory.

    python tests/benchmarks/chat_list.py [MESSAGES …]

A frame is the time from the wheel's step to the painted view; times are the process's own CPU time, so that other
work on the machine does not count.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
from PySide6.QtWidgets import QApplication

from titan_desktop.contracts.chat import AssistantDelta, Message, Role, State
from titan_desktop.ui.chat.chat_view import ChatView

_WORDS = (
    "система память агент запрос ответ контекст модель поиск граф узел связь задача план данные файл строка "
    "функция ошибка проверка результат the model memory graph vector index query token stream latency"
).split()
_CODE = "```python\nasync def run(q: str) -> list[int]:\n    async with pool() as c:\n        return c\n```"


def paragraph(chance: random.Random, least: int, most: int) -> str:
    words = [chance.choice(_WORDS) for _ in range(chance.randint(least, most))]
    if chance.random() < 0.3:
        words[0] = f"**{words[0]}**"
    if chance.random() < 0.2:
        words.append("[link](https://example.org/x) and `code`")
    return " ".join(words).capitalize() + "."


def text(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.35:
        return paragraph(chance, 2, 12)
    if kind < 0.65:
        return "\n\n".join(paragraph(chance, 15, 60) for _ in range(chance.randint(1, 3)))
    if kind < 0.80:
        items = "\n".join(f"- {paragraph(chance, 3, 14)}" for _ in range(chance.randint(3, 8)))
        return f"{paragraph(chance, 5, 20)}\n\n{items}"
    if kind < 0.93:
        return f"{paragraph(chance, 5, 20)}\n\n{_CODE}\n\n{paragraph(chance, 5, 30)}"
    if kind < 0.97:
        rows = "\n".join(f"| {chance.choice(_WORDS)} | {chance.randint(0, 999)} |" for _ in range(4))
        return f"## Заголовок\n\n| поле | значение |\n|---|---|\n{rows}"
    return "\n\n".join(paragraph(chance, 60, 120) for _ in range(chance.randint(4, 8)))


def conversation(count: int, seed: int = 1) -> Iterator[Message]:
    chance = random.Random(seed)
    for number in range(count):
        role = Role.ASSISTANT if number % 2 else Role.USER
        yield Message(
            id=f"m{number}",
            conversation_id="c",
            role=role,
            text=text(chance),
            state=State.STREAMING if number == count - 1 else State.COMPLETE,
            question_id=f"m{number - 1}" if role is Role.ASSISTANT else "",
            attempt=int(role is Role.ASSISTANT),
            created_at="2026-01-01T00:00:00Z",
        )


def measure(app: QApplication, step: Callable[[int], object], count: int) -> list[float]:
    times = []
    for number in range(count):
        began = time.thread_time()
        step(number)
        app.processEvents()
        times.append((time.thread_time() - began) * 1000)
    return sorted(times)


def row(name: str, times: list[float]) -> None:
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"  {name:32} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms   worst {times[-1]:7.1f} ms")


def run(app: QApplication, count: int) -> None:
    messages = list(conversation(count))
    process, chance = psutil.Process(), random.Random(3)
    before = process.memory_info().rss
    view = ChatView()
    view.resize(900, 900)
    view.show()
    app.processEvents()
    began = time.thread_time()
    view.model.set_conversation("c", messages, more=False)
    app.processEvents()
    loaded = time.thread_time() - began
    memory = (process.memory_info().rss - before) / 1e6
    print(f"{count:,} messages: loaded and painted in {loaded * 1000:.0f} ms, {memory:+.0f} MB")
    bar = view.messages.verticalScrollBar()
    answer, offset = messages[-1], len(messages[-1].text)

    def token(number: int) -> None:
        piece = " токен" if number % 12 else " токен.\n\n"
        nonlocal offset
        view.model.append_delta(
            AssistantDelta(
                conversation_id="c",
                question_id=answer.question_id,
                answer_id=answer.id,
                attempt=1,
                offset=offset,
                text=piece,
            )
        )
        offset += len(piece)

    row("token", measure(app, token, 300))
    row("wheel up 60 px, fresh rows", measure(app, lambda _: bar.setValue(bar.value() - 60), 500))
    row("wheel down 60 px", measure(app, lambda _: bar.setValue(bar.value() + 60), 400))
    row("jump anywhere", measure(app, lambda _: bar.setValue(chance.randint(0, bar.maximum())), 100))
    row("resize", measure(app, lambda number: view.resize(900 - 20 * (number % 10), 900), 40))
    print(f"  memory of the process {process.memory_info().rss / 1e6:.0f} MB")
    view.deleteLater()
    app.processEvents()


def main() -> None:
    app = QApplication([])
    for count in [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]:
        run(app, count)


if __name__ == "__main__":
    main()
