"""The window's language: ours and Qt's own sentences, switched while it runs.

Sources are English, so `i18n/titan_en.qm` holds nothing but plurals. `installer/update_translations.py` makes
both.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

log = logging.getLogger(__name__)

_QT_TRANSLATIONS = QLibraryInfo.LibraryPath.TranslationsPath

Choice = Literal["system", "ru", "en"]


class Translator:
    """Installs the catalogues; Qt then sends every widget a LanguageChange, and each says its words again.

    Args:
        app: gets the catalogues.
        folder: where `titan_<language>.qm` lie.
        system: the system's locale, asked at every choice.
    """

    def __init__(
        self, app: QCoreApplication, folder: Path, system: Callable[[], QLocale] = QLocale.system
    ) -> None:
        self._app = app
        self._folder = folder
        self._system = system
        self._installed: list[QTranslator] = []
        self.language = ""

    def choose(self, choice: Choice) -> None:
        """Follow the system, or speak Russian or English. Applies at once."""
        language = self._language_of_system() if choice == "system" else choice
        if language == self.language:
            return
        self.language = language
        QLocale.setDefault(QLocale(language) if choice != "system" else self._system())
        for translator in self._installed:
            self._app.removeTranslator(translator)
        self._installed = [
            *self._load(f"qtbase_{language}", Path(QLibraryInfo.path(_QT_TRANSLATIONS))),
            *self._load(f"titan_{language}", self._folder),
        ]
        for translator in self._installed:
            self._app.installTranslator(translator)

    def _language_of_system(self) -> str:
        return "ru" if self._system().language() is QLocale.Language.Russian else "en"

    def _load(self, name: str, folder: Path) -> list[QTranslator]:
        translator = QTranslator(self._app)
        if translator.load(name, str(folder)):
            return [translator]
        if name != "qtbase_en":  # Qt's own words are English already
            log.warning("no translations %s in %s", name, folder)
        return []


def language() -> Literal["en", "ru"]:
    """Return the language that the window speaks now, for what Qt's catalogues do not hold."""
    return "ru" if QLocale().language() is QLocale.Language.Russian else "en"
