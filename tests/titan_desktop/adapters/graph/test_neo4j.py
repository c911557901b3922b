"""How a Neo4j that is not there, or does not let us in, is said. Its work is in tests/contract/test_graph.py."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.relay import relay
from tests.servers import free_port
from titan_desktop.adapters.graph.neo4j import Neo4jGraph
from titan_desktop.client import problems
from titan_desktop.ports.graph import FileNode, GraphQueryError, GraphUnavailableError


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    """The sentence holds the address and the cure, and never the secret."""
    graph = Neo4jGraph(f"bolt://anna:s3cret@127.0.0.1:{free_port()}")
    with pytest.raises(
        GraphUnavailableError, match=r"graph_unreachable address=bolt://127\.0\.0\.1"
    ) as caught:
        await graph.open()
    assert "s3cret" not in str(caught.value)
    assert "TITAN_NEO4J_URL" in problems.say("en", caught.value.problem)


async def test_an_address_of_something_else_is_refused() -> None:
    """A wrong scheme or port is the person's typing, not our bug."""
    for url in ("http://localhost:7687", "localhost", "bolt://localhost:port"):
        with pytest.raises(GraphUnavailableError, match="graph_address"):
            await Neo4jGraph(url).open()


async def test_a_server_that_speaks_something_else_is_refused() -> None:
    """A port where something other than Bolt answers is unavailable, within the timeout."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(GraphUnavailableError):
            await Neo4jGraph(f"bolt://127.0.0.1:{port}").open()


@pytest.mark.neo4j
async def test_a_look_finds_a_server_that_has_gone_and_come_back(neo4j_url: str) -> None:
    """Also when the driver has a connection that was good a moment ago."""
    async with relay(neo4j_url) as way:
        graph = Neo4jGraph(way.url)
        await graph.open()
        await graph.look()
        await way.close()
        with pytest.raises(GraphUnavailableError):
            await graph.look()
        await way.open()
        await graph.look()
        await graph.close()


@pytest.mark.neo4j
async def test_a_database_that_does_not_exist_is_named(neo4j_url: str) -> None:
    """The path of the URL names the database; the code of the error leads to the cure."""
    with pytest.raises(GraphUnavailableError, match="graph_database") as caught:
        await Neo4jGraph(f"{neo4j_url}/nowhere").open()
    assert "Correct its name" in problems.say("en", caught.value.problem)


@pytest.mark.neo4j
async def test_the_default_database_can_be_named_and_a_user_given(neo4j_url: str) -> None:
    """User, password and database of the URL reach the server (which asks for no password here)."""
    host = urlsplit(neo4j_url).netloc.rpartition("@")[2]
    graph = Neo4jGraph(f"bolt://neo4j:p%40ss@{host}/neo4j")
    await graph.open()
    assert (await graph.product_version()).version.startswith("5.")
    await graph.close()


@pytest.mark.neo4j
async def test_writers_at_the_same_time_lose_nothing(neo4j_url: str) -> None:
    """Deadlocks between transactions that make the same folders are retried."""
    graph = Neo4jGraph(neo4j_url)
    await graph.open()
    try:
        await graph.remove("/crowd", folder=True)
        before = await graph.counts()
        paths = [f"/crowd/{number % 3}/deep/{number}.pdf" for number in range(60)]
        await asyncio.gather(*(graph.put_file(FileNode(path=p, title="t", kind="pdf")) for p in paths))
        after = await graph.counts()
        assert after.files - before.files == 60
        await graph.remove("/crowd", folder=True)
        assert await graph.counts() == before._replace(folders=max(before.folders, 1))
    finally:
        await graph.close()


@pytest.mark.neo4j
async def test_a_statement_of_ours_that_is_wrong_is_our_bug(neo4j_url: str) -> None:
    """A syntax error is no environment's fault, and carries the driver's code."""
    graph = Neo4jGraph(neo4j_url)
    await graph.open()
    try:
        with pytest.raises(GraphQueryError) as caught:
            await graph._read(("MATCH (", {}))
        assert caught.value.code == "Neo.ClientError.Statement.SyntaxError"
    finally:
        await graph.close()
