"""Indexing: files become passages, and passages get their vectors.

`service` declares the handlers; `indexer` puts files into the index, `embedding` gives passages their vectors.
`cutting` and `ordering` are plain functions and structures.
"""

from titan_desktop.services.indexing.service import IndexingService

__all__ = ["IndexingService"]
