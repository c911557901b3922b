"""The real window under whatever a person does, at random: nothing is raised, warned of, logged or left blank.

`--person-steps` and `--person-seed` ask for more steps, and for the very same ones again; the seed stands in the
test's name.
"""

import asyncio
import logging
import random
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale

from titan_bus import Bus, BusConfig
from titan_desktop import __version__
from titan_desktop.client.core_record import CoreRecord
from titan_desktop.client.link import CoreLink
from titan_desktop.client.watch import CoreState
from titan_desktop.contracts import chat, memory
from titan_desktop.contracts.streams import STREAMS
from titan_desktop.settings import Settings
from titan_desktop.system.paths import Paths, bundled
from titan_desktop.ui.base.translator import Translator
from titan_desktop.ui.conversations.model import ID_ROLE
from titan_desktop.ui.memory import presenter as remembering
from titan_desktop.ui.search import presenter as searching
from titan_desktop.ui.shell.main_window import MainWindow
from titan_desktop.ui.shell.session import Parts, Session
from titan_desktop.ui.shell.startup import StartupReport

from .answering_core import AnsweringCore
from .person import Person
from .window_core import answer, listed, question, until

LISTED = 40


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        options = metafunc.config.option
        given = options.person_seed
        metafunc.parametrize("seed", [getattr(options, "randomly_seed", 1) if given is None else given])


@pytest.fixture
async def core(clean_redis_url, seed):
    config = BusConfig(url=clean_redis_url, source="core@test", streams=STREAMS)
    async with Bus(config) as bus:
        made = AnsweringCore(bus, random.Random(seed + 1))
        made.conversations = [listed(f"c{number}", f"title {number}") for number in range(LISTED)]
        for conversation, length in (("c0", 90), ("c1", 2), ("c2", 30)):
            for number in range(length):
                name = 1_000 * int(conversation[1:]) + number
                text = f"answer {number} " + "words " * (number * 37 % 200)
                made.messages += [
                    question(name, conversation),
                    answer(name, text, chat.State.COMPLETE, conversation),
                ]
        made.memory.facts = [remembered(number) for number in range(60)]
        await made.serve()
        yield made


def remembered(number: int) -> memory.Fact:
    """One of what the core remembers: from its messages and others, proposals among them."""
    origin = memory.FromMessage(message_id=f"q{number * 3 % 120}", conversation_id="c0")
    return memory.Fact(
        id=f"f{number:02}", text=f"fact {number} " + "words " * (number % 40), subject="Anna", subject_id="anna",
        learned_at=f"2026-03-01T10:00:{number:02}.000Z", origin=origin if number % 3 else memory.ByPerson(),
        state=memory.FactState.PROPOSED if number % 4 == 0 else memory.FactState.HOLDS,
    )  # fmt: skip


@pytest.fixture
async def link(core, clean_redis_url):
    config = BusConfig(url=clean_redis_url, source=f"titan-window@v{__version__}", streams=STREAMS)
    bus = Bus(config)
    await bus.open()
    async with CoreLink(bus, CoreRecord(1, __version__, clean_redis_url), "window") as made:
        yield made


@pytest.fixture
async def session(link, theme, qapp, titan_home, monkeypatch):
    for pause in (searching, remembering):
        monkeypatch.setattr(pause, "PAUSE_MS", 0)
    window = MainWindow(theme, [Path("/home/anna/Downloads")])
    translator = Translator(qapp, bundled("i18n"), lambda: QLocale("en_GB"))
    translator.choose("en")
    paths = Paths.from_environment()
    paths.create()
    hook = sys.excepthook
    window.show()
    made = Session(Parts(qapp, window, theme, translator, paths, Settings(), "", StartupReport(), None))
    made._take_over_faults_and_signals()
    await made._restore()
    made._on_core(CoreState("up", link=link))
    await until(window.conversations.rowCount, window.conversations.modelReset)
    yield made
    await made.close()
    sys.excepthook = hook
    asyncio.get_running_loop().set_exception_handler(None)
    translator.choose("en")
    window.close_for_good()
    window.deleteLater()


def complaints(caplog) -> list[str]:
    return [
        record.getMessage() + (f"\n{caplog.handler.format(record)}" if record.exc_info else "")
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING
    ]


