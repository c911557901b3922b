"""PostgreSQL with pgvector: history, passages, vectors. `database` holds the pool and the schema's versions."""
