"""The tables of the history, step by step."""

from titan_desktop.adapters.postgres.database import Migration

MIGRATIONS = (
    Migration(
        "history-001",
        """
        CREATE TABLE conversations (
            id text PRIMARY KEY,
            title text NOT NULL,
            title_event_id text NOT NULL,
            event_id text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            deleted_at timestamptz
        );
        CREATE INDEX ON conversations (updated_at DESC) WHERE deleted_at IS NULL;
        CREATE TABLE messages (
            id text PRIMARY KEY,
            position bigint GENERATED ALWAYS AS IDENTITY,
            conversation_id text NOT NULL REFERENCES conversations,
            question_id text UNIQUE REFERENCES messages,
            event_id text NOT NULL,
            role text NOT NULL,
            text text NOT NULL,
            state text NOT NULL,
            created_at timestamptz NOT NULL,
            attempt integer NOT NULL DEFAULT 0,
            kind text NOT NULL DEFAULT 'model',
            model text NOT NULL DEFAULT '',
            sources jsonb NOT NULL DEFAULT '[]',
            fault text,
            fault_detail text NOT NULL DEFAULT '',
            CHECK ((role = 'assistant') = (question_id IS NOT NULL))
        );
        CREATE INDEX ON messages (conversation_id, position);
        CREATE TABLE stops (
            question_id text PRIMARY KEY,
            event_id text NOT NULL
        );
        """,
    ),
    Migration(
        "history-sources",
        # What a source is was not said while all of them were passages of files.
        """
        UPDATE messages SET sources = (
            SELECT jsonb_agg('{"type": "file_passage"}' || source ORDER BY number)
            FROM jsonb_array_elements(sources) WITH ORDINALITY AS stored (source, number)
        ) WHERE sources <> '[]';
        """,
    ),
    Migration(
        "history-tree",
        # Until then an answer named its question, a question nothing; they stood in the order of `position`.
        """
        ALTER TABLE messages DROP CONSTRAINT messages_question_id_key, DROP CONSTRAINT messages_check;
        ALTER TABLE messages RENAME COLUMN question_id TO parent_id;
        ALTER TABLE messages
            ADD COLUMN depth integer NOT NULL DEFAULT 0,
            ADD COLUMN active boolean NOT NULL DEFAULT true;
        WITH asked AS (
            SELECT id,
                row_number() OVER (PARTITION BY conversation_id ORDER BY position) - 1 AS number,
                lag(id) OVER (PARTITION BY conversation_id ORDER BY position) AS before
            FROM messages WHERE role = 'user'
        )
        UPDATE messages SET depth = 2 * asked.number, parent_id = answer.id
            FROM asked LEFT JOIN messages AS answer ON answer.parent_id = asked.before
            WHERE messages.id = asked.id;
        UPDATE messages SET depth = question.depth + 1
            FROM messages AS question
            WHERE messages.role = 'assistant' AND question.id = messages.parent_id;
        ALTER TABLE messages
            ALTER COLUMN depth DROP DEFAULT,
            ALTER COLUMN active DROP DEFAULT,
            ADD CHECK (role = 'user' OR parent_id IS NOT NULL),
            ADD CHECK ((parent_id IS NULL) = (depth = 0));
        DROP INDEX messages_conversation_id_position_idx;
        CREATE UNIQUE INDEX messages_path ON messages (conversation_id, depth) WHERE active;
        CREATE INDEX messages_children ON messages (parent_id, position);
        CREATE INDEX messages_depth ON messages (conversation_id, depth);
        ALTER TABLE conversations
            ADD COLUMN leaf_id text,
            ADD COLUMN path_event_id text NOT NULL DEFAULT '';
        UPDATE conversations SET leaf_id = leaf.id
            FROM (SELECT DISTINCT ON (conversation_id) conversation_id, id FROM messages
                  ORDER BY conversation_id, depth DESC) AS leaf
            WHERE conversations.id = leaf.conversation_id;
        """,
    ),
    Migration(
        "history-thoughts",
        # Apart from the messages: ten times as long as an answer, and read for one of them at a time.
        """
        CREATE TABLE thoughts (
            message_id text PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
            text text NOT NULL
        );
        ALTER TABLE messages ADD COLUMN thoughts integer NOT NULL DEFAULT 0;
        """,
    ),
)
"""`stops` remembers a stop that came before its question, or while nobody was answering it.

`messages.thoughts` is the number of their characters.

`path_event_id` names the newest command that chose a path; an older one that comes late chooses none.
"""
