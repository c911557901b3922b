"""Asks whether to read a folder that Titan refuses by itself. The default answer is no."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from titan_desktop.ui.base.theme import set_tone


class FolderConsent(QMessageBox):
    """Names the folder that is meant, and what reading it means. Opened with `open()`.

    Args:
        path: the folder as the system names it.
        real: where that leads.
    """

    given = Signal()

    def __init__(self, path: str, real: str, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setWindowTitle(self.tr("Read this folder?"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(self.tr("Read everything in {folder}?").format(folder=real))
        meaning = self.tr(
            "Its documents are indexed on this computer, except hidden ones. When you connect a model, what is"
            " found in them is sent to it with your question."
        )
        leads = self.tr("{path} leads there.").format(path=path)
        self.setInformativeText(meaning if path == real else f"{leads} {meaning}")
        self.read_button = self.addButton(self.tr("Read it"), QMessageBox.ButtonRole.AcceptRole)
        set_tone(self.read_button, "danger")
        self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(QMessageBox.StandardButton.Cancel)
        self.read_button.clicked.connect(self.given)
