"""The word that something was remembered, on a real bus."""

import asyncio

from tests.titan_desktop.ui.paged_window import paged_window
from tests.titan_desktop.ui.window_core import listed, question
from titan_desktop.contracts import memory
from titan_desktop.ui.chat.remembered import Remembered


async def test_what_a_message_asked_to_remember_is_told_in_its_conversation(theme, clean_redis_url):
    """Once it is learned, or was known; what comes from elsewhere is not told."""
    async with paged_window(theme, clean_redis_url) as opened:
        Remembered(opened.window.chat, opened.bridge, opened.window)
        heard = asyncio.Queue()  # told after it
        opened.bridge.listen(memory.FactLearned, heard.put_nowait)
        opened.bridge.listen(memory.MemoryVoid, heard.put_nowait)
        opened.core.conversations = [listed("c1")]
        opened.core.messages = [question(1)]
        opened.chat.open("c1")
        await opened.idle()

        def learned(fact_id: str) -> memory.FactLearned:
            fact = memory.Fact(
                id=fact_id, text="the key is under the mat", subject="", subject_id=memory.ME, learned_at=""
            )
            return memory.FactLearned(fact=fact)

        notice = opened.window.chat._notice
        await opened.core.say(learned("elsewhere"))
        await asyncio.wait_for(heard.get(), 20)
        assert notice.text() == ""
        await opened.core.say(learned("q1"))
        await asyncio.wait_for(heard.get(), 20)
        assert "the key is under the mat" in notice.text()
        await opened.core.say(memory.MemoryVoid(subject_id="q1", reason=memory.Void.KNOWN, known_id="f"))
        await asyncio.wait_for(heard.get(), 20)
        assert notice.text() == "Titan remembers this already."
