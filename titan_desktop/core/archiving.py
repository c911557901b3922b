"""Where the record of what happened is kept, and for how long."""

from titan_bus import ArchiveConfig
from titan_desktop.contracts import topics
from titan_desktop.settings import ArchiveSettings
from titan_desktop.system.paths import Paths

EVERY_S = 900.0
"""The streams have it all until then, and each round makes a file for each topic in which something was said."""


def archive_config(paths: Paths, chosen: ArchiveSettings) -> ArchiveConfig:
    """Return the archive of this home: one for whatever server its bus is on, which it has to itself.

    A server that an archive elsewhere has taken, as of another home, is refused by the bus, which says so.
    """
    return ArchiveConfig(
        target=str(paths.archive),
        every_s=EVERY_S,
        topics=topics.ARCHIVED,
        max_age_days=chosen.days,
        begins_anew=True,  # a person may delete the folder
    )
