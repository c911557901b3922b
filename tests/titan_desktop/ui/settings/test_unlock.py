"""The password of the keys' file: asked for once, tried by the core, and kept nowhere."""

import asyncio

import pytest
from PySide6.QtWidgets import QWidget

from tests.titan_desktop.ui.window_core import until
from titan_desktop.client import key_socket
from titan_desktop.client.key_socket import Outcome, Unlock
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.settings.unlock import UnlockPresenter


@pytest.fixture
async def presenter(theme, qtbot, tmp_path):
    parent = QWidget()
    qtbot.addWidget(parent)
    faults: list = []
    tasks = Tasks(faults.append)
    paths = Paths(tmp_path, tmp_path / "data", tmp_path / "logs", tmp_path / "run")
    yield UnlockPresenter(paths, parent, tasks)
    await tasks.close(5)
    assert not faults


async def test_a_wrong_password_is_told_and_the_right_one_closes(presenter, monkeypatch):
    """The field is marked until something else is typed; there is nothing to give while it is empty."""
    given: list[Unlock] = []
    outcomes = [Outcome.WRONG_PASSWORD, Outcome.DAMAGED, OSError(), Outcome.DONE]

    async def give(_paths, what):
        given.append(what)
        outcome = outcomes[len(given) - 1]
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    monkeypatch.setattr(key_socket, "give", give)
    presenter.open()
    presenter.open()
    dialog = presenter._dialog
    assert not dialog.unlock_button.isEnabled()
    closed = asyncio.Event()
    dialog.accepted.connect(closed.set)
    for told in ("not the password", "keys.json", "still starting"):
        dialog.password.setText("secret")
        dialog.password.textEdited.emit("secret")
        assert not dialog.password.property("tone")
        dialog.unlock_button.click()
        await until(lambda told=told: told in dialog._trouble.text(), presenter.refused)
        assert dialog.password.property("tone") == "danger"
    dialog.unlock_button.click()
    await asyncio.wait_for(closed.wait(), 30)
    assert presenter._dialog is None
    assert given == [Unlock("secret")] * 4
