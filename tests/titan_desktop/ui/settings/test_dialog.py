"""The settings: what is typed is checked, saved, and said; a key never stays in the window."""

import asyncio
import sys

import pytest
from PySide6.QtWidgets import QWidget

from tests.titan_desktop.ui.window_core import until
from titan_desktop import settings
from titan_desktop.client import key_socket
from titan_desktop.settings import DEFAULT_BASE_URL, EmbedderSettings, ModelSettings, Settings, is_endpoint
from titan_desktop.system import processes
from titan_desktop.system.paths import Paths
from titan_desktop.ui.base.bridge import Bridge
from titan_desktop.ui.base.tasks import Tasks
from titan_desktop.ui.settings import key_store
from titan_desktop.ui.settings.dialog import OLLAMA_URL, Choice, SettingsDialog
from titan_desktop.ui.settings.folder_consent import FolderConsent
from titan_desktop.ui.settings.key_store import Keeping, Kept, Refusal, Trouble
from titan_desktop.ui.settings.presenter import SettingsPresenter


@pytest.fixture
def dialog(theme, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    yield SettingsDialog(Settings(), parent)
    parent.deleteLater()  # held until here: a dialog dies with its parent


def chosen(dialog: SettingsDialog) -> list[Choice]:
    said: list[Choice] = []
    dialog.chosen.connect(said.append)
    return said


def preset(dialog: SettingsDialog, name: str) -> None:
    dialog.preset.setCurrentIndex(dialog.preset.findData(name))


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://api.openai.com/v1", True),
        ("http://127.0.0.1:11434/v1", True),
        ("http://[::1]:8080/v1", True),
        ("https://модель.рф/v1", True),
        ("", False),
        ("api.openai.com/v1", False),
        ("ftp://a.b/v1", False),
        ("https://", False),
        ("http://host:99999", False),
        ("http://host:0", False),
        ("http://user:secret@host/v1", False),
        ("http://user:sec/ret@host/v1", False),
        ("https://host/v1?api-key=secret", False),
        ("https://host/v1#secret", False),
        ("http://a b/v1", False),
    ],
)
def test_addresses(address, good):
    """An endpoint is http or https with a host; a password or a key does not belong into an address."""
    assert is_endpoint(address) is good


def test_openai_needs_only_a_key(dialog):
    """OpenAI's own address and model stand as defaults; the key is handed on once."""
    said = chosen(dialog)
    dialog.key_rows.key.setText(" sk-secret ")
    dialog.save_button.click()
    assert said[0].settings == Settings()
    assert said[0].key == Kept(DEFAULT_BASE_URL, "sk-secret")
    assert "secret" not in repr(said[0])
    dialog.finish(said[0].settings)
    assert dialog.key_rows.key.text() == ""


def test_ollama_fills_the_address_and_asks_for_a_name(dialog):
    """The Ollama preset knows its address; a model without a name is not saved."""
    said = chosen(dialog)
    preset(dialog, "ollama")
    dialog.save_button.click()
    assert not said
    assert "name" in dialog._trouble.text()
    dialog.model_name.setText("llama3.2")
    dialog.embedder.choice.setCurrentIndex(dialog.embedder.choice.findData("server"))
    dialog.save_button.click()
    assert said[0].settings.model == ModelSettings(base_url=OLLAMA_URL, name="llama3.2")
    assert said[0].settings.embedder == EmbedderSettings(base_url=OLLAMA_URL, name="nomic-embed-text")


def test_the_embedder_is_built_in_until_another_is_chosen(dialog):
    """Its fields are for a server's alone, and the note says where passages go."""
    notes = set()
    for choice, name in (("none", "none"), ("built_in", "")):
        dialog.embedder.choice.setCurrentIndex(dialog.embedder.choice.findData(choice))
        assert not dialog.embedder.name.isVisibleTo(dialog)
        notes.add(dialog.embedder.note.text())
        typed = dialog._typed()
        assert typed.embedder == EmbedderSettings(name=name)
        dialog._show(typed)
        assert dialog.embedder.choice.currentData() == choice
    assert len(notes) == 2


