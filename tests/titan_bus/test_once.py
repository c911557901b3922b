"""Effects that happen once though their events come more often."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from titan_bus import Bus, BusConfig, BusUnavailableError, Event, acl, names
from titan_bus.connections.connection import Connection
from titan_bus.errors import OnceMisusedError
from titan_bus.once import PostgresOnce, RedisOnce

from .conftest import Recorder, Server, settled, until

BILLS = "CREATE TABLE bills (number int NOT NULL)"


@pytest.fixture
async def pool(empty_database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(empty_database_url, min_size=2, max_size=20) as pool:
        await PostgresOnce("billing").create_table(pool)
        await pool.execute(BILLS)
        yield pool


class Billing:
    """A handler with an effect in PostgreSQL. `die` ends a delivery at a place, as a program's end would."""

    def __init__(self, pool: asyncpg.Pool, die: str = "") -> None:
        self.pool = pool
        self.once = PostgresOnce("billing")
        self.deliveries = 0
        self.die = die

    async def __call__(self, event: Event) -> None:
        self.deliveries += 1
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                if await self.once.first(connection, event.event_id):
                    await connection.execute(
                        "INSERT INTO bills VALUES ($1)", event.payload_as(dict)["number"]
                    )
                if self.die == "before the commit":
                    raise ConnectionResetError
            if self.die == "after the commit":
                raise ConnectionResetError


async def bills(pool: asyncpg.Pool) -> list[int]:
    return [row["number"] for row in await pool.fetch("SELECT number FROM bills ORDER BY number")]


@pytest.mark.parametrize("place", ["before the commit", "after the commit"])
async def test_a_failure_at_any_place_leaves_one_row(
    bus: Bus, raw: Connection, topic: str, pool: asyncpg.Pool, place: str
) -> None:
    """A handler that fails before or after its commit, and is tried again, has its effect once."""
    billing = Billing(pool, die=place)

    async def handler(event: Event) -> None:
        billing.die = place if event.meta.retries < 2 else ""
        await billing(event)

    await bus.subscribe(topic, "billing", handler)
    await bus.publish(topic, "order_placed", {"number": 7})
    await until(lambda: billing.deliveries == 3, "three deliveries")
    await settled(raw, names.retries_of("billing", topic), "billing")
    assert await bills(pool) == [7]


async def test_a_server_killed_before_the_acknowledgement_leaves_one_row(
    server: Server, topic: str, pool: asyncpg.Pool
) -> None:
    """The effect is committed, the server dies with the acknowledgement, the event comes again: one row."""
    config = BusConfig(url=server.url, drain_s=0.2, patience_s=0.2)
    billing = Billing(pool)

    async def killed_midway(event: Event) -> None:
        await billing(event)
        server.kill()
        await asyncio.Event().wait()

    async with Bus(config) as bus:
        await bus.publish(topic, "order_placed", {"number": 7})
        await bus.subscribe(topic, "billing", killed_midway)
        await until(lambda: bills_are(pool, [7]), "the committed row")
        await until(lambda: not bus.connected, "the server's end")
    server.start()
    bus = Bus(config)
    await until(lambda: opens(bus), "the server's data")
    await bus.subscribe(topic, "billing", billing)
    await until(lambda: billing.deliveries == 2, "the second delivery")
    await settled(bus._connection, names.stream_of(topic), "billing")
    await bus.close()
    assert await bills(pool) == [7]


async def opens(bus: Bus) -> bool:
    """Whether the server serves; while it loads its data it does not."""
    try:
        await bus.open()
    except BusUnavailableError:
        return False
    return True


async def bills_are(pool: asyncpg.Pool, numbers: list[int]) -> bool:
    return await bills(pool) == numbers


