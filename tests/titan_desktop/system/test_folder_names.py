"""Folders are called as the system's file manager calls them."""

from pathlib import Path

from titan_desktop.system.folder_names import folder_name, shown_path


def test_a_folder_has_the_name_that_the_system_shows(tmp_path: Path) -> None:
    """Of a folder that is there, and of one that is not; a whole disk has no name but its path."""
    folder = tmp_path / "Рабочий стол"
    folder.mkdir()
    assert folder_name(folder) == "Рабочий стол"
    assert folder_name(tmp_path / "Загрузки") == "Загрузки"
    root = Path(tmp_path.anchor)
    assert folder_name(root)


def test_a_path_begins_with_its_roots_name(tmp_path: Path, monkeypatch) -> None:
    """What lies elsewhere is said whole, with the home as a tilde."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    roots = (tmp_path / "Desktop", tmp_path / "Загрузки")
    assert shown_path(tmp_path / "Загрузки", roots) == "Загрузки"
    assert shown_path(str(tmp_path / "Desktop" / "Tax" / "2025"), roots) == str(Path("Desktop/Tax/2025"))
    assert shown_path(tmp_path / "Desktop2", roots) == str(Path("~/Desktop2"))
    assert shown_path("/srv/files", roots) == str(Path("/srv/files"))
