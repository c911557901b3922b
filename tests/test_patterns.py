"""Every regular expression of the packages takes time in proportion to a hostile text, as its module uses it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.hostile import assert_linear
from tests.test_house import PACKAGES, modules, named

BOUNDED = {
    "titan_desktop/adapters/openai/context_length.py": "a sentence of READ_CHARS_MAX characters at most",
}
"""Modules whose patterns meet texts of bounded length alone, and what bounds them."""
ANYWHERE = {"sub", "subn", "split", "search", "findall", "finditer"}


def patterns(path: Path) -> Iterator[tuple[str, re.Pattern[str], set[str]]]:
    """Yield a module's patterns with their names and the methods that it calls; constants alone are evaluated."""
    source = path.read_text("utf-8")
    known: dict[str, object] = {"re": re, "map": map}
    for statement in ast.parse(source).body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        name = statement.targets[0].id
        try:
            known[name] = eval(compile(ast.Expression(statement.value), str(path), "eval"), dict(known))  # noqa: S307
        except (NameError, TypeError, AttributeError, KeyError):
            continue
        found = known[name]
        if isinstance(found, re.Pattern) and isinstance(found.pattern, str):
            yield name, found, set(re.findall(rf"\b{name}\.(\w+)\(", source)) or ANYWHERE


def test_patterns_take_time_in_proportion_to_the_text() -> None:
    """One that is tried at each place anew, or gives back what it took, would take the square."""
    tried = 0
    for path in modules(*PACKAGES):
        if named(path) in BOUNDED or "re.compile(" not in path.read_text("utf-8"):
            continue
        for name, pattern, methods in patterns(path):
            tried += 1
            if methods & ANYWHERE:
                assert_linear(
                    lambda text, of=pattern: sum(1 for _ in of.finditer(text)), why=f"{named(path)}: {name}"
                )
            for method in methods & {"match", "fullmatch"}:
                assert_linear(getattr(pattern, method), why=f"{named(path)}: {name}")
    compiled = sum(path.read_text("utf-8").count("= re.compile(") for path in modules(*PACKAGES))
    assert tried > compiled * 0.8, "most modules compile theirs once, by a name"
