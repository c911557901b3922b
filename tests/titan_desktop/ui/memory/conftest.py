"""The memory page in the window."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt

from tests.titan_desktop.ui.paged_window import PagedWindow, paged_window
from tests.titan_desktop.ui.window_core import until
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.memory import presenter
from titan_desktop.ui.memory.memory_view import MemoryView


@pytest.fixture
async def opened(
    theme: Theme, clean_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PagedWindow]:
    """A window on a core that remembers nothing yet; the pause of a typing hand is none."""
    monkeypatch.setattr(presenter, "PAUSE_MS", 0)
    async with paged_window(theme, clean_redis_url) as made:
        yield made


@pytest.fixture
async def view(opened: PagedWindow) -> MemoryView:
    """The page, opened by its keys."""
    opened.press(Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    found = opened.window.findChild(MemoryView)
    assert isinstance(found, MemoryView)
    await opened.idle()
    await until(lambda: "Nothing is remembered" in found.empty.text, found.facts.modelReset)
    return found
