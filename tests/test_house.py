"""The house rules that no linter holds: short modules that say what they are for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("titan_bus", "titan_desktop")
LINES_MAX = 600


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(*PACKAGES, "tests"), ids=named)
def test_a_module_has_one_subject(path: Path) -> None:
    """No module is longer than 600 lines."""
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= LINES_MAX, f"{named(path)} has {lines} lines: find its second subject and move it out"


@pytest.mark.parametrize("path", modules(*PACKAGES), ids=named)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    """Every module of the packages opens with a docstring that is more than a word or two."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    assert len(said.split()) >= 3, f"{named(path)} does not say what it is for"


def test_the_top_level_is_fixed() -> None:
    """No room is added beside the house's own; generated folders and dot-files are not counted."""
    allowed = {*PACKAGES, "resources", "i18n", "compose", "installer", "tests", "pyproject.toml", "README.md"}
    allowed |= {"LICENSE", "CHANGELOG.md", "DECISIONS.md", "build", "dist"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert found <= allowed
