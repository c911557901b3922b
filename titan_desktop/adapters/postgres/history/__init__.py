"""Conversations and messages in PostgreSQL.

`store` has what the port asks for, `tree` the paths through a conversation, `reading` the queries that several of
them need, `rows` what a row means; `schema` makes the tables.
"""

from titan_desktop.adapters.postgres.history.schema import MIGRATIONS
from titan_desktop.adapters.postgres.history.store import PostgresHistory

__all__ = ["MIGRATIONS", "PostgresHistory"]
