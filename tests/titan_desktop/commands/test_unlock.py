"""A locked key is asked for in the terminal, and nobody else is kept waiting."""

import getpass
import io
import sys

import pytest

from tests.responders import a_status, system_service
from titan_bus import Bus
from titan_desktop.client import key_socket
from titan_desktop.client.key_socket import Outcome, Unlock
from titan_desktop.commands import sentences, unlock
from titan_desktop.contracts.problem import Code, Problem
from titan_desktop.system.paths import Paths

SAYS = sentences.ENGLISH
LOCKED = a_status(problems=(Problem(Code.KEYS_LOCKED),))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the core was given; "right" is the password."""
    given: list[str] = []

    async def give(_paths: Paths, what: Unlock) -> Outcome:
        given.append(what.password)
        return Outcome.DONE if what.password == "right" else Outcome.WRONG_PASSWORD

    monkeypatch.setattr(key_socket, "give", give)
    monkeypatch.setattr(sys, "stdin", Terminal())
    return given


@pytest.mark.parametrize(
    ("typed", "tried", "told"),
    [
        (["right"], ["right"], []),
        (["wrong", "right"], ["wrong", "right"], ["wrong_password"]),
        (["a", "b", "c", "right"], ["a", "b", "c"], ["wrong_password"] * 3 + ["locked"]),
        ([""], [], ["locked"]),
    ],
)
async def test_the_password_is_asked_for(
    bus: Bus,
    titan_home: object,
    given: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    tried: list[str],
    told: list[str],
) -> None:
    """Three times; who types nothing gets the answer that needs no model, and reads why."""
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: typed.pop(0))
    async with system_service(bus, LOCKED):
        await unlock.run(bus, Paths.from_environment(), SAYS)
    words = {"locked": f"titan: {sentences.for_problem(SAYS, Problem(Code.KEYS_LOCKED))}"}
    assert given == tried
    assert capsys.readouterr().err.splitlines() == [words.get(one) or SAYS[one] for one in told]


async def test_a_script_is_not_asked(
    bus: Bus, titan_home: object, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is anybody whose keys are open."""
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: pytest.fail("asked"))
    async with system_service(bus, a_status()):
        await unlock.run(bus, Paths.from_environment(), SAYS)
    monkeypatch.setattr(sys, "stdin", io.StringIO("piped"))
    async with system_service(bus, LOCKED):
        await unlock.run(bus, Paths.from_environment(), SAYS)
    assert given == []
