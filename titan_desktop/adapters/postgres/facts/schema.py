"""The tables of facts and entities."""

from titan_desktop.adapters.postgres.database import Migration

MIGRATIONS = (
    Migration(
        "facts-001",
        """
        CREATE SEQUENCE memory_revision;
        CREATE TABLE entities (
            id text PRIMARY KEY,
            kind text NOT NULL,
            name text NOT NULL,
            merged_into text REFERENCES entities,
            root_id text NOT NULL,
            event_id text NOT NULL,
            revision bigint NOT NULL DEFAULT nextval('memory_revision')
        );
        CREATE INDEX ON entities (root_id);
        CREATE INDEX ON entities (revision);
        CREATE TABLE entity_names (
            entity_id text NOT NULL REFERENCES entities ON DELETE CASCADE,
            key text NOT NULL,
            name text NOT NULL,
            words tsvector NOT NULL,
            PRIMARY KEY (entity_id, key)
        );
        CREATE INDEX ON entity_names (key);
        CREATE INDEX ON entity_names USING gin (words);
        INSERT INTO entities (id, kind, name, root_id, event_id) VALUES ('me', 'person', '', 'me', '');
        CREATE TABLE merges (
            id text PRIMARY KEY,
            kept_id text NOT NULL REFERENCES entities ON DELETE CASCADE,
            merged_id text NOT NULL REFERENCES entities ON DELETE CASCADE,
            undone boolean NOT NULL DEFAULT false,
            event_id text NOT NULL
        );
        CREATE TABLE facts (
            id text PRIMARY KEY,
            subject_id text NOT NULL REFERENCES entities,
            predicate text NOT NULL,
            object_id text NOT NULL REFERENCES entities,
            object text NOT NULL,
            object_key text NOT NULL,
            text text NOT NULL,
            key text NOT NULL,
            words tsvector NOT NULL,
            replaces boolean NOT NULL,
            state text NOT NULL,
            valid_from timestamptz NOT NULL,
            valid_to timestamptz,
            created_at timestamptz NOT NULL,
            learned_at timestamptz NOT NULL,
            closed_at timestamptz,
            closed_by text,
            corrects text,
            corrected_at timestamptz,
            confidence real NOT NULL,
            pinned boolean NOT NULL DEFAULT false,
            origin jsonb NOT NULL,
            origin_id text REFERENCES entities,
            event_id text NOT NULL,
            revision bigint NOT NULL DEFAULT nextval('memory_revision')
        );
        CREATE INDEX ON facts (subject_id, predicate);
        CREATE INDEX ON facts (object_id);
        CREATE INDEX ON facts (origin_id);
        CREATE INDEX ON facts USING hash (key);
        CREATE INDEX ON facts (closed_by);
        CREATE INDEX ON facts (corrects);
        CREATE INDEX ON facts (revision);
        CREATE INDEX ON facts (state, pinned DESC, learned_at DESC, id DESC);
        CREATE INDEX ON facts USING gin (words);
        CREATE TABLE proposal_rules (
            predicate text NOT NULL,
            source text NOT NULL,
            accepts boolean NOT NULL,
            PRIMARY KEY (predicate, source)
        );
        CREATE TABLE memory_erasures (
            subject_id text PRIMARY KEY,
            ids text[] NOT NULL,
            facts integer NOT NULL,
            rows integer NOT NULL,
            since timestamptz NOT NULL,
            kept_in jsonb NOT NULL,
            event_ids text[] NOT NULL DEFAULT '{}',
            asked integer NOT NULL DEFAULT 1,
            erased_at timestamptz,
            complete boolean,
            revision bigint NOT NULL DEFAULT nextval('memory_revision')
        );
        CREATE INDEX ON memory_erasures USING gin (ids);
        CREATE INDEX ON memory_erasures (revision);
        """,
    ),
    Migration(
        "facts-002",
        """
        ALTER TABLE facts ADD COLUMN uses integer NOT NULL DEFAULT 0, ADD COLUMN used_at timestamptz;
        """,
    ),
)
"""`merged_into` is the merge itself, `root_id` the end of that way, an entity's own id when it is not merged.

A sentence's `object_id` is the day that it is said of. `origin_id` is the conversation or file in `origin`.
`revision` grows with every change, in the order of the commits, because all writers hold one lock: the graph asks
for what is newer than what it has. `memory_erasures` remembers ids alone, so that a command that comes late brings
nothing back. `uses` counts the answers that a fact was given to.
"""
TABLES = ("facts", "entity_names", "merges", "entities", "memory_erasures")
"""What has words of a fact in it, or had them."""
