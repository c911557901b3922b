"""The settings as a dialog: it shows a `Settings`, checks what is typed, and emits what was chosen."""

from dataclasses import dataclass
from typing import get_args

import msgspec
from PySide6.QtCore import QEvent, QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from titan_desktop.settings import (
    DEFAULT_BASE_URL,
    DEFAULT_MODEL,
    ModelSettings,
    Place,
    Settings,
    StoreSettings,
    is_endpoint,
)
from titan_desktop.ui.base.theme import set_tone
from titan_desktop.ui.settings.dialog_height import grow
from titan_desktop.ui.settings.embedder_rows import OLLAMA_URL, EmbedderRows
from titan_desktop.ui.settings.key_rows import KeyRows
from titan_desktop.ui.settings.key_store import Kept, Refusal, Trouble

_LANGUAGES = ("system", "ru", "en")
_THEMES = ("system", "light", "dark")
_PRESETS = ("openai", "ollama", "other")
_STORES = ("redis", "postgres", "graph")
_MODEL_PAGE = 1


@dataclass(frozen=True)
class Choice:
    """What the person wants. `key` is None when the stored one stays; it is never kept anywhere in the window."""

    settings: Settings
    key: Kept | None


class SettingsDialog(QDialog):
    """Language, theme, model, vectors and stores. Window-modal, opened with `open()`."""

    appearance_changed = Signal(str, str)
    """Language and theme, at once: a look is chosen by looking. Cancelling brings the former ones back."""
    chosen = Signal(object)
    """A `Choice` that is to be saved; `finish`, `complain` or `refuse_key` answers it."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self._tabs = QTabWidget(self)
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self._labels: dict[str, QLabel] = {}
        self._make_fields()
        self._tabs.addTab(self._general_page(), "")
        self._tabs.addTab(self._model_page(), "")
        self._tabs.addTab(self._stores_page(), "")
        self._trouble = QLabel(self)
        self._trouble.setProperty("tone", "danger")
        self._trouble.setWordWrap(True)
        self._trouble.hide()
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.save_button = self._buttons.button(QDialogButtonBox.StandardButton.Save)
        set_tone(self.save_button, "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addWidget(self._tabs, 1)
        column.addWidget(self._trouble)
        column.addWidget(self._buttons)
        self.resize(560, 520)
        self._show(settings)
        self._retranslate()
        self._connect()

    def show_model(self) -> None:
        """Turn to the page of the model."""
        self._tabs.setCurrentIndex(_MODEL_PAGE)
        self.preset.setFocus()

    # How it is built

    def _make_fields(self) -> None:
        self.language = _combo(self, _LANGUAGES)
        self.theme = _combo(self, _THEMES)
        self.preset = _combo(self, _PRESETS)
        self.base_url = QLineEdit(self)
        self.model_name = QLineEdit(self)
        self.places = {store: _combo(self, get_args(Place)) for store in _STORES}

    def _general_page(self) -> QWidget:
        page, form = _page(self._tabs)
        self._row(form, "language", self.language)
        self._row(form, "theme", self.theme)
        return page

    def _model_page(self) -> QWidget:
        page, form = _page(self._tabs)
        self._row(form, "preset", self.preset)
        self._row(form, "base_url", self.base_url)
        self._row(form, "model_name", self.model_name)
        self.key_rows = KeyRows(form, self)
        self.embedder = EmbedderRows(form, self)
        return page

    def _stores_page(self) -> QWidget:
        page, form = _page(self._tabs)
        self._note(form, "stores_note")
        for store, place in self.places.items():
            self._row(form, store, place)
        self._note(form, "places_note")
        return page

    def _row(self, form: QFormLayout, name: str, field: QWidget) -> None:
        label = QLabel(self)
        label.setBuddy(field)
        label.setMinimumHeight(field.sizeHint().height())  # so that label and field stand on one line
        self._labels[name] = label
        form.addRow(label, field)

    def _note(self, form: QFormLayout, name: str) -> None:
        label = QLabel(self)
        label.setWordWrap(True)
        label.setProperty("tone", "muted")
        self._labels[name] = label
        form.addRow(label)

    def _connect(self) -> None:
        self.language.currentIndexChanged.connect(self._say_appearance)
        self.theme.currentIndexChanged.connect(self._say_appearance)
        self.preset.currentIndexChanged.connect(self._take_preset)
        self.embedder.changed.connect(lambda: grow(self))
        self._buttons.accepted.connect(self._save)
        self._buttons.rejected.connect(self.reject)
        for field in self._checked_fields():
            field.textEdited.connect(self._unmark)
        self.rejected.connect(
            lambda: self.appearance_changed.emit(self._settings.language, self._settings.theme)
        )

    # What it shows

    def _show(self, settings: Settings) -> None:
        _choose(self.language, settings.language)
        _choose(self.theme, settings.theme)
        with QSignalBlocker(self.preset):
            _choose(self.preset, _preset_of(settings.model))
        self.base_url.setText(settings.model.base_url)
        self.model_name.setText(settings.model.name)
        self.embedder.show(settings.embedder)
        for store, place in self.places.items():
            _choose(place, getattr(settings.stores, store))
        self._enable_fields()

    def _take_preset(self) -> None:
        preset = self.preset.currentData()
        self._enable_fields()
        if preset == "openai":
            self.base_url.setText("")
            self.model_name.setText("")
        elif preset == "ollama":
            self.base_url.setText(OLLAMA_URL)
            self.model_name.setText("")
        else:
            self.base_url.setFocus()

    def _enable_fields(self) -> None:
        preset = self.preset.currentData()
        self.base_url.setEnabled(preset != "openai")
        self.base_url.setPlaceholderText(DEFAULT_BASE_URL if preset == "openai" else "http://…/v1")
        self.model_name.setPlaceholderText(DEFAULT_MODEL if preset == "openai" else "llama3.2")
        self.embedder.suggest(is_ollama=preset == "ollama")

    def _say_appearance(self) -> None:
        self.appearance_changed.emit(self.language.currentData(), self.theme.currentData())

    # What it takes

    def _save(self) -> None:
        trouble, field = self._first_trouble()
        if field is not None:
            self.complain(trouble, field)
            return
        self.complain("")
        self.save_button.setEnabled(False)
        typed = self._typed()
        self.chosen.emit(Choice(typed, self.key_rows.kept(typed.model.base_url or DEFAULT_BASE_URL)))

    def _first_trouble(self) -> tuple[str, QLineEdit | None]:
        preset = self.preset.currentData()
        if preset != "openai" and not is_endpoint(self.base_url.text()):
            return self._address_sentence(), self.base_url
        if preset != "openai" and not self.model_name.text().strip():
            return self.tr("The model needs a name, such as llama3.2."), self.model_name
        if self.key_rows.is_password_missing():
            return self.tr("Set a password for the key."), self.key_rows.password
        if (field := self.embedder.wrong_address()) is not None:
            return self._address_sentence(), field
        return "", None

    def _address_sentence(self) -> str:
        return self.tr(
            "The address must begin with http:// or https:// and name a server, as in {example}. A user, a"
            " password or a key does not belong there: the key has its own field."
        ).format(example=OLLAMA_URL)

    def _typed(self) -> Settings:
        openai = self.preset.currentData() == "openai"
        model = ModelSettings(
            base_url="" if openai else self.base_url.text().strip(), name=self.model_name.text().strip()
        )
        return msgspec.structs.replace(
            self._settings,
            language=self.language.currentData(),
            theme=self.theme.currentData(),
            model=model,
            embedder=self.embedder.typed(),
            stores=StoreSettings(**{store: place.currentData() for store, place in self.places.items()}),
        )

    def finish(self, saved: Settings) -> None:
        """It is saved: close."""
        self._settings = saved
        self.key_rows.clear()
        self.accept()

    def complain(self, sentence: str, field: QWidget | None = None) -> None:
        """Show why nothing is saved, mark the field that has to be corrected, and let the person try again."""
        self._unmark()
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))
        self.save_button.setEnabled(True)
        if field is not None:
            self._tabs.setCurrentIndex(_MODEL_PAGE)
            set_tone(field, "danger")
            field.setAccessibleDescription(sentence)
            field.setFocus()
        grow(self)

    def refuse_key(self, refusal: Refusal) -> None:
        """Show why the key is not kept, and the other ways where there is no keyring."""
        if refusal.trouble is Trouble.NO_KEYRING:
            field = self.key_rows.offer()
            self.complain(refusal.sentence if field is self.key_rows.key else self._no_keyring(), field)
        else:
            is_password = refusal.trouble is Trouble.PASSWORD
            self.complain(refusal.sentence, self.key_rows.password if is_password else self.key_rows.key)

    def _no_keyring(self) -> str:
        return self.tr(
            "The system's keyring cannot be used. Unlock or install one, or keep the key another way."
        )

    def _checked_fields(self) -> tuple[QLineEdit, ...]:
        rows = self.key_rows
        return (
            self.base_url,
            self.model_name,
            self.embedder.name,
            self.embedder.url,
            rows.key,
            rows.password,
        )

    def _unmark(self) -> None:
        for field in self._checked_fields():
            if field.property("tone"):
                set_tone(field, "")
                field.setAccessibleDescription("")

    # What it says

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Settings"))
        for number, title in enumerate((self.tr("General"), self.tr("Model"), self.tr("Stores"))):
            self._tabs.setTabText(number, title)
        for name, words in self._words().items():
            self._labels[name].setText(words)
        self.key_rows.retranslate()
        self.embedder.retranslate()
        _name(self.language, (self.tr("Match system"), "Русский", "English"))
        _name(self.theme, (self.tr("Match system"), self.tr("Light"), self.tr("Dark")))
        _name(self.preset, (self.tr("OpenAI"), self.tr("Ollama on this computer"), self.tr("Another server")))
        for place in self.places.values():
            _name(place, (self.tr("Built in"), self.tr("Docker"), self.tr("By address")))
        self.save_button.setText(self.tr("Save"))
        self._buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(self.tr("Cancel"))

    def _words(self) -> dict[str, str]:
        return {
            "language": self.tr("Language"),
            "theme": self.tr("Theme"),
            "preset": self.tr("Model"),
            "base_url": self.tr("Address"),
            "model_name": self.tr("Name"),
            "stores_note": self.tr(
                "Where Titan keeps what it knows. A change takes effect at the next start."
            ),
            "redis": self.tr("Transport (Redis)"),
            "postgres": self.tr("Documents (PostgreSQL)"),
            "graph": self.tr("Graph"),
            "places_note": self.tr(
                "“By address” reads TITAN_REDIS_URL, TITAN_POSTGRES_URL and TITAN_NEO4J_URL from the environment."
            ),
        }

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()


def _page(parent: QWidget) -> tuple[QWidget, QFormLayout]:
    page = QWidget(parent)
    form = QFormLayout(page)
    form.setContentsMargins(0, 16, 0, 8)
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(12)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return page, form


def _combo(parent: QWidget, values: tuple[str, ...]) -> QComboBox:
    combo = QComboBox(parent)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for value in values:
        combo.addItem(value, value)
    return combo


def _choose(combo: QComboBox, value: str) -> None:
    combo.setCurrentIndex(combo.findData(value))


def _name(combo: QComboBox, names: tuple[str, ...]) -> None:
    for row, name in enumerate(names):
        combo.setItemText(row, name)


def _preset_of(model: ModelSettings) -> str:
    if model.base_url in ("", DEFAULT_BASE_URL):
        return "openai"
    return "ollama" if model.base_url == OLLAMA_URL else "other"
