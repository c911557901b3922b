"""Search: finds passages for a question.

`service` declares the handlers; `searcher` runs both searches, `fusion` merges their lists.
"""

from titan_desktop.services.search.service import SearchService

__all__ = ["SearchService"]
