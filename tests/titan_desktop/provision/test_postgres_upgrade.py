"""Claims about what an older PostgreSQL's cluster becomes: real clusters of 16, and the server host with 18."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.e2e.harness import until
from tests.server_host import answer, gone, keeping
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.history import PostgresHistory
from titan_desktop.adapters.postgres.schema import MIGRATIONS
from titan_desktop.contracts.chat import SendPrompt
from titan_desktop.contracts.problem import Problem
from titan_desktop.provision import postgres_upgrade
from titan_desktop.provision.errors import StoreUnavailableError
from titan_desktop.provision.postgres_access import Access
from titan_desktop.provision.postgres_upgrade import OlderCluster, Upgrade
from titan_desktop.provision.server import ProgramFailedError

AT = "2026-11-23T10:00:00Z"
QUESTION = "Какой залог?"


async def converse(dsn: str) -> None:
    """Leave a conversation, and vectors in their index."""
    database = Database(dsn)
    await database.open()
    await database.migrate(MIGRATIONS)
    prompt = SendPrompt(conversation_id="c", message_id="q", text=QUESTION)
    await PostgresHistory(database).ask(prompt, title="Залог", answer_id="a", asked_at=AT, event_id="E1")
    await database.pool.execute(
        "CREATE TABLE seen AS SELECT repeat(md5(n::text), 20) FROM generate_series(1, 10000) n"
    )
    await database.pool.execute("CREATE TABLE v (e halfvec(3)); INSERT INTO v VALUES ('[1,2,3]')")
    await database.pool.execute("CREATE INDEX ON v USING hnsw (e halfvec_cosine_ops)")
    await database.close()


async def question(dsn: str) -> str:
    database = Database(dsn)
    await database.open()
    await database.migrate(MIGRATIONS)
    page = await PostgresHistory(database).page("c", limit=10)
    await database.close()
    assert page is not None
    return page.messages[0].text


@pytest.fixture(scope="module")
def made_by_16() -> Iterator[Path]:
    """A folder with `pg`, the cluster, and `secret`, its password."""
    with servers.short_folder() as folder:
        with servers.postgres(folder, "pginstall") as ways:
            asyncio.run(converse(ways["socket"]))
        yield folder


@pytest.fixture
def folder(made_by_16: Path) -> Iterator[Path]:
    """A Titan's state as an older version left it."""
    with servers.short_folder() as folder:
        (folder / "data").mkdir(mode=0o700)
        # With its owner, whom the servers run as.
        subprocess.run(["cp", "-a", made_by_16 / "pg", folder / "data/postgres-16"], check=True)
        shutil.copy(made_by_16 / "secret", folder / "data/postgres.password")
        yield folder


def older(folder: Path) -> bool:
    return (folder / "data/postgres-16").exists()


