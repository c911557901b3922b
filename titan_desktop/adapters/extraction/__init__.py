"""Text out of files, in worker processes under limits: `PooledExtractor` implements `ports.extractor`.

The workers import this package too (multiprocessing's spawn), so nothing heavier than it needs may stand here.
"""

from titan_desktop.adapters.extraction.limits import Limits
from titan_desktop.adapters.extraction.pool import PooledExtractor, WorkersBrokenError

__all__ = ["Limits", "PooledExtractor", "WorkersBrokenError"]