def look_at(session: Session) -> None:
    """What a person sees is a piece of the conversation without a hole."""
    view = session._parts.window.chat
    if not view.isVisible():
        return
    messages, model = view.messages, view.model
    shown = [(row, w) for row, w in sorted(messages._live.items()) if not w.isHidden()]
    assert len(messages._layout.heights) == model.rowCount()
    if not model.rowCount():
        assert not shown
        return
    assert shown, "nothing is shown of a conversation that has messages"
    rows = [row for row, _ in shown]
    assert rows == list(range(rows[0], rows[-1] + 1))
    for (row, widget), (_, following) in pairwise(shown):
        assert widget.message == model.message(row)
        assert following.y() == widget.y() + messages._layout.heights[row], "rows overlap, or leave a hole"
    assert shown[0][1].y() <= 20 or rows[0] == 0
    last = shown[-1][1]
    assert rows[-1] == model.rowCount() - 1 or last.y() + last.height() >= messages.viewport().height()


async def arrived(session: Session) -> None:
    """A question to the core has come and gone, and with it what was said before."""
    if session.bridge.is_connected:
        await session.bridge.ask(chat.ListConversations(limit=1))
    else:
        await asyncio.sleep(0)


class World:
    """What happens to a window without its person: answers grow, the core goes and comes back, looks change."""

    def __init__(self, session: Session, core: AnsweringCore, link: CoreLink, chance: random.Random) -> None:
        self._session = session
        self._core = core
        self._link = link
        self._chance = chance

    async def turn(self) -> str:
        """Let something happen, or nothing (""), and return what it was."""
        lot = self._chance.random()
        if not self._session.bridge.is_connected:
            if lot < 0.1:
                await self.core_comes()
                return "core comes"
        elif lot < 0.01:
            await self.core_goes()
            return "core goes"
        if lot < 0.02 and self._core.conversations:
            await self._core.delete(self._chance.choice(self._core.conversations).id)
            return "delete elsewhere"
        if lot < 0.025:
            self._session.dress(self._chance.choice(("en", "ru")), self._chance.choice(("light", "dark")))
            return "dress"
        if lot < 0.45 and self._core.growing():
            await self._core.grow()
            return "grow"
        return ""

    async def core_goes(self) -> None:
        self._session._on_core(CoreState("starting"))
        self._session.tasks.replace(asyncio.sleep(0), "read along")
        await until(lambda: not self._session.bridge.is_connected, self._session.bridge.disconnected)

    async def core_comes(self) -> None:
        if not self._session.bridge.is_connected:
            self._session._on_core(CoreState("up", link=self._link))
            await until(lambda: self._session.bridge.is_connected, self._session.bridge.connected)


@pytest.mark.timeout(3_000)
async def test_whatever_a_person_does_the_window_stands(
    session, core, link, caplog, qt_warnings, seed, request
):
    """After every step the window shows the conversation without a hole, and nobody has complained; in the end it
    shows what the core has stored.
    """
    chance = random.Random(seed)
    window = session._parts.window
    core.page_max = chance.choice((7, 1_000))
    person, world = Person(window, chance), World(session, core, link, chance)
    done: list[str] = []
    try:
        for _ in range(request.config.option.person_steps):
            done.append(await world.turn() or person.act())
            if chance.random() < 0.5:
                await arrived(session)
            else:
                await asyncio.sleep(0)
            assert not complaints(caplog), complaints(caplog)[0]
            assert not qt_warnings, qt_warnings
            look_at(session)
        await world.core_comes()
        await settle(session, core)
    except BaseException:
        print(f"seed {seed}, step {len(done)}: {' · '.join(done[-25:])}")
        raise
    assert not complaints(caplog), complaints(caplog)[0]


async def settle(session: Session, core: AnsweringCore) -> None:
    window = session._parts.window
    while core.growing():
        await core.grow()
    model, list_model = window.chat.model, window.conversations
    window.sidebar.filter.clear()

    def brief(messages: list[chat.Message]) -> list[tuple[object, ...]]:
        return [(one.id, one.state.value, one.attempt, len(one.text)) for one in messages[-4:]]

    def differs() -> str:
        shown = [model.message(row) for row in range(model.rowCount())]
        stored = core.stored(session.chat.conversation_id)
        listed = [list_model.index(row) for row in range(list_model.rowCount())]
        rows = sorted(str(row.data()) for row in listed if row.data(ID_ROLE))
        titles = sorted(held.title for held in core.conversations)
        if session.chat.is_loading:
            return "the conversation is being loaded"
        if shown != stored[len(stored) - len(shown) :] or (stored and not shown):
            return f"shown {brief(shown)}, stored {brief(stored)}"
        return "" if rows == titles else f"listed {rows}, stored {titles}"

    signals = (model.rowsInserted, model.dataChanged, model.modelReset, list_model.rowsInserted)
    try:
        await until(lambda: not differs(), *signals, list_model.rowsRemoved, list_model.dataChanged)
    except TimeoutError:
        raise AssertionError(differs()) from None
