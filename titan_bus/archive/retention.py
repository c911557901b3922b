"""Removes segments beyond the operator's limits, and snapshots whose data is gone.

The limits also apply to what a group has not acknowledged; the stream still has that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from titan_bus.archive.archive import Archive, SnapshotName, StoredSegment
from titan_bus.archive.segment_name import SegmentName
from titan_bus.config import ArchiveConfig

MS_A_DAY = 86_400_000


async def retain(
    archive: Archive, config: ArchiveConfig, now_ms: float, is_gone: Callable[[str], Awaitable[bool]]
) -> int:
    """Remove segments that are too old, then the oldest beyond the size limit. Returns how many segments.

    Args:
        archive: the archive.
        config: the limits.
        now_ms: the time, since the epoch.
        is_gone: tells whether a stream no longer exists on the server.

    Raises:
        StoreError: the store fails.
    """
    if config.max_age_days is None and config.max_bytes is None:
        return 0
    kept = await asyncio.to_thread(sorted, await archive.segments(), key=lambda one: one.name.last)
    gone = surplus(kept, config, now_ms)
    await archive.remove(gone)
    if config.max_age_days is not None:
        left = {one.name.stream for one in kept[len(gone) :]}
        await archive.remove(
            [
                name
                for name in await archive.snapshots()
                if _is_old(name, now_ms - config.max_age_days * MS_A_DAY)
                or (name.stream not in left and await is_gone(name.stream))
            ]
        )
    return len(gone)


def surplus(kept: Sequence[StoredSegment], config: ArchiveConfig, now_ms: float) -> list[SegmentName]:
    """Return the segments to remove, from segments sorted by their last entries."""
    over = sum(size for _, size in kept) - config.max_bytes if config.max_bytes is not None else 0
    oldest_ms = now_ms - config.max_age_days * MS_A_DAY if config.max_age_days is not None else 0.0
    found: list[SegmentName] = []
    for name, size in kept:
        if over <= 0 and name.last.ms >= oldest_ms:
            break
        found.append(name)
        over -= size
    return found


def _is_old(name: SnapshotName, oldest_ms: float) -> bool:
    """The age of the newest snapshot is unknown; one that was set aside has its time in its name."""
    return name.aside is not None and name.aside.ms < oldest_ms
