"""`titan memory` against the service itself, with facts in a real store."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from titan_bus import Bus
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.erasures import PostgresErasures
from titan_desktop.adapters.postgres.facts import PostgresFacts, PostgresMemoryErasures
from titan_desktop.commands import arguments, exit_codes, memory, sentences
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.ports.graph import OpenGraph
from titan_desktop.services.facts import FactsService
from titan_desktop.services.forgetting import ForgettingService

Titan = Callable[..., Awaitable[int]]


@pytest.fixture
async def titan(bus: Bus, database: Database) -> AsyncIterator[Titan]:
    """Run a command as it is typed, and return its status."""

    async def run(*typed: str, says: sentences.Table = sentences.ENGLISH) -> int:
        options = arguments.parser().parse_args(["memory", *typed])
        return await memory.run(bus, options, " ".join(getattr(options, "words", ())), says)

    facts = FactsService(bus, PostgresFacts(database), OpenGraph())
    forgetting = ForgettingService(bus, PostgresErasures(database), PostgresMemoryErasures(database))
    async with serving(bus, Chain(), facts), serving(bus, Chain(), forgetting):
        yield run


async def test_a_fact_is_remembered_found_corrected_explained_and_forgotten(
    titan: Titan, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command says what was done, forgetting with its receipt; the list has the ids that the others take."""
    assert await titan("remember", "I live in Berlin", "--since", "2020-05-01") == exit_codes.DONE
    fact_id = capsys.readouterr().out.rsplit("(", 1)[1].strip(")\n")
    assert await titan("correct", fact_id, "I live in Bern") == exit_codes.DONE
    assert await titan("list", "live") == exit_codes.DONE
    corrected, line = capsys.readouterr().out.splitlines()
    assert corrected.startswith("Corrected: I live in Bern")
    assert line.endswith("2020-05-01  I live in Bern")
    bern = line.split()[0]
    assert await titan("pin", bern) == exit_codes.DONE
    assert await titan("explain", bern) == exit_codes.DONE
    said = capsys.readouterr().out
    assert "From: you wrote it to Titan" in said
    assert f"{fact_id}  2020-05-01  I live in Berlin  (corrected)" in said
    assert await titan("list", "--as-of", "2019-01-01") == exit_codes.NOTHING
    assert await titan("forget", bern, says=sentences.RUSSIAN) == exit_codes.DONE
    said = capsys.readouterr().out
    assert said.startswith("Забыто.")
    assert "От него не осталось ни байта. Стёрто: база данных (" in said
    assert await titan("list") == await titan("explain", bern) == exit_codes.NOTHING


async def test_json_has_what_scripts_need_and_what_is_known_is_said_so(
    titan: Titan, capsys: pytest.CaptureFixture[str]
) -> None:
    """One value a command; to remember the same twice is no failure."""
    assert await titan("remember", "Ключ под ковром", "--json") == exit_codes.DONE
    assert await titan("remember", "ключ под ковром!", "--json") == exit_codes.DONE
    assert await titan("list", "--json") == exit_codes.DONE
    learned, known, (listed,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (learned["type"], known["reason"]) == ("fact_learned", "known")
    assert learned["fact"]["id"] == listed["id"] == known["known_id"]
    assert await titan("pin", "nothing") == exit_codes.NOTHING