def test_another_server_asks_for_its_address(dialog, qtbot):
    """Whoever chooses another server types its address next."""
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.show_model()
    assert dialog.focusWidget() is dialog.preset
    preset(dialog, "other")
    assert dialog.focusWidget() is dialog.base_url


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_field_that_takes_nothing_looks_like_it(dialog, theme, colours):
    """OpenAI's address cannot be changed, and its field has another ground than one that can."""
    theme.choose(colours)
    dialog.show_model()
    grounds = [
        field.grab().toImage().pixelColor(field.width() - 8, field.height() // 2)
        for field in (dialog.base_url, dialog.model_name)
    ]
    assert grounds[0] != grounds[1]


def test_a_wrong_address_is_refused_with_a_sentence(dialog):
    """The field that is wrong gets the focus and the person a sentence; nothing is saved."""
    said = chosen(dialog)
    preset(dialog, "other")
    dialog.base_url.setText("localhost:1234")
    dialog.save_button.click()
    assert not said
    assert "http://" in dialog._trouble.text()
    assert dialog.save_button.isEnabled()


def test_looks_change_at_once_and_come_back_on_cancel(dialog):
    """Theme and language are tried by choosing; Cancel takes them back."""
    said: list = []
    dialog.appearance_changed.connect(lambda *look: said.append(look))
    dialog.theme.setCurrentIndex(dialog.theme.findData("dark"))
    dialog.language.setCurrentIndex(dialog.language.findData("ru"))
    dialog.reject()
    assert said == [("system", "dark"), ("ru", "dark"), ("system", "system")]


def test_what_is_stored_is_shown(theme, qtbot):
    """Opening shows what was saved, preset and all."""
    parent = QWidget()
    qtbot.addWidget(parent)
    stored = Settings(theme="dark", model=ModelSettings(base_url="http://gpu:8000/v1", name="qwen"))
    dialog = SettingsDialog(stored, parent)
    assert dialog.preset.currentData() == "other"
    assert dialog._typed() == stored


@pytest.fixture
async def presenter(theme, qtbot, tmp_path):
    parent = QWidget()
    qtbot.addWidget(parent)
    faults: list = []
    tasks = Tasks(faults.append)
    paths = Paths(tmp_path, tmp_path / "data", tmp_path / "logs", tmp_path / "run")
    yield SettingsPresenter(paths, Settings(), parent, Bridge(), tasks)
    await tasks.close(5)
    assert not faults


async def test_saving_writes_the_file_and_closes(presenter, tmp_path):
    """Save writes the file, closes the dialog and says that it is done, also while the core is away."""
    done = asyncio.Event()
    presenter.saved.connect(done.set)
    presenter.open()
    presenter._dialog.theme.setCurrentIndex(2)
    presenter._dialog.save_button.click()
    await asyncio.wait_for(done.wait(), 30)
    assert settings.load(tmp_path / "settings.toml", {}).theme == "dark"
    assert presenter._dialog is None


async def test_a_folder_is_allowed_by_a_yes_to_its_own_name(presenter, tmp_path):
    """The question names the folder; what else the file says, written there by hand meanwhile, stays."""
    file = tmp_path / "settings.toml"
    file.write_text('theme = "dark"\n[folders]\nallowed = ["/srv/x"]\n', "utf-8")
    presenter.ask_for_folder("/home/anna/Desktop", "/home/anna")
    (question,) = presenter._window.findChildren(FolderConsent)
    assert "/home/anna?" in question.text()
    assert "/home/anna/Desktop" in question.informativeText()
    assert question.defaultButton() is not question.read_button
    done = asyncio.Event()
    presenter.saved.connect(done.set)
    question.read_button.click()
    await asyncio.wait_for(done.wait(), 30)
    stored = settings.load(file, {})
    assert (stored.theme, stored.folders.allowed) == ("dark", ("/srv/x", "/home/anna"))
    presenter.ask_for_folder("/home/anna/Desktop", "/home/anna")
    presenter._window.findChildren(FolderConsent)[-1].reject()
    assert settings.load(file, {}) == stored


async def test_a_folder_that_cannot_be_allowed_is_said(presenter, tmp_path):
    """Where the file cannot be written, the window tells why."""
    (tmp_path / "settings.toml").mkdir()
    said: list[str] = []
    presenter.failed.connect(said.append)
    presenter.ask_for_folder("/etc", "/etc")
    (question,) = presenter._window.findChildren(FolderConsent)
    question.read_button.click()
    await until(lambda: said, presenter.failed)
    assert said[0].startswith("The settings could not be saved: ")


async def test_what_a_command_wrote_meanwhile_is_kept(presenter, tmp_path):
    """`titan key set --environment`, or a line by hand: the dialog saves what it shows."""
    presenter.open()
    presenter._dialog.theme.setCurrentIndex(2)
    keys = settings.KeySettings(("http://127.0.0.1:4000",))
    settings.save(tmp_path / "settings.toml", Settings(theme="light", keys=keys))
    done = asyncio.Event()
    presenter.saved.connect(done.set)
    presenter._dialog.save_button.click()
    await asyncio.wait_for(done.wait(), 30)
    assert settings.load(tmp_path / "settings.toml", {}) == Settings(theme="dark", keys=keys)


async def test_a_model_is_connected_on_its_own_page(presenter):
    """Who wants to connect a model sees its fields at once, in a dialog that was open already, too."""
    for _ in range(2):
        presenter.open_model()
        assert presenter._dialog._tabs.currentWidget().isAncestorOf(presenter._dialog.key_rows.key)
        presenter._dialog._tabs.setCurrentIndex(0)
    presenter._dialog.reject()


async def test_a_file_that_cannot_be_written_keeps_the_dialog_open(presenter, tmp_path):
    """Where saving fails the person reads why, and their words stay."""
    (tmp_path / "settings.toml").mkdir()
    presenter.open()
    dialog = presenter._dialog
    dialog.key_rows.key.setText("sk-secret")
    dialog.save_button.click()
    await until(dialog._trouble.text, presenter.complained)
    assert dialog.key_rows.key.text() == "sk-secret"
    assert presenter._dialog is dialog


def refusing(monkeypatch: pytest.MonkeyPatch, *refusals: Refusal | None) -> list[Kept]:
    """Have keys refused, one after the other; return what was to be kept."""
    asked: list[Kept] = []

    async def keep(kept: Kept, _paths: Paths) -> Refusal | None:
        asked.append(kept)
        return refusals[len(asked) - 1]

    monkeypatch.setattr(key_store, "keep", keep)
    return asked


async def test_a_key_that_is_not_kept_saves_nothing(presenter, monkeypatch, tmp_path):
    """All or nothing: the model is not written without its key, and the faulty field is marked."""
    settings.save(tmp_path / "settings.toml", Settings(theme="dark"))
    refusing(monkeypatch, Refusal("This is no key."))
    presenter.open()
    dialog = presenter._dialog
    preset(dialog, "other")
    dialog.base_url.setText("http://gpu.lan/v1")
    dialog.model_name.setText("qwen")
    dialog.key_rows.key.setText("two words")
    dialog.save_button.click()
    await until(dialog._trouble.text, presenter.complained)
    assert dialog.key_rows.key.property("tone") == "danger"
    assert dialog.key_rows.key.accessibleDescription() == "This is no key."
    assert settings.load(tmp_path / "settings.toml", {}) == Settings(theme="dark")
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]
    dialog.key_rows.key.textEdited.emit("")
    assert not dialog.key_rows.key.property("tone")


