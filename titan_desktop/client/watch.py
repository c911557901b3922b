"""Keeps a core running and connected, for a client that stays open: the window."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from titan_desktop.client.connect import CoreUnavailableError, connect_core
from titan_desktop.client.link import CoreLink
from titan_desktop.system.file_lock import is_held
from titan_desktop.system.paths import Paths

log = logging.getLogger(__name__)

WATCH_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class CoreState:
    """The state for the callback. `link` is set when the phase is "up", `sentence` when it is "down"."""

    phase: Literal["starting", "up", "down"]
    link: CoreLink | None = None
    sentence: str = ""


async def watch(
    paths: Paths,
    *,
    source: str,
    client_id: str,
    on_state: Callable[[CoreState], None],
    timeout_s: float = 30.0,
) -> None:
    """Keep a core running and connected, until cancelled; then the link is closed.

    `on_state` is called with "starting", "up" and the link, and "down" and a sentence, after which it tries again.
    A core that died is noticed within a second. The link is a new one each time.
    """
    from titan_bus.backoff import Backoff  # the bus is imported after the window's first paint

    backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=False)
    goodbyes: list[asyncio.Task[None]] = []
    on_state(CoreState("starting"))
    try:
        while True:
            try:
                link = await connect_core(paths, source=source, client_id=client_id, timeout_s=timeout_s)
            except CoreUnavailableError as error:
                on_state(CoreState("down", sentence=error.sentence))
                await backoff.pause()
                continue
            backoff.reset()
            try:
                on_state(CoreState("up", link=link))
                while is_held(paths.core_lock):  # noqa: ASYNC110  # the kernel sends no event for a released lock
                    await asyncio.sleep(WATCH_S)
            finally:
                # Concurrently with the start of the next core: leaving a dead one may take seconds.
                goodbyes = [task for task in goodbyes if not task.done()]
                goodbyes.append(asyncio.create_task(link.close(), name="goodbye"))
            log.warning("the core has gone; starting another")
            on_state(CoreState("starting"))
    finally:
        if goodbyes:
            await asyncio.wait(goodbyes)
