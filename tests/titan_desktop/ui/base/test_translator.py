"""Russian and English, switched while the window runs, and catalogues that are up to date."""

import runpy
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QLabel

from titan_desktop.system.paths import bundled
from titan_desktop.ui.base.translator import Translator

SCRIPT = Path(__file__).parents[4] / "installer" / "update_translations.py"


@pytest.fixture
def translator(qapp):
    made = Translator(qapp, bundled("i18n"), lambda: QLocale("ru_RU"))
    yield made
    made.choose("en")


def words(text: str, count: int = -1) -> str:
    return QCoreApplication.translate("FilesPresenter", text, "", count)


def test_system_means_the_systems_language(translator):
    """Where the choice is the system, a Russian system makes the window speak Russian."""
    translator.choose("system")
    assert translator.language == "ru"
    assert words("Starting…") == "Запуск…"


def test_a_widget_hears_of_the_switch(translator, qapp):
    """Every widget gets a LanguageChange, so it can say its words again."""
    heard = []

    class Listening(QLabel):
        def changeEvent(self, event):  # noqa: N802  # Qt calls it
            if event.type() is event.Type.LanguageChange:
                heard.append(words("Starting…"))
            super().changeEvent(event)

    label = Listening()
    translator.choose("ru")
    qapp.sendPostedEvents(label)
    translator.choose("en")
    qapp.sendPostedEvents(label)
    assert heard[0] == "Запуск…"
    assert heard[-1] == "Starting…"
    label.deleteLater()


@pytest.mark.parametrize(
    ("language", "count", "sentence"),
    [
        ("ru", 1, "Не полностью прочитан 1 файл"),
        ("ru", 3, "Не полностью прочитано 3 файла"),
        ("ru", 11, "Не полностью прочитано 11 файлов"),
        ("en", 1, "1 file could not be read in full"),
        ("en", 2, "2 files could not be read in full"),
    ],
)
def test_plurals_are_right(translator, language, count, sentence):
    """A number and its noun agree in both languages."""
    translator.choose(language)
    assert words("%n file(s) could not be read in full", count) == sentence


def test_qt_speaks_the_language_too(translator):
    """Qt's own sentences come in Russian with ours."""
    translator.choose("ru")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Отмена"


def test_the_catalogues_are_up_to_date(monkeypatch):
    """No sentence of the window lacks a translation, and the compiled catalogues hold them all."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert ended.value.code == 0


@pytest.mark.parametrize("language", ["ru", "en"])
def test_placeholders_survive_translation(language):
    """A translation has exactly the {placeholders} of its source, or format() would fail for one language only."""
    import string

    tree = ET.parse(bundled("i18n") / f"titan_{language}.ts")  # noqa: S314  # our own file

    def fields(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    for message in tree.getroot().iter("message"):
        source = message.findtext("source", "")
        translation = message.find("translation")
        assert translation is not None
        texts = [form.text or "" for form in translation] or [translation.text or ""]
        for text in texts:
            assert text, source
            assert fields(text) == fields(source), source
            assert ("%n" in text) == ("%n" in source), source
