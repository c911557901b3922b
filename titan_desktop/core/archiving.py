"""Where the record of what happened is kept, and for how long."""

from titan_bus import ArchiveConfig, Bus
from titan_bus.errors import ArchiveElsewhereError, StoreError
from titan_desktop.contracts import topics
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.settings import ArchiveSettings
from titan_desktop.system.paths import Paths

EVERY_S = 900.0
"""The streams have it all until then, and each round makes a file for each topic in which something was said."""


def archive_config(paths: Paths, chosen: ArchiveSettings) -> ArchiveConfig:
    """Return the archive of this home: one for whatever server its bus is on, which it has to itself.

    A server that another home archives is refused by the bus; see `archive_problems`.
    """
    return ArchiveConfig(
        target=str(paths.archive),
        every_s=EVERY_S,
        topics=topics.ARCHIVED,
        max_age_days=chosen.days,
        begins_anew=True,  # a person may delete the folder
    )


def archive_problems(bus: Bus) -> tuple[Problem, ...]:
    """Say what keeps the archive from being written; nothing when nothing does."""
    match bus.archive_failure:
        case None:
            return ()
        case ArchiveElsewhereError() as error:
            return (Problem(Code.ARCHIVE_ELSEWHERE, {"folder": error.target}),)
        case StoreError() as error:
            return (Problem(Code.ARCHIVE_FAILED, {"folder": error.target, "reason": error.reason}),)
        case error:
            folder = bus.config.archive.target if bus.config.archive is not None else ""
            return (Problem(Code.ARCHIVE_FAILED, {"folder": folder, "reason": str(error)}),)
