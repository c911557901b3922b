"""Claims about `titan doctor --security`: it says what was refused and what was not, in both languages."""

import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from tests.responders import taking
from titan_bus import Bus
from titan_desktop.commands import exit_codes, security, sentences
from titan_desktop.contracts.security import Act, Attempt, GetSecurity, Mechanism, Security


@contextlib.asynccontextmanager
async def index_that_finds(bus: Bus, *possible: Act) -> AsyncIterator[None]:
    """A core whose reading processes could do these things."""

    async def get_security(_: GetSecurity) -> Security:
        return Security(
            mechanisms=(
                Mechanism(name="seccomp", in_force=True, detail="x86_64"),
                Mechanism(name="landlock", in_force=not possible, detail="Function not implemented"),
            ),
            attempts=tuple(Attempt(act=act, refused=act not in possible) for act in Act),
        )

    async with taking(bus, "indexing", get_security):
        yield


async def test_what_is_not_refused_is_said_and_is_a_fault(
    bus: Bus, capsys: pytest.CaptureFixture[str]
) -> None:
    """The missing means stands there by name with the system's reason."""
    async with index_that_finds(bus, Act.READ_FILES):
        assert await security.run(bus, sentences.ENGLISH, json=False) == exit_codes.NOTHING
        english = capsys.readouterr().out
        assert await security.run(bus, sentences.RUSSIAN, json=False) == exit_codes.NOTHING
        russian = capsys.readouterr().out
    assert "- read another file      NOT REFUSED" in english
    assert "- use the network        refused" in english
    assert "In force: seccomp (x86_64)." in english
    assert "Missing on this machine: landlock (Function not implemented)." in english
    assert "прочитать чужой файл" in russian
    assert "НЕ ОТКАЗАНО" in russian


async def test_json_has_every_means_and_every_act(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    """One object; the status says whether all was refused."""
    async with index_that_finds(bus):
        assert await security.run(bus, sentences.ENGLISH, json=True) == exit_codes.DONE
    said = json.loads(capsys.readouterr().out)
    assert {one["act"]: one["refused"] for one in said["attempts"]} == dict.fromkeys(Act, True)
    assert [one["name"] for one in said["mechanisms"]] == ["seccomp", "landlock"]