async def test_without_a_keyring_there_is_a_way_on(presenter, monkeypatch, tmp_path):
    """Under a password, or until Titan ends; a wrong password marks its own field, and then it is saved."""
    no_keyring, wrong = Refusal("None.", Trouble.NO_KEYRING), Refusal("Not it.", Trouble.PASSWORD)
    asked = refusing(monkeypatch, no_keyring, wrong, None)
    presenter.open_model()
    dialog = presenter._dialog
    rows = dialog.key_rows
    assert rows.way.isHidden()
    rows.key.setText("sk-1")
    dialog.save_button.click()
    await until(dialog._trouble.text, presenter.complained)
    assert not rows.way.isHidden()
    assert rows.password.property("tone") == "danger"
    dialog.save_button.click()
    assert "password" in dialog._trouble.text()
    rows.password.setText("mine")
    dialog.save_button.click()
    await until(lambda: dialog._trouble.text() == "Not it.", presenter.complained)
    rows.way.setCurrentIndex(rows.way.findData(Keeping.RUN))
    assert rows.password.isHidden()
    done = asyncio.Event()
    presenter.saved.connect(done.set)
    dialog.save_button.click()
    await asyncio.wait_for(done.wait(), 30)
    assert [kept.how for kept in asked] == [Keeping.KEYRING, Keeping.PASSWORD, Keeping.RUN]
    assert asked[1].password == "mine"
    assert not {"sk-1", "mine"} & set(repr(asked).replace("'", " ").split())


CHILD = """
import sys, pathlib
given = sys.stdin.read()
pathlib.Path({path!r}).write_text(given + '|' + ' '.join(sys.argv[1:]))
print('titan key: ' + {words!r}, file=sys.stderr)
sys.exit({status})
"""


@pytest.mark.parametrize(
    ("status", "trouble"), [(0, None), (1, Trouble.KEY), (3, Trouble.NO_KEYRING), (4, Trouble.PASSWORD)]
)
async def test_the_key_goes_to_a_child_process_by_its_input(monkeypatch, tmp_path, status, trouble):
    """Key and password are on its standard input and in no argument; its complaint comes back as it is."""
    script = CHILD.format(path=str(tmp_path / "given"), words="It is locked.", status=status)
    monkeypatch.setattr(processes, "command", lambda *words: [sys.executable, "-c", script, *words])
    paths = Paths(tmp_path, tmp_path / "data", tmp_path / "logs", tmp_path / "run")
    refusal = await key_store.keep(Kept(OLLAMA_URL, "sk-1"), paths)
    assert refusal == (trouble and Refusal("It is locked.", trouble))
    assert (tmp_path / "given").read_text() == f"sk-1|key --endpoint {OLLAMA_URL} set"
    await key_store.keep(Kept(OLLAMA_URL, "sk-1", Keeping.PASSWORD, "my own"), paths)
    assert (tmp_path / "given").read_text() == f"sk-1\nmy own|key --endpoint {OLLAMA_URL} set --file"


async def test_a_key_for_this_run_goes_to_the_core(monkeypatch, tmp_path):
    """By its own socket; a core that is not there yet is told as that."""
    paths = Paths(tmp_path, tmp_path / "data", tmp_path / "logs", tmp_path / "run")
    kept = Kept(OLLAMA_URL, "sk-1", Keeping.RUN)
    refusal = await key_store.keep(kept, paths)
    assert "still starting" in refusal.sentence
    given: list = []

    async def give(_paths, what):
        given.append(what)
        return key_socket.Outcome.DONE

    monkeypatch.setattr(key_socket, "give", give)
    assert await key_store.keep(kept, paths) is None
    assert given == [key_socket.Hold(OLLAMA_URL, "sk-1")]
