"""How long 5,000 conversations keep the window's loop: the longest turn of each change, in processor time.

QT_QPA_PLATFORM=offscreen PYTHONPATH=. python tests/benchmarks/conversation_list.py
"""

import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import thread_time

from PySide6.QtWidgets import QApplication

from titan_desktop.contracts.chat import Conversation
from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.conversations.model import ConversationModel
from titan_desktop.ui.conversations.sidebar import Sidebar

COUNT = 5_000
TURNS = 5


def used(number: int, days_ago: int) -> Conversation:
    """A conversation that was last used so many days ago."""
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="milliseconds")
    return Conversation(id=f"c{number:04}", title=f"conversation {number:04}", created_at=at, updated_at=at)


def longest_ms(app: QApplication, change: Callable[[], object]) -> float:
    """The longest of the turns in which a change is made and shown."""
    begin = thread_time()
    change()
    turns = [thread_time() - begin]
    for _ in range(TURNS):
        begin = thread_time()
        app.processEvents()
        turns.append(thread_time() - begin)
    return max(turns) * 1000


def main() -> None:
    """Print the table."""
    app = QApplication([])
    model = ConversationModel()
    sidebar = Sidebar(model, Theme(app, bundled("resources")))
    sidebar.resize(264, 700)
    sidebar.show()
    many = [used(number, number // 100) for number in range(COUNT)]
    gc.freeze()  # as the window does with what it has imported
    for what, change in (
        (f"{COUNT} for the first time", lambda: model.merge(many)),
        ("the same once more", lambda: model.merge(many)),
        ("one of them used", lambda: model.put(used(3_000, 0))),
        ("a search", lambda: sidebar.filter.setText("3")),
        ("its end", lambda: sidebar.filter.setText("")),
    ):
        print(f"{what:28} {longest_ms(app, change):6.1f} ms")


if __name__ == "__main__":
    main()
