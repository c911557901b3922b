"""The picture of the graph around an entity: the graph says what hangs together, the store how it is called."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from titan_desktop.contracts import memory
from titan_desktop.ports import graph as ports
from titan_desktop.ports.facts import OPEN, Facts

DEEPEST = 3
MOST_NODES = 500
EDGES_PER_NODE = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def draw(
    graph: ports.Graph, facts: Facts, wanted: memory.Neighbourhood, at: datetime | None
) -> memory.Surroundings | None:
    """Return the surroundings of an entity, None when there is no such entity.

    Raises:
        GraphError, FactsUnavailableError: not now.
    """
    most = max(1, min(wanted.limit, MOST_NODES))
    moment = int(((at or datetime.now(UTC)) - _EPOCH) / timedelta(milliseconds=1))
    nodes, edges = {wanted.entity_id: None}, dict[ports.Edge, None]()
    frontier, more = [wanted.entity_id], False
    for _ in range(max(1, min(wanted.depth, DEEPEST))):
        limit = most * EDGES_PER_NODE
        found = await graph.around(frontier, moment, limit + 1, later=at is None)
        more |= len(found) > limit
        frontier = []
        for edge in found[:limit]:
            for end in (edge.from_id, edge.to_id):
                if end not in nodes and len(nodes) < most:
                    nodes[end] = None
                    frontier.append(end)
            if edge.from_id in nodes and edge.to_id in nodes:
                edges[edge] = None
            else:
                more = True
        if not frontier:
            break
    return await _named(facts, wanted.entity_id, list(nodes), list(edges), more=more)


async def _named(
    facts: Facts, entity_id: str, nodes: Sequence[str], edges: Sequence[ports.Edge], *, more: bool
) -> memory.Surroundings | None:
    entities = await facts.named(nodes)
    there = {entity.id for entity in entities}
    if entity_id not in there:
        return None
    predicates = await facts.predicates([edge.fact_id for edge in edges if not edge.predicate])
    return memory.Surroundings(
        nodes=tuple(entities),
        edges=tuple(
            memory.Edge(
                fact_id=edge.fact_id,
                from_id=edge.from_id,
                to_id=edge.to_id,
                predicate=edge.predicate or predicates.get(edge.fact_id, ""),
                valid_from=_time(edge.valid_from),
                valid_to=_time(edge.valid_to),
            )
            for edge in edges
            if {edge.from_id, edge.to_id} <= there
        ),
        more=more,
    )


def _time(milliseconds: int) -> str:
    if milliseconds == OPEN:
        return ""
    at = _EPOCH + timedelta(milliseconds=milliseconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
