"""Which entity a name means; one that nobody has is a new entity. Within the caller's transaction."""

from datetime import UTC, datetime

from ulid import ULID

from titan_desktop.adapters.postgres.facts.rows import Connection, storable
from titan_desktop.adapters.postgres.text.words import indexed
from titan_desktop.contracts.memory import ME, EntityKind, FromFile, FromMessage, Origin
from titan_desktop.ports.facts import plain

_EXACT = frozenset({EntityKind.FILE, EntityKind.CONVERSATION})
"""Two paths that differ by a dot alone are two files."""
_APART = _EXACT | {EntityKind.DAY}
"""Nobody's name means one of these by chance."""
_UNSURE = frozenset({EntityKind.THING.value})
_NAMED = frozenset(kind.value for kind in EntityKind if kind not in _APART)
_KEY_CHARACTERS = 600
"""An index holds 2,704 bytes, and a letter has up to four."""


async def entity_named(connection: Connection, name: str, kind: EntityKind | None, event_id: str) -> str:
    """Return the id of the entity with this name, "" for the person; it may have been merged into another.

    An entity of unknown kind gets the one that is said here. Of several with one name, that of the kind that is
    said is meant, and of these the oldest.
    """
    if kind in _EXACT:
        return await _exactly(connection, name, kind, event_id)
    key = plain(name)[:_KEY_CHARACTERS]
    if not key:
        return ME
    rows = await connection.fetch(
        "SELECT id, kind FROM entities JOIN entity_names ON entity_id = id WHERE key = $1 ORDER BY id", key
    )
    wanted = None if kind is None else kind.value
    fitting = [row for row in rows if row["kind"] == wanted]
    if not fitting and kind not in _APART:
        fitting = [row for row in rows if row["kind"] in (_NAMED if kind is None else _UNSURE)]
    if not fitting:
        return await _make(connection, name, kind or EntityKind.THING, key, event_id)
    found: str = fitting[0]["id"]
    if wanted is not None and fitting[0]["kind"] != wanted:
        await connection.execute(
            "UPDATE entities SET kind = $2, revision = nextval('memory_revision') WHERE id = $1",
            found,
            wanted,
        )
    return found


async def day_of(connection: Connection, at: datetime, event_id: str) -> str:
    """Return the entity of a day, in UTC."""
    day = at.astimezone(UTC).date().isoformat()
    return await entity_named(connection, day, EntityKind.DAY, event_id)


async def source_of(connection: Connection, origin: Origin, event_id: str) -> str | None:
    """Return the entity of the conversation or file that something is from."""
    match origin:
        case FromMessage(conversation_id=conversation_id):
            return await _exactly(connection, conversation_id, EntityKind.CONVERSATION, event_id)
        case FromFile(path=path):
            return await _exactly(connection, path, EntityKind.FILE, event_id)
        case _:
            return None


async def _exactly(connection: Connection, name: str, kind: EntityKind, event_id: str) -> str:
    found: str | None = await connection.fetchval(
        "SELECT id FROM entities JOIN entity_names ON entity_id = id WHERE key = $1 AND kind = $2",
        storable(name),
        kind.value,
    )
    return found or await _make(connection, name, kind, storable(name), event_id)


async def _make(connection: Connection, name: str, kind: EntityKind, key: str, event_id: str) -> str:
    entity_id = str(ULID())
    await connection.execute(
        "INSERT INTO entities (id, kind, name, root_id, event_id) VALUES ($1, $2, $3, $1, $4)",
        entity_id,
        kind.value,
        storable(name.strip()),
        event_id,
    )
    await connection.execute(
        "INSERT INTO entity_names (entity_id, key, name, words) VALUES ($1, $2, $3, to_tsvector('titan', $4))",
        entity_id,
        key,
        storable(name.strip()),
        indexed(key),
    )
    return entity_id
