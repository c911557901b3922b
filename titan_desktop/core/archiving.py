"""The configuration of the event archive."""

from titan_bus import ArchiveConfig, Bus
from titan_bus.errors import ArchiveElsewhereError, StoreError
from titan_desktop.contracts import topics
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.settings import ArchiveSettings
from titan_desktop.system.paths import Paths

EVERY_S = 900.0
"""The streams have everything until then, and each round writes a file for each topic with new events."""


def archive_config(paths: Paths, chosen: ArchiveSettings) -> ArchiveConfig:
    """Return the archive of this home. Its server must belong to this home alone.

    The bus refuses a server that another home archives; see `archive_problems`.
    """
    return ArchiveConfig(
        target=str(paths.archive),
        every_s=EVERY_S,
        topics=topics.ARCHIVED,
        max_age_days=chosen.days,
        begins_anew=True,  # a person may delete the folder
    )


def archive_problems(bus: Bus) -> tuple[Problem, ...]:
    """Return why the archive cannot be written; empty when it can."""
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
