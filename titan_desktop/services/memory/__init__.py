"""Memory: files become passages, and a question finds them.

`service` listens on the bus; `indexer` puts files into the index, `embedding` gives passages their vectors,
`search` fuses the two legs. `cutting`, `fusion` and `ordering` are plain functions and structures.
"""

from titan_desktop.services.memory.service import MemoryService

__all__ = ["MemoryService"]