@pytest.mark.parametrize("listen", ["unix", "tcp"])
async def test_conversations_outlive_a_new_major_version(folder: Path, listen: str) -> None:
    """They are there in 18; the older cluster goes when 18 has served in a later start, and not before."""
    async with keeping(folder, "postgres", listen=listen) as host:
        preparing = (await host.heard("postgres", "preparing"))["problem"]
        assert (preparing["code"], preparing["fields"]) == ("upgrading", {"major": "16", "ours": "18"})
        dsn = (await host.heard("postgres", "up"))["url"]
        assert (await answer(dsn, "SHOW server_version")).startswith("18.")
        assert await question(dsn) == QUESTION
        assert await answer(dsn, "SELECT count(*) FROM v WHERE e <=> '[1,2,3]' < 0.1") == 1
    assert older(folder)
    assert not (folder / "data/postgres.upgrade").exists()
    async with keeping(folder, "postgres", listen=listen) as host:
        assert await question((await host.heard("postgres", "up"))["url"]) == QUESTION
        await until(lambda: not older(folder), "the older cluster is gone")
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["postgres-18", "postgres.password"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
@pytest.mark.parametrize(
    "moment",
    ["postgres-16/postmaster.pid", "postgres.upgrade/dump",
     "postgres-18.unfinished/postmaster.pid"],
)  # fmt: skip
async def test_a_kill_in_between_loses_nothing(folder: Path, moment: str) -> None:
    """Whenever the server host is killed, nothing of it lives on, and the next one takes everything over."""
    async with keeping(folder, "postgres") as host:
        await until((folder / "data" / moment).exists, moment)
        processes = host.servers()
        host.process.kill()
        await host.process.wait()
        await gone(processes)
    assert older(folder)
    async with keeping(folder, "postgres") as host:
        assert await question((await host.heard("postgres", "up"))["url"]) == QUESTION


async def test_a_stop_in_between_ends_everything(folder: Path) -> None:
    """A core that ends meanwhile waits no longer for it than for a server, and leaves no process."""
    async with keeping(folder, "postgres") as host:
        await until((folder / "data/postgres.upgrade/dump").exists, "the dump has begun")
        processes = host.servers()
        assert await host.end() == 0
        await gone(processes, 2)
    assert not (folder / "data/postgres-18").exists()
    assert older(folder)


async def test_a_cluster_of_16_under_the_name_of_ours_is_taken_over_too(folder: Path) -> None:
    """It gets the name of its version first."""
    (folder / "data/postgres-16").rename(folder / "data/postgres-18")
    async with keeping(folder, "postgres") as host:
        assert await question((await host.heard("postgres", "up"))["url"]) == QUESTION
    assert older(folder)


async def test_an_older_cluster_that_was_served_again_stays(folder: Path) -> None:
    """Who went back to the older Titan has said things there that the newer one does not have."""
    async with keeping(folder, "postgres") as host:
        await host.heard("postgres", "up")
    control = folder / "data/postgres-16/global/pg_control"
    control.write_bytes(control.read_bytes())
    async with keeping(folder, "postgres") as host:
        await host.heard("postgres", "up")
        receipt = folder / "data/postgres-18.upgraded-from"
        await until(lambda: not receipt.exists(), "it has looked")
    assert older(folder)


def test_a_disk_without_room_is_told_before_anything_is_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with how much is needed and where."""

    class Disk:
        free = 30_000_000

    monkeypatch.setattr(postgres_upgrade.shutil, "disk_usage", lambda _folder: Disk)
    with pytest.raises(StoreUnavailableError, match=r"no_room_to_upgrade .*megabytes=\d+ folder=.*/data$"):
        an_upgrade(folder).fill(folder / "data/new", Path(), Refusing())


def test_a_disk_that_fills_meanwhile_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that fails for it has only an exit code; the disk says the rest. What was dumped is removed."""

    class Disk:
        free = 10**12

    monkeypatch.setattr(postgres_upgrade.shutil, "disk_usage", lambda _folder: Disk)

    class Filling(Refusing):
        def serving(self, *_: object, **__: object) -> None:
            Disk.free = 1_000_000
            raise ProgramFailedError("pg_dump", 1)

    with pytest.raises(StoreUnavailableError, match="no_room_to_upgrade"):
        an_upgrade(folder, Filling()).fill(folder / "data/new", Path(), Filling())
    assert not (folder / "data/postgres.upgrade").exists()


class Refusing:
    """A runner that runs nothing."""

    def note(self, line: str) -> None: ...

    def tell(self, problem: Problem) -> None: ...

    def serving(self, *_: object, **__: object) -> None:
        raise AssertionError("a server was started")

    def run(self, *_: object, **__: object) -> None:
        raise AssertionError("a program was started")


def an_upgrade(folder: Path, runner: Refusing | None = None) -> Upgrade:
    access = Access("unix", folder, 5433, folder / "data/postgres.password")
    serve = (runner or Refusing()).serving
    return Upgrade(OlderCluster(folder / "data/postgres-16", 16, Path()), None, access, serve)  # type: ignore[arg-type]
