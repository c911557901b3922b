"""Facts and entities in PostgreSQL.

`store` has what the port asks for. `learning` and `deciding` change facts, `naming` and `merging` entities;
`listing` reads, `changing` reads for the graph, `forgetting` deletes, and `erasures` has what is then to be
erased elsewhere. `rows` says what a row means, `rules` what
the person decided about proposals; `schema` makes the tables.
"""

from titan_desktop.adapters.postgres.facts.erasures import PostgresMemoryErasures
from titan_desktop.adapters.postgres.facts.schema import MIGRATIONS
from titan_desktop.adapters.postgres.facts.store import PostgresFacts

__all__ = ["MIGRATIONS", "PostgresFacts", "PostgresMemoryErasures"]
