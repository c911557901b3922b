"""Makes a dialog as high as its texts need: Qt itself does so only before the first show."""

from PySide6.QtWidgets import QDialog


def grow(dialog: QDialog) -> None:
    """Make the dialog higher where its contents are cut off; never lower, as it would jump."""
    layout = dialog.layout()
    if layout is not None and dialog.isVisible():
        layout.activate()
        needed = layout.totalHeightForWidth(dialog.width()) if layout.hasHeightForWidth() else 0
        dialog.resize(dialog.width(), max(dialog.height(), needed, dialog.sizeHint().height()))
