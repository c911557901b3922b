"""The settings' rows about the key: the key itself and, where there is no keyring, another way to keep it."""

import sys

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from titan_desktop.ui.settings.key_store import Keeping, Kept

_WAYS = (Keeping.PASSWORD, Keeping.RUN)


class KeyRows(QObject):
    """Three rows in a form. The last two are shown once the keyring has refused a key."""

    def __init__(self, form: QFormLayout, parent: QWidget) -> None:
        super().__init__(parent)
        self._form = form
        self.key = _secret(parent)
        self.way = QComboBox(parent)
        self.way.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for way in _WAYS:
            self.way.addItem("", way)
        self.password = _secret(parent)
        self._labels = {field: QLabel(parent) for field in (self.key, self.way, self.password)}
        self._note = QLabel(parent)
        self._note.setWordWrap(True)
        self._note.setProperty("tone", "muted")
        for field in (self.key, self.way, self.password):
            label = self._labels[field]
            label.setBuddy(field)
            label.setMinimumHeight(field.sizeHint().height())
            form.addRow(label, field)
        form.addRow(self._note)
        self._offered = False
        self.way.currentIndexChanged.connect(self._show_rows)
        self._show_rows()

    def offer(self) -> QWidget:
        """Show the other ways, which Windows has not; return the field that is to be filled next."""
        self._offered = sys.platform != "win32"
        self._show_rows()
        return self.password if self._offered and self._way is Keeping.PASSWORD else self.key

    def kept(self, base_url: str) -> Kept | None:
        """Return the key that is typed and how it is to be kept; None when the stored one stays."""
        key = self.key.text().strip()
        return Kept(base_url, key, self._way, self.password.text()) if key else None

    def is_password_missing(self) -> bool:
        """Return whether a key is to be kept under a password that is not typed."""
        return bool(self.key.text().strip()) and self._way is Keeping.PASSWORD and not self.password.text()

    def clear(self) -> None:
        """Forget what was typed."""
        self.key.clear()
        self.password.clear()

    @property
    def _way(self) -> Keeping:
        way = self.way.currentData() if self._offered else None
        return way if isinstance(way, Keeping) else Keeping.KEYRING

    def _show_rows(self) -> None:
        self._form.setRowVisible(self.way, self._offered)
        self._form.setRowVisible(self.password, self._way is Keeping.PASSWORD)
        self._note.setText(self._about())

    def _about(self) -> str:
        match self._way:
            case Keeping.PASSWORD:
                return self.tr("Titan asks for this password at each start. It is kept nowhere.")
            case Keeping.RUN:
                return self.tr(
                    "The key is kept in memory alone, and has to be entered again after a restart."
                )
        return self.tr("The key goes into the system's keyring and nowhere else. Ollama needs none.")

    def retranslate(self) -> None:
        """Update the texts in the current language."""
        self._labels[self.key].setText(self.tr("Key"))
        self._labels[self.way].setText(self.tr("Keep the key"))
        self._labels[self.password].setText(self.tr("Password"))
        self.key.setPlaceholderText(self.tr("leave empty to keep the stored one"))
        for row, words in enumerate((self.tr("In a file, under a password"), self.tr("Until Titan ends"))):
            self.way.setItemText(row, words)
        self._note.setText(self._about())


def _secret(parent: QWidget) -> QLineEdit:
    field = QLineEdit(parent)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    return field
