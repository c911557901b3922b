"""One suite for every Graph: Ladybug in this process, and a real Neo4j 5 over Bolt."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ulid import ULID

from titan_desktop.ports.facts import OPEN, Changes, Link
from titan_desktop.ports.graph import Edge, FileNode, Graph, GraphCounts

if TYPE_CHECKING:
    from titan_desktop.adapters.graph.neo4j import Neo4jGraph

SECOND = 1_000_000_000


@pytest.fixture(params=["ladybug", pytest.param("neo4j", marks=pytest.mark.neo4j)])
async def graph(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Graph]:
    """An open, empty graph."""
    made: Graph
    if request.param == "ladybug":
        from titan_desktop.adapters.graph.ladybug import LadybugGraph

        made = LadybugGraph(tmp_path / "graph")
        await made.open()
    else:
        from titan_desktop.adapters.graph.neo4j import Neo4jGraph

        made = Neo4jGraph(request.getfixturevalue("neo4j_url"))
        await made.open()
        await _empty(made)
    yield made
    await made.close()


async def _empty(graph: "Neo4jGraph") -> None:
    await graph._write(("MATCH (n) WHERE n:File OR n:Folder OR n:Entity OR n:Projection DETACH DELETE n", {}))


def a_file(path: str, modified: int = 0) -> FileNode:
    return FileNode(path=path, title=path.rpartition("/")[2], kind="pdf", modified=modified)


async def test_a_file_stands_in_its_chain_of_folders(graph: Graph) -> None:
    """A file brings its folders up to the root with it."""
    await graph.put_file(a_file("/home/anna/Desktop/договор.pdf"))
    assert await graph.counts() == GraphCounts(files=1, folders=4)


async def test_files_of_impossible_dates_have_neighbours(graph: Graph) -> None:
    """Archives keep dates of every kind; the distance between the farthest is a number, too."""
    dates = {"a": -(2**63 - 1), "b": 0, "c": 2**63 - 1}
    for name, modified in dates.items():
        await graph.put_file(a_file(f"/d/{name}.pdf", modified))
    assert [near.title for near in await graph.neighbours("/d/a.pdf", 5)] == ["b.pdf", "c.pdf"]
    assert [near.title for near in await graph.neighbours("/d/c.pdf", 5)] == ["b.pdf", "a.pdf"]


async def test_putting_a_file_twice_renews_it(graph: Graph) -> None:
    """The second put changes the values and adds no node."""
    await graph.put_file(a_file("/d/a.pdf"))
    await graph.put_file(FileNode(path="/d/b.pdf", title="old", kind="pdf", modified=1))
    await graph.put_file(FileNode(path="/d/b.pdf", title="new", kind="pdf", modified=2))
    assert await graph.counts() == GraphCounts(files=2, folders=2)
    assert await graph.neighbours("/d/a.pdf", 5) == (
        FileNode(path="/d/b.pdf", title="new", kind="pdf", modified=2),
    )


async def test_neighbours_are_of_the_same_folder_nearest_in_time_first(graph: Graph) -> None:
    """Files saved together come first; files of other folders and the file itself do not come."""
    for name, second in (("me", 100), ("far", 10), ("near", 101), ("nearest", 100)):
        await graph.put_file(a_file(f"/d/{name}.pdf", second * SECOND))
    await graph.put_file(a_file("/d/deeper/x.pdf", 100 * SECOND))
    found = await graph.neighbours("/d/me.pdf", 10)
    assert [node.title for node in found] == ["nearest.pdf", "near.pdf", "far.pdf"]
    assert len(await graph.neighbours("/d/me.pdf", 2)) == 2


async def test_an_unknown_file_has_no_neighbours(graph: Graph) -> None:
    """Asking for what is not there is not an error."""
    assert await graph.neighbours("/nowhere/x.pdf", 5) == ()


async def test_a_removed_file_is_gone_and_its_folder_stays(graph: Graph) -> None:
    """Removing twice is the same as once."""
    await graph.put_file(a_file("/d/a.pdf"))
    await graph.put_file(a_file("/d/b.pdf"))
    for _ in range(2):
        await graph.remove("/d/a.pdf")
    assert await graph.counts() == GraphCounts(files=1, folders=2)


async def test_a_removed_folder_takes_everything_beneath_it_and_nothing_beside_it(graph: Graph) -> None:
    """`/d/rent` does not reach `/d/rental`."""
    for path in ("/d/rent/a.pdf", "/d/rent/2024/b.pdf", "/d/rental/c.pdf"):
        await graph.put_file(a_file(path))
    await graph.remove("/d/rent", folder=True)
    assert await graph.counts() == GraphCounts(files=1, folders=3)


async def test_a_folder_comes_back_after_it_was_removed(graph: Graph) -> None:
    """What was written once is written again when it must be."""
    await graph.put_file(a_file("/d/rent/a.pdf"))
    await graph.remove("/d/rent", folder=True)
    await graph.put_file(a_file("/d/rent/b.pdf"))
    assert await graph.counts() == GraphCounts(files=1, folders=3)


async def test_a_file_moves_to_another_folder(graph: Graph) -> None:
    """With its values, under its new name; twice is the same as once, and where nothing is nothing comes."""
    await graph.put_file(FileNode(path="/d/a/old.txt", title="old.txt", kind="txt", modified=7))
    await graph.put_file(a_file("/d/b/other.pdf"))
    for _ in range(2):
        await graph.move("/d/a/old.txt", "/d/b/new.md")
    await graph.move("/d/none.txt", "/d/b/none.txt")
    assert await graph.neighbours("/d/b/other.pdf", 5) == (
        FileNode(path="/d/b/new.md", title="new.md", kind="md", modified=7),
    )
    assert await graph.counts() == GraphCounts(files=2, folders=4)


async def test_a_folder_moves_with_everything_beneath_it_and_nothing_beside_it(graph: Graph) -> None:
    """`/d/rent` does not take `/d/rental` along, and leaves no folder behind."""
    for path in ("/d/rent/a.pdf", "/d/rent/2024/b.pdf", "/d/rent/2024/c.pdf", "/d/rental/d.pdf"):
        await graph.put_file(a_file(path))
    await graph.move("/d/rent", "/d/old/rent")
    assert [node.path for node in await graph.neighbours("/d/old/rent/2024/b.pdf", 5)] == [
        "/d/old/rent/2024/c.pdf"
    ]
    assert await graph.neighbours("/d/rental/d.pdf", 5) == ()
    assert await graph.counts() == GraphCounts(files=4, folders=6)
    await graph.put_file(a_file("/d/rent/e.pdf"))
    assert await graph.counts() == GraphCounts(files=5, folders=7)


def a_link(fact_id: str, subject: str, target: str, begins: int = 0, ends: int = OPEN) -> Link:
    return Link(fact_id, subject, target, "knows", begins, ends, learned_at=int(fact_id), confidence=0.5)


def changes(*links: Link, gone: tuple[str, ...] = (), revision: int) -> Changes:
    named = {end for link in links for end in (link.subject_id, link.object_id, link.origin_id)} - {""}
    entities = [(entity_id, "person") for entity_id in sorted(named)]
    return Changes(entities, links, gone, revision, more=False, newest=revision)


async def test_facts_come_and_go_with_their_revision(graph: Graph) -> None:
    """The same changes twice are as once; a fact that gets other ends has no edge at the former ones."""
    assert await graph.revision() == 0
    await graph.put_file(a_file("/d/a.pdf"))
    first = changes(a_link("1", "me", "anna"), a_link("2", "anna", "oslo"), revision=7)
    for _ in range(2):
        await graph.apply(first)
    assert await graph.revision() == 7
    assert await graph.counts() == GraphCounts(files=1, folders=2, entities=3)
    assert await graph.around(["anna"], 5, 10) == (
        Edge("2", "anna", "oslo", "knows", 0, OPEN),
        Edge("1", "me", "anna", "knows", 0, OPEN),
    )
    await graph.apply(changes(a_link("2", "olaf", "oslo"), gone=("1", "anna"), revision=9))
    assert await graph.around(["me", "anna"], 5, 10) == ()
    assert await graph.around(["oslo"], 5, 10) == (Edge("2", "olaf", "oslo", "knows", 0, OPEN),)
    assert await graph.counts() == GraphCounts(files=1, folders=2, entities=3)
    await graph.clear_facts()
    assert (await graph.revision(), await graph.counts()) == (0, GraphCounts(files=1, folders=2))


async def test_what_is_around_an_entity_is_what_held_then(graph: Graph) -> None:
    """By both ends of its time; what begins later only when it is asked for; the newest when there are many."""
    await graph.apply(
        changes(
            a_link("1", "me", "oslo", -(2**41), 10),
            a_link("2", "me", "rome", 10),
            a_link("3", "me", "bern", 90),
            revision=1,
        )
    )

    async def at(time: int, limit: int = 9, *, later: bool = False) -> list[str]:
        return [edge.to_id for edge in await graph.around(["me"], time, limit, later=later)]

    assert [await at(9), await at(10), await at(90)] == [["oslo"], ["rome"], ["bern", "rome"]]
    assert await at(10, later=True) == ["bern", "rome"]
    assert await at(90, 1) == ["bern"]
    assert await graph.around([], 9, 9) == await graph.around(["nobody"], 9, 9) == ()


async def test_where_a_fact_is_from_is_an_edge_of_its_own(graph: Graph) -> None:
    """It goes with the fact."""
    link = Link("1", "anna", "oslo", "", 0, OPEN, learned_at=1, confidence=1.0, origin_id="talk")
    await graph.apply(changes(link, revision=1))
    assert Edge("1", "anna", "talk", "origin", 0, OPEN) in await graph.around(["talk"], 5, 9)
    await graph.apply(changes(gone=("1",), revision=2))
    assert await graph.around(["talk", "anna"], 5, 9) == ()


async def test_values_are_values_and_never_cypher(graph: Graph) -> None:
    """A file's name with quotes, braces and a dollar sign is kept as it is."""
    name = f'a\' }}) DETACH DELETE n -- $path {ULID()} "ё".pdf'
    await graph.put_file(a_file("/d/a.pdf"))
    await graph.put_file(a_file(f"/d/{name}"))
    (found,) = await graph.neighbours("/d/a.pdf", 5)
    assert found.title.endswith('"ё".pdf')


async def test_the_store_says_what_it_is(graph: Graph) -> None:
    """`titan doctor` shows a product and a version."""
    product = await graph.product_version()
    assert product.name in {"Ladybug", "Neo4j"}
    assert product.version[0].isdigit()
