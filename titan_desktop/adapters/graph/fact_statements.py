"""The statements for facts, in the openCypher that Ladybug and Neo4j share; the adapters run them.

Entities are nodes, facts and where they are from are edges. All have ids, codes and times alone; the words stay in
the store that the graph is made from.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

from titan_desktop.adapters.graph.cypher import Statement
from titan_desktop.ports.facts import Changes, Link
from titan_desktop.ports.graph import Edge

REVISION: LiteralString = "MATCH (p:Projection {name: 'facts'}) RETURN p.revision AS revision"
ENTITIES: LiteralString = "MATCH (e:Entity) RETURN count(*) AS n"

_REVISE: LiteralString = "MERGE (p:Projection {name: 'facts'}) SET p.revision = $revision"
_CLEAR: LiteralString = "MATCH (e:Entity) DETACH DELETE e"
_NODES: LiteralString = "UNWIND $rows AS row MERGE (e:Entity {id: row.id}) SET e.kind = row.kind"
_NODES_GONE: LiteralString = "MATCH (e:Entity) WHERE e.id IN $ids DETACH DELETE e"
_FACTS_GONE: LiteralString = "MATCH (:Entity)-[f:FACT]->(:Entity) WHERE f.id IN $ids DELETE f"
_ORIGINS_GONE: LiteralString = "MATCH (:Entity)-[f:HEARD_IN]->(:Entity) WHERE f.id IN $ids DELETE f"
_FACTS: LiteralString = (
    "UNWIND $rows AS row MATCH (s:Entity {id: row.subject}), (o:Entity {id: row.object})"
    " CREATE (s)-[:FACT {id: row.id, predicate: row.predicate, valid_from: row.valid_from,"
    " valid_to: row.valid_to, learned_at: row.learned_at, confidence: row.confidence}]->(o)"
)
_ORIGINS: LiteralString = (
    "UNWIND $rows AS row MATCH (s:Entity {id: row.subject}), (o:Entity {id: row.origin})"
    " CREATE (s)-[:HEARD_IN {id: row.id, valid_from: row.valid_from, valid_to: row.valid_to,"
    " learned_at: row.learned_at}]->(o)"
)
_HOLDS: LiteralString = (
    " AND f.valid_to > $at AND (f.valid_from <= $at OR $soon)"
    " RETURN n.id AS one, m.id AS other, f.id AS id, f.valid_from AS since, f.valid_to AS until,"
    " f.learned_at AS learned"
)
_NEWEST: LiteralString = " ORDER BY learned DESC, id LIMIT $limit"
_OUT: LiteralString = "(n:Entity)-[f:FACT]->(m:Entity) WHERE n.id IN $ids"
_IN: LiteralString = "(n:Entity)-[f:FACT]->(m:Entity) WHERE m.id IN $ids"
_HEARD: LiteralString = "(n:Entity)-[f:HEARD_IN]->(m:Entity) WHERE n.id IN $ids"
_HELD: LiteralString = "(n:Entity)-[f:HEARD_IN]->(m:Entity) WHERE m.id IN $ids"


def apply(changes: Changes) -> tuple[Statement, ...]:
    """Statements that bring the graph to the revision of these changes; for one transaction.

    What is put is taken out before, because an edge cannot get other ends. No list is empty: Ladybug could not
    tell of what.
    """
    replaced = [*(link.fact_id for link in changes.links), *changes.gone]
    heard = [link for link in changes.links if link.origin_id]
    statements: list[Statement] = []
    if replaced:
        statements += [(_FACTS_GONE, {"ids": replaced}), (_ORIGINS_GONE, {"ids": replaced})]
    if changes.gone:
        statements.append((_NODES_GONE, {"ids": list(changes.gone)}))
    if changes.entities:
        nodes = [{"id": entity_id, "kind": kind} for entity_id, kind in changes.entities]
        statements.append((_NODES, {"rows": nodes}))
    if changes.links:
        statements.append((_FACTS, {"rows": [_row(link) for link in changes.links]}))
    if heard:
        statements.append((_ORIGINS, {"rows": [_row(link) for link in heard]}))
    return (*statements, (_REVISE, {"revision": changes.revision}))


def clear() -> tuple[Statement, ...]:
    """Statements that take out all entities and facts."""
    return (_CLEAR, {}), (_REVISE, {"revision": 0})


def around(entity_ids: Sequence[str], at: int, limit: int, *, later: bool) -> tuple[Statement, ...]:
    """Statements that return the values of `edge`: those that begin or end at one of these."""
    values = {"ids": list(entity_ids), "at": at, "limit": limit, "soon": later}
    facts: LiteralString = _HOLDS + ", f.predicate AS predicate" + _NEWEST
    origins: LiteralString = _HOLDS + ", 'origin' AS predicate" + _NEWEST
    return (
        ("MATCH " + _OUT + facts, values),
        ("MATCH " + _IN + facts, values),
        ("MATCH " + _HEARD + origins, values),
        ("MATCH " + _HELD + origins, values),
    )


def edges(rows: Sequence[Sequence[Any]], limit: int) -> tuple[Edge, ...]:
    """Read the rows of `around`: each edge once, the newest first."""
    newest = sorted((tuple(row) for row in rows), key=lambda row: (-row[5], row[2], row[6]))
    return tuple(
        Edge(fact_id, one, other, predicate, since, until)
        for one, other, fact_id, since, until, _, predicate in list(dict.fromkeys(newest))[:limit]
    )


def _row(link: Link) -> dict[str, Any]:
    return {
        "id": link.fact_id,
        "subject": link.subject_id,
        "object": link.object_id,
        "origin": link.origin_id,
        "predicate": link.predicate,
        "valid_from": link.valid_from,
        "valid_to": link.valid_to,
        "learned_at": link.learned_at,
        "confidence": link.confidence,
    }
