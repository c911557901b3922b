"""Going to one message of any conversation, on a real bus."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.titan_desktop.ui.paged_window import PagedWindow, paged_window
from tests.titan_desktop.ui.window_core import answer, listed, question
from titan_desktop.contracts import chat
from titan_desktop.contracts.chat import State
from titan_desktop.ui.base.theme import Theme


@pytest.fixture
async def opened(theme: Theme, clean_redis_url: str) -> AsyncIterator[PagedWindow]:
    async with paged_window(theme, clean_redis_url) as made:
        made.core.conversations = [listed("c1"), listed("c2")]
        yield made


def turns(count: int, conversation: str = "c1") -> list[chat.Message]:
    return [
        message
        for number in range(count)
        for message in (
            question(number, conversation),
            answer(number, f"text {number} " * 20, State.COMPLETE, conversation),
        )
    ]


def is_at(opened: PagedWindow, message_id: str) -> bool:
    """Whether the message is in view and has the keyboard."""
    view = opened.window.chat
    row = view.model.row_of(message_id)
    widget = view.messages._live.get(-1 if row is None else row)
    return widget is not None and not widget.isHidden() and widget.isAncestorOf(opened.focused)


async def test_a_message_far_up_is_loaded_and_gone_to(opened):
    """However many pages stand between it and the end, from another conversation or from a page."""
    opened.core.messages = [*turns(700), question(9_000, "c2")]
    opened.pages.go_to_message("c2", "q9000")
    await opened.idle()
    assert is_at(opened, "q9000")
    opened.pages.open_search()
    opened.pages.go_to_message("c1", "a3")
    await opened.idle()
    assert is_at(opened, "a3")
    assert opened.window.chat.isVisible()
    assert opened.window.chat.model.conversation_id == "c1"


@pytest.mark.parametrize("is_open", [True, False])
async def test_a_message_on_another_branch_is_shown_with_its_branch(opened, is_open):
    """The core is asked to make that path the active one; then the message is there."""
    old, new = turns(3), [*turns(2), question(7), answer(7, "the other one", State.COMPLETE)]
    opened.core.messages = old
    if is_open:
        opened.chat.open("c1")
        await opened.idle()
    opened.core.on_other_paths = new
    opened.pages.go_to_message("c1", "a7")
    asked = await asyncio.wait_for(opened.core.heard.get(), 30)
    assert asked == chat.ShowMessage(conversation_id="c1", message_id="a7")
    opened.core.messages = new
    await opened.core.say(chat.PathChanged(conversation_id="c1", leaf_id="a7"))
    await opened.idle()
    assert is_at(opened, "a7")


async def test_a_message_that_is_gone_is_told(opened):
    """The open conversation stays, and says so."""
    opened.core.messages = turns(2)
    opened.chat.open("c1")
    await opened.idle()
    opened.pages.go_to_message("c2", "nothing")
    await opened.idle()
    assert "no longer there" in opened.window.chat._notice.text()
    assert opened.window.chat.model.conversation_id == "c1"
