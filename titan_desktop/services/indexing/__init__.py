"""Indexing: turns files into passages, and passages into vectors.

`service` declares the handlers; `indexer` puts files into the index, `embedding` makes the vectors. `cutting` and
`ordering` are plain functions and structures.
"""

from titan_desktop.services.indexing.service import IndexingService

__all__ = ["IndexingService"]
