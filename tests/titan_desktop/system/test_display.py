"""Whether a window can be shown is asked before Qt is loaded: these run as a person's shell would."""

import subprocess
import sys

import pytest

from titan_desktop.system import display


def titan(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "titan_desktop"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ".", "PYTHONUTF8": "1", **environment},
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_without_a_display_titan_points_to_the_command_line() -> None:
    """One sentence, the status 3, and no core is started for nothing."""
    ended = titan({"TITAN_HOME": "/nonexistent/titan"})
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert 'titan ask "…"' in ended.stderr


def test_platforms_that_draw_nowhere_need_no_display() -> None:
    """`QT_QPA_PLATFORM=offscreen` and its like count as a display, with their options and alternatives."""
    for name in ("offscreen", "vnc:port=5901", "minimal", "offscreen;xcb"):
        assert display.has_display({"QT_QPA_PLATFORM": name})
    assert not display.has_display({"QT_QPA_PLATFORM": "xcb"})
    assert display.has_display({"WAYLAND_DISPLAY": "wayland-0"})


def test_x11_needs_more_libraries_than_wayland(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what this display loads is asked for."""
    monkeypatch.setattr(display, "_loads", lambda *_: False)
    on_wayland = display.missing_libraries({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"})
    on_x11 = display.missing_libraries({"DISPLAY": ":0"})
    assert on_wayland == display.QT_LIBRARIES
    assert on_x11 == display.QT_LIBRARIES + display.X11_LIBRARIES
    assert display.missing_libraries({"DISPLAY": ":0", "QT_QPA_PLATFORM": "wayland"}) == on_wayland


def test_the_packages_of_exactly_what_is_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that can be pasted, with each package once."""
    missing = {"libEGL.so.1", "libxcb-cursor.so.0", "libxcb-shape.so.0", "libxcb-xkb.so.1"}
    monkeypatch.setattr(display, "_loads", lambda soname, _: soname not in missing)
    monkeypatch.setattr(sys, "platform", "linux")
    said = display.trouble({"DISPLAY": ":0"})
    assert "\n" not in said
    assert "sudo apt install libegl1 libxcb-cursor0 libxcb-shape0 libxcb-xkb1 " in said
    assert "sudo dnf install libglvnd-egl xcb-util-cursor libxcb)" in said


def test_a_library_is_found_by_loading_it() -> None:
    """The answer is the loader's own, not a guess from paths."""
    import ctypes

    assert not display._loads("libnothing-of-the-kind.so.99", ctypes.CDLL)
    assert display._loads("libc.so.6", ctypes.CDLL) or not sys.platform.startswith("linux")


def test_other_systems_bring_what_qt_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows have a display and the libraries."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert display.trouble({}) == ""


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_there_is_a_display_and_nothing_is_missing(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS and Windows know neither DISPLAY nor libEGL.so.1, and `titan doctor` must not ask for them."""
    monkeypatch.setattr(sys, "platform", system)
    assert display.has_display({})
    assert display.missing_libraries({"DISPLAY": ":0"}) == ()
