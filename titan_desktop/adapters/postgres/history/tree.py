"""A conversation as a tree: one path through it is active, what else was said stands beside it.

Each message names the one before it. Messages with the same parent are siblings: the answers to one question, or a
question and its edited versions. The messages of the active path are marked, so a page of it is a range of one
index, whatever stands beside it and however long it is; who changes the path marks it anew, from the fork on.

`PostgresHistory` calls these within its transactions. What changes a path needs the conversation's row held.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from titan_desktop.adapters.postgres.history.rows import Connection
from titan_desktop.contracts.chat import SendPrompt

_UP = """
    WITH RECURSIVE path AS (
        SELECT id, parent_id, 1 AS number FROM messages WHERE id = $1
        UNION ALL
        SELECT parent.id, parent.parent_id, path.number + 1
        FROM path JOIN messages AS parent ON parent.id = path.parent_id WHERE path.number < $2
    )
    SELECT messages.* FROM path JOIN messages USING (id) ORDER BY depth DESC
"""
_UP_TO_THE_FORK = """
    WITH RECURSIVE path AS (
        SELECT id, parent_id, depth, active FROM messages WHERE id = $1
        UNION ALL
        SELECT parent.id, parent.parent_id, parent.depth, parent.active
        FROM path JOIN messages AS parent ON parent.id = path.parent_id WHERE NOT path.active
    )
    SELECT id, depth, active FROM path
"""
_DOWN_TO_THE_LEAF = """
    WITH RECURSIVE path AS (
        SELECT id, depth FROM messages WHERE id = $1
        UNION ALL
        SELECT child.id, child.depth FROM path, LATERAL (
            SELECT id, depth FROM messages WHERE parent_id = path.id ORDER BY position DESC LIMIT 1
        ) AS child
    )
    SELECT id FROM path ORDER BY depth DESC LIMIT 1
"""


async def page(
    connection: Connection, conversation_id: str, before: str, limit: int
) -> list[asyncpg.Record] | None:
    """Return messages of the active path, newest first: those before `before`, or the last ones for "".

    None if there is no such conversation, or `before` does not stand on its active path.
    """
    bound = await connection.fetchval(
        "SELECT CASE WHEN $2 = '' THEN 2147483647"
        " ELSE (SELECT depth FROM messages WHERE id = $2 AND conversation_id = $1 AND active) END"
        " FROM conversations WHERE id = $1 AND deleted_at IS NULL",
        conversation_id,
        before,
    )
    if bound is None:
        return None
    return await connection.fetch(
        "SELECT * FROM messages WHERE conversation_id = $1 AND active AND depth < $2"
        " ORDER BY depth DESC LIMIT $3",
        conversation_id,
        bound,
        limit,
    )


async def path(connection: Connection, message_id: str, limit: int) -> list[asyncpg.Record]:
    """Return a message and those that lead to it, newest first, at most `limit`."""
    return await connection.fetch(_UP, message_id, limit)


async def siblings(
    connection: Connection, rows: Sequence[asyncpg.Record]
) -> Mapping[str | None, tuple[str, ...]]:
    """Return parent -> the ids of its children, oldest first, where it has several; for the parents of `rows`."""
    found = await connection.fetch(
        "SELECT parent_id, array_agg(id ORDER BY position) AS ids FROM messages"
        " WHERE parent_id = ANY($1) OR (conversation_id = $2 AND depth = 0)"
        " GROUP BY parent_id HAVING count(*) > 1",
        [row["parent_id"] for row in rows],
        next((row["conversation_id"] for row in rows if row["parent_id"] is None), None),
    )
    return {row["parent_id"]: tuple(row["ids"]) for row in found}


async def place_of_question(connection: Connection, prompt: SendPrompt) -> tuple[str | None, int]:
    """Return the parent and the depth of a new question, and make the active path end at that parent.

    An edited question goes beside the one that it comes from; any other, to the end of the active path.
    """
    edited = await connection.fetchrow(
        "SELECT parent_id, depth FROM messages WHERE id = $1 AND conversation_id = $2 AND role = 'user'",
        prompt.edits,
        prompt.conversation_id,
    )
    if edited is not None:
        await activate(connection, prompt.conversation_id, edited["parent_id"])
        return edited["parent_id"], edited["depth"]
    leaf = await connection.fetchrow(
        "SELECT messages.id, depth FROM conversations JOIN messages ON messages.id = leaf_id"
        " WHERE conversations.id = $1",
        prompt.conversation_id,
    )
    return (leaf["id"], leaf["depth"] + 1) if leaf is not None else (None, 0)


async def activate(connection: Connection, conversation_id: str, message_id: str | None) -> None:
    """Make the path to this message the active one, ending here; None makes it empty."""
    found = await connection.fetch(_UP_TO_THE_FORK, message_id)
    fork = max((row["depth"] for row in found if row["active"]), default=-1)
    await connection.execute(
        "UPDATE messages SET active = false WHERE conversation_id = $1 AND active AND depth > $2",
        conversation_id,
        fork,
    )
    await connection.execute(
        "UPDATE messages SET active = true WHERE id = ANY($1)",
        [row["id"] for row in found if not row["active"]],
    )


async def newest_leaf(connection: Connection, message_id: str) -> str:
    """Return where the newest path through this message ends: at each message the last child is taken."""
    leaf: str = await connection.fetchval(_DOWN_TO_THE_LEAF, message_id)
    return leaf


async def end_at(connection: Connection, conversation_id: str, leaf_id: str, event_id: str) -> None:
    """Note where the active path ends, and the command that wanted it so."""
    await connection.execute(
        "UPDATE conversations SET leaf_id = $2, path_event_id = greatest(path_event_id, $3) WHERE id = $1",
        conversation_id,
        leaf_id,
        event_id,
    )