@pytest.mark.by_url
async def test_many_deliveries_at_once_leave_one_row(pool: asyncpg.Pool) -> None:
    """Consumers that race for one event write one row; every one of them comes to an end."""
    once = PostgresOnce("billing")
    firsts = 0

    async def deliver() -> None:
        nonlocal firsts
        async with pool.acquire() as connection, connection.transaction():
            if await once.first(connection, "01E"):
                firsts += 1
                await connection.execute("INSERT INTO bills VALUES (7)")
                await asyncio.sleep(0)  # the others stand before the mark meanwhile

    await asyncio.gather(*(deliver() for _ in range(20)))
    assert (firsts, await bills(pool)) == (1, [7])


async def test_a_second_consumer_does_the_effect_that_the_first_one_rolled_back(pool: asyncpg.Pool) -> None:
    """Who waits for a mark whose transaction is rolled back is the first."""
    once = PostgresOnce("billing")
    async with pool.acquire() as one, pool.acquire() as other:
        transaction = one.transaction()
        await transaction.start()
        assert await once.first(one, "01E")

        async def second() -> bool:
            async with other.transaction():
                return await once.first(other, "01E")

        waiting = asyncio.create_task(second())
        await until(lambda: waits_for_a_lock(pool), "the second one at the mark")
        await transaction.rollback()
        assert await waiting


async def test_a_mark_goes_with_its_savepoint(pool: asyncpg.Pool) -> None:
    """Rolled back to a savepoint, mark and effect are both gone, and the same transaction may do it again."""
    once = PostgresOnce("billing")
    async with pool.acquire() as connection, connection.transaction():
        savepoint = connection.transaction()
        await savepoint.start()
        assert await once.first(connection, "01E")
        await connection.execute("INSERT INTO bills VALUES (7)")
        await savepoint.rollback()
        for _ in range(2):
            async with connection.transaction():
                if await once.first(connection, "01E"):
                    await connection.execute("INSERT INTO bills VALUES (8)")
    assert await bills(pool) == [8]


