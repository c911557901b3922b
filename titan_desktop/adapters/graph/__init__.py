"""The graph: openCypher, in Ladybug or in Neo4j."""
