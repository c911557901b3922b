"""The whole schema: the migrations of every adapter of this package, in the order in which they apply."""

from titan_desktop.adapters.postgres import erasures, facts, history, ledger, passages, turns, vectors

MIGRATIONS = (
    *history.MIGRATIONS,
    *erasures.MIGRATIONS,
    *passages.MIGRATIONS,
    *vectors.MIGRATIONS,
    *ledger.MIGRATIONS,
    *facts.MIGRATIONS,
    *turns.HISTORY_MIGRATIONS,
)
