"""Bring `i18n/` up to date: collect the window's sentences, then compile what is translated.

Run it from anywhere after a change of a sentence, translate what the `.ts` files show as unfinished (by hand, or
with `pyside6-linguist`), and run it again. The English one holds nothing but plurals. `--check` changes nothing
and ends with 1 when the catalogues are behind.
"""  # noqa: INP001  # a folder of programs, no package

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = (ROOT / "i18n" / "titan_ru.ts", ROOT / "i18n" / "titan_en.ts")


def main() -> int:
    """Update or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether everything is up to date")
    if parser.parse_args().check:
        return _check()
    for catalogue in CATALOGUES:
        collect(catalogue)
        compile_catalogue(catalogue, catalogue.with_suffix(".qm"))
    return 0


def collect(catalogue: Path) -> None:
    """Put every sentence of the window into the catalogue; drop those that are gone."""
    language = catalogue.stem.rpartition("_")[2]
    plurals = ["-pluralonly"] if language == "en" else []
    sources = sorted(path.relative_to(ROOT) for path in (ROOT / "titan_desktop" / "ui").rglob("*.py"))
    _run(
        "lupdate", *map(str, sources), *plurals, "-ts", str(catalogue),
        "-no-obsolete", "-locations", "none", "-source-language", "en", "-target-language", language,
    )  # fmt: skip


def compile_catalogue(catalogue: Path, target: Path) -> None:
    """Make the binary catalogue that the window loads."""
    _run("lrelease", str(catalogue), "-qm", str(target))


def _check() -> int:
    return max(_check_one(catalogue) for catalogue in CATALOGUES)


def _check_one(catalogue: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / catalogue.name
        fresh.write_bytes(catalogue.read_bytes())
        collect(fresh)
        compile_catalogue(fresh, fresh.with_suffix(".qm"))
        if 'type="unfinished"' in fresh.read_text("utf-8"):
            sys.stderr.write(f"{catalogue.name} has sentences without a translation\n")
            return 1
        if fresh.with_suffix(".qm").read_bytes() != catalogue.with_suffix(".qm").read_bytes():
            sys.stderr.write(f"{catalogue.stem}.qm is behind: run installer/update_translations.py\n")
            return 1
    return 0


def _run(tool: str, *arguments: str) -> None:
    scripts = Path(sys.executable).parent
    subprocess.run([scripts / f"pyside6-{tool}", *arguments], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
