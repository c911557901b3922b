"""Folders are called as desktop programs call them."""

from pathlib import Path

from titan_desktop.ui.base.short_path import short_path


def test_the_home_is_a_tilde(monkeypatch, tmp_path):
    """What lies beneath it is short; what lies elsewhere is said whole."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert short_path(tmp_path / "Загрузки") == str(Path("~/Загрузки"))
    assert short_path("/srv/files") == str(Path("/srv/files"))