async def waits_for_a_lock(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


async def test_a_mark_outside_a_transaction_is_refused(pool: asyncpg.Pool) -> None:
    """Without a transaction the mark would stay when the effect fails: `first` says so and marks nothing."""
    async with pool.acquire() as connection:
        with pytest.raises(OnceMisusedError, match="transaction"):
            await PostgresOnce("billing").first(connection, "01E")
    assert await pool.fetchval("SELECT count(*) FROM titan_bus_once") == 0


async def test_scopes_are_apart_and_old_marks_go(pool: asyncpg.Pool) -> None:
    """Two effects of an event have a mark each; pruning takes one scope's marks of an age, no others."""
    billing, mailing = PostgresOnce("billing"), PostgresOnce("mailing")
    async with pool.acquire() as connection:
        async with connection.transaction():
            assert await billing.first(connection, "01E")
            assert await mailing.first(connection, "01E")
            assert not await billing.first(connection, "01E")
        assert await billing.prune(connection, 3600) == 0
        await connection.execute("UPDATE titan_bus_once SET marked_at = now() - interval '2 hours'")
        assert await billing.prune(connection, 3600) == 1
        async with connection.transaction():
            assert not await mailing.first(connection, "01E")
            assert await billing.first(connection, "01E")


async def test_a_table_is_made_by_many_at_once(pool: asyncpg.Pool) -> None:
    """Programs that start together make the table once, and none of them fails; the DDL alone makes the same."""
    once = PostgresOnce("billing", "marks")
    await asyncio.gather(*(once.create_table(pool) for _ in range(10)))
    await pool.execute(once.ddl)
    async with pool.acquire() as connection, connection.transaction():
        assert await once.first(connection, "01E")


@pytest.mark.parametrize("table", ["", "a;b", "A", "a.b.c", 'a"', "1a"])
def test_a_table_that_is_no_name_is_refused(table: str) -> None:
    """What becomes part of a statement is a name and nothing else."""
    with pytest.raises(ValueError, match="table's name"):
        PostgresOnce("billing", table)


@pytest.mark.by_url
async def test_what_is_done_is_not_done_again(bus: Bus, topic: str) -> None:
    """The second delivery of an event finds the mark of the first."""
    once = bus.once(topic)
    async with once.guard("01E") as first:
        assert first
    async with once.guard("01E") as first:
        assert not first
    async with once.guard("01F") as first:
        assert first


async def test_no_two_scopes_share_a_mark(bus: Bus) -> None:
    """A colon in a scope could make two scopes one: it is refused, with the cure, by guards and by rights."""
    with pytest.raises(ValueError, match=r"write a dot, as in 'billing\.mail'"):
        bus.once("billing:mail")
    with pytest.raises(ValueError, match="no colon"):
        acl.rules("s", None, once=["billing:mail"])


async def test_two_consumers_do_it_one_at_a_time_and_once(bus: Bus, topic: str) -> None:
    """Who comes while another one is at it waits, and then has nothing to do."""
    running: list[int] = []
    effects = 0

    async def deliver(guard: RedisOnce) -> None:
        nonlocal effects
        async with guard.guard("01E") as first:
            if first:
                running.append(1)
                assert len(running) == 1
                await asyncio.sleep(0.01)
                effects += 1
                running.pop()

    async with asyncio.timeout(5):
        await asyncio.gather(*(deliver(bus.once(topic)) for _ in range(10)))
    assert effects == 1


async def test_what_failed_is_tried_by_the_next(bus: Bus, topic: str) -> None:
    """A block that raises, or is cancelled, gives its mark back at once."""
    once = bus.once(topic)
    with pytest.raises(ZeroDivisionError):
        async with once.guard("01E"):
            raise ZeroDivisionError

    async def endless() -> None:
        async with once.guard("01E"):
            begun.set()
            await asyncio.Event().wait()

    begun = asyncio.Event()
    task = asyncio.create_task(endless())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    async with asyncio.timeout(1), once.guard("01E") as first:
        assert first


async def test_who_is_cancelled_while_it_asks_leaves_no_mark(bus: Bus, raw: Connection, topic: str) -> None:
    """A guard that is cancelled before the server answers gives back what the server gives it then."""
    once = bus.once(topic)
    task = asyncio.create_task(once.guard("01E").__aenter__())
    await asyncio.sleep(0)  # it has asked
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await bus._connection.drain()
    assert await raw.call("EXISTS", names.once_of(topic, "01E")) == 0


async def test_who_waits_for_another_takes_no_mark_of_its(bus: Bus, raw: Connection, topic: str) -> None:
    """A guard that is cancelled while another one holds the mark leaves it there."""
    once = bus.once(topic)
    async with once.guard("01E") as first:
        assert first
        held = await raw.call("GET", names.once_of(topic, "01E"))
        task = asyncio.create_task(once.guard("01E").__aenter__())
        await bus._connection.call("PING")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await bus._connection.drain()
        assert await raw.call("GET", names.once_of(topic, "01E")) == held


async def test_the_mark_of_the_dead_runs_out_and_that_of_the_living_does_not(
    bus: Bus, raw: Connection, topic: str
) -> None:
    """A holder that died is waited for no longer than its lease; one that lives is waited for on and on."""
    await raw.call("SET", names.once_of(topic, "dead"), "its token", "PX", 100)
    once = bus.once(topic, lease_s=0.15)
    async with asyncio.timeout(2), once.guard("dead") as first:
        assert first
        other = asyncio.create_task(once.guard("dead").__aenter__())
        done, _ = await asyncio.wait([other], timeout=0.4)  # more than two leases
        assert not done
    assert await other is False


async def test_a_redelivered_event_is_mailed_once(bus: Bus, raw: Connection, topic: str) -> None:
    """Through the bus: an effect whose handler fails after it, and is tried again, is not repeated."""
    mails: list[str] = []
    once = bus.once(topic)

    async def mail(event: Event) -> None:
        async with once.guard(event.event_id) as first:
            if first:
                mails.append(event.event_id)
        if event.meta.retries < 2:
            raise ConnectionResetError

    recorder = Recorder(mail)
    await bus.subscribe(topic, "mailing", recorder)
    event_id = await bus.publish(topic, "order_placed", {})
    await recorder.wait_for(3)
    assert mails == [event_id]
