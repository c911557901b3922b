"""Search: a question finds passages.

`service` declares the handlers; `searcher` asks both legs, `fusion` makes one list of theirs.
"""

from titan_desktop.services.search.service import SearchService

__all__ = ["SearchService"]
