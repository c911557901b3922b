"""The house rules that no linter holds: short modules that say what they are for."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("titan_bus", "titan_desktop")
LINES_MAX = 600


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_a_module_has_one_subject() -> None:
    """No module is longer than 600 lines."""
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in modules(*PACKAGES, "tests")}
    too_long = {name: lines for name, lines in lengths.items() if lines > LINES_MAX}
    assert not too_long, f"find the second subject of each and move it out: {too_long}"


def test_a_module_says_what_lives_in_it() -> None:
    """Every module of the packages opens with a docstring that is more than a word or two."""
    said = {
        named(path): ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        for path in modules(*PACKAGES)
    }
    silent = [name for name, text in said.items() if len(text.split()) < 3]
    assert not silent, f"these do not say what they are for: {silent}"


def test_the_top_level_is_fixed() -> None:
    """No room is added beside the house's own; generated folders and dot-files are not counted."""
    allowed = {*PACKAGES, "resources", "i18n", "compose", "installer", "tests", "pyproject.toml", "README.md"}
    allowed |= {"LICENSE", "CHANGELOG.md", "DECISIONS.md", "build", "dist"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert found <= allowed


def test_no_service_is_left_out_of_the_contract_that_parts_them() -> None:
    """`waiting` is what they share; every other module there is a service, and imports none of the others."""
    folder = ROOT / "titan_desktop" / "services"
    services = {path.stem for path in folder.iterdir() if not path.name.startswith("__")} - {"waiting"}
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [apart] = [one for one in linted["contracts"] if one["name"].startswith("No service imports another")]
    assert {name.removeprefix("titan_desktop.services.") for name in apart["modules"]} == services
