"""Keeps a core alive and a link to it, for a client that stays: the window."""

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
    """What a watcher is told. `link` is set when the phase is "up", `sentence` when it is "down"."""

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
    """Keep a core alive and a link to it, until cancelled; leaving closes the link.

    `on_state` hears "starting", "up" with the link, and "down" with a sentence, after which it tries again.
    A core that died is noticed within a second. The link that comes with "up" is a new one each time.
    """
    from titan_bus.backoff import Backoff  # the bus is imported behind the window's first paint

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
                while is_held(paths.core_lock):  # noqa: ASYNC110  # the kernel has no event for a lock let go
                    await asyncio.sleep(WATCH_S)
            finally:
                # Beside the start of the next core: the goodbye to a dead one may take seconds.
                goodbyes = [task for task in goodbyes if not task.done()]
                goodbyes.append(asyncio.create_task(link.close(), name="goodbye"))
            log.warning("the core has gone; starting another")
            on_state(CoreState("starting"))
    finally:
        if goodbyes:
            await asyncio.wait(goodbyes)
