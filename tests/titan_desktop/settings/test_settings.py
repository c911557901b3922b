"""Claims about the settings file."""

import os
import tomllib
from pathlib import Path

import pytest

from titan_desktop import settings


def test_an_absent_file_gives_the_defaults(tmp_path: Path) -> None:
    """A first start needs no settings file."""
    assert settings.load(tmp_path / "settings.toml", {}) == settings.Settings()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Every field survives the way through the file."""
    chosen = settings.Settings(
        language="ru",
        theme="dark",
        model=settings.ModelSettings(base_url="http://127.0.0.1:11434/v1", name="qwen3"),
        embedder=settings.EmbedderSettings(name="nomic-embed-text"),
        stores=settings.StoreSettings(redis="docker", graph="external"),
        archive=settings.ArchiveSettings(days=30),
    )
    settings.save(tmp_path / "settings.toml", chosen)
    assert settings.load(tmp_path / "settings.toml", {}) == chosen


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('language = "de"', "language"),
        ('theme = dark\nlanguage = "ru"', "line 1"),
        ("[model]\nname = 5", "model.name"),
        ("[archive]\ndays = 0", "archive.days"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, content: str, named: str) -> None:
    """The error names the file, the line or key, and the cure."""
    file = tmp_path / "settings.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(file, {})
    assert named in str(caught.value)
    assert str(file) in str(caught.value)
    assert "Correct" in str(caught.value)


def test_what_a_newer_version_chose_is_kept(tmp_path: Path) -> None:
    """Keys and tables that are unknown here stop nothing, can be told, and are still there after a save."""
    file = tmp_path / "settings.toml"
    file.write_text(
        'language = "ru"\ncolour = "red"\n[model]\nname = "m"\nvoice = "anna"\n[autonomy]\nhours = [9, 17]\n',
        "utf-8",
    )
    chosen = settings.load(file, {})
    assert (chosen.language, chosen.model.name) == ("ru", "m")
    assert settings.unknown_keys(file) == ("colour", "model.voice", "autonomy")
    settings.save(file, settings.Settings(language="en"))
    assert settings.load(file, {}) == settings.Settings(language="en")
    assert tomllib.loads(file.read_text("utf-8")) | {
        "stores": {},
        "embedder": {},
        "archive": {},
        "folders": {},
        "memory": {},
        "keys": {},
    } == {
        "language": "en",
        "theme": "system",
        "colour": "red",
        "model": {"base_url": "", "name": "", "voice": "anna"},
        "autonomy": {"hours": [9, 17]},
        "stores": {},
        "embedder": {},
        "archive": {},
        "folders": {},
        "memory": {},
        "keys": {},
    }


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """OPENAI_BASE_URL, TITAN_MODEL, TITAN_EMBEDDING_MODEL and the store URLs override what the file says."""
    settings.save(tmp_path / "s.toml", settings.Settings(model=settings.ModelSettings(name="file")))
    loaded = settings.load(
        tmp_path / "s.toml",
        {
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
            "TITAN_MODEL": "env",
            "TITAN_EMBEDDING_MODEL": "embed",
            "TITAN_POSTGRES_URL": "postgresql://x",
        },
    )
    assert loaded.model == settings.ModelSettings(base_url="http://127.0.0.1:1/v1", name="env")
    assert loaded.embedder == settings.EmbedderSettings(base_url="http://127.0.0.1:1/v1", name="embed")
    assert loaded.stores == settings.StoreSettings(postgres="external")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails in mid-save, the old settings stand and no half file is left behind."""
    file = tmp_path / "settings.toml"
    settings.save(file, settings.Settings(language="ru"))

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        settings.save(file, settings.Settings(language="en"))
    assert settings.load(file, {}).language == "ru"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]
