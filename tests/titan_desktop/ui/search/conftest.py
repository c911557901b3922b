"""The search page in the window."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import Qt

from tests.titan_desktop.ui.paged_window import PagedWindow, paged_window
from titan_desktop.ui.base.theme import Theme
from titan_desktop.ui.search import presenter
from titan_desktop.ui.search.search_view import SearchView


@pytest.fixture
async def opened(
    theme: Theme, clean_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PagedWindow]:
    """A window on a core, in which nobody has looked for anything yet; the pause of a typing hand is none."""
    monkeypatch.setattr(presenter, "PAUSE_MS", 0)
    monkeypatch.setattr(presenter, "AGAIN_MS", 0)
    async with paged_window(theme, clean_redis_url) as made:
        yield made


@pytest.fixture
def view(opened: PagedWindow) -> SearchView:
    """The page, opened by its keys."""
    opened.press(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    found = opened.window.findChild(SearchView)
    assert isinstance(found, SearchView)
    return found
