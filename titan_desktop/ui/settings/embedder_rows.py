"""The settings' rows about search by meaning: whose embedding model, and for a server's its name and address."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from titan_desktop.settings import DEFAULT_BASE_URL, NO_EMBEDDER, EmbedderSettings, is_endpoint

OLLAMA_URL = "http://127.0.0.1:11434/v1"
_CHOICES = ("built_in", "server", "none")


class EmbedderRows(QObject):
    """Three rows in a form and a note. Name and address are shown while a server's model is chosen."""

    changed = Signal()
    """Rows have come or gone."""

    def __init__(self, form: QFormLayout, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self._is_ollama = False
        self.choice = QComboBox(parent)
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for choice in _CHOICES:
            self.choice.addItem("", choice)
        self.name = QLineEdit(parent)
        self.url = QLineEdit(parent)
        self._labels = {field: QLabel(parent) for field in (self.choice, self.name, self.url)}
        self.note = QLabel(parent)
        self.note.setWordWrap(True)
        self.note.setProperty("tone", "muted")
        for field, label in self._labels.items():
            label.setBuddy(field)
            label.setMinimumHeight(field.sizeHint().height())
            form.addRow(label, field)
        form.addRow(self.note)
        self.choice.currentIndexChanged.connect(self._show_rows)
        self._show_rows()

    def show(self, chosen: EmbedderSettings) -> None:
        """Show what is chosen."""
        choice = "none" if chosen.name == NO_EMBEDDER else "server" if chosen.name else "built_in"
        self.choice.setCurrentIndex(self.choice.findData(choice))
        self.name.setText(chosen.name if choice == "server" else "")
        self.url.setText(chosen.base_url)

    def suggest(self, *, is_ollama: bool) -> None:
        """Take what goes with the chat model's server where nothing is typed."""
        self._is_ollama = is_ollama
        self.name.setPlaceholderText("nomic-embed-text" if is_ollama else "text-embedding-3-large")
        self.url.setPlaceholderText(OLLAMA_URL if is_ollama else DEFAULT_BASE_URL)

    def wrong_address(self) -> QLineEdit | None:
        """Return the field of an address that cannot be one."""
        url = self.url.text().strip()
        return self.url if self._is_server and url and not is_endpoint(url) else None

    def typed(self) -> EmbedderSettings:
        """Return what is chosen and typed."""
        if not self._is_server:
            return EmbedderSettings(name=NO_EMBEDDER if self.choice.currentData() == "none" else "")
        return EmbedderSettings(
            base_url=self.url.text().strip() or (OLLAMA_URL if self._is_ollama else ""),
            name=self.name.text().strip() or self.name.placeholderText(),
        )

    @property
    def _is_server(self) -> bool:
        return bool(self.choice.currentData() == "server")

    def _show_rows(self) -> None:
        for field in (self.name, self.url):
            self._form.setRowVisible(field, self._is_server)
        self.note.setText(self._about())
        self.changed.emit()

    def _about(self) -> str:
        match self.choice.currentData():
            case "built_in":
                return self.tr("It runs on this computer and sends nothing anywhere.")
            case "server":
                return self.tr(
                    "Then every passage of your files is sent to this address. With Ollama it stays on this"
                    " computer. With any other address it leaves this computer."
                )
        return self.tr("Then search goes by words alone.")

    def retranslate(self) -> None:
        """Update the texts in the current language."""
        self._labels[self.choice].setText(self.tr("Search by meaning"))
        self._labels[self.name].setText(self.tr("Embedding model"))
        self._labels[self.url].setText(self.tr("Address"))
        names = (self.tr("Built-in model"), self.tr("A model server"), self.tr("Off"))
        for row, words in enumerate(names):
            self.choice.setItemText(row, words)
        self.note.setText(self._about())
