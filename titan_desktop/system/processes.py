"""The command line and the environment of Titan's own processes.

Used by `client` for the core and by `provision` for the server host. Standard library only: the window uses it
before it has painted. A program bundled by PyInstaller is its own interpreter and takes the words directly.
"""

import os
import site
import sys
from pathlib import Path


def command(*words: str) -> list[str]:
    """Return the command line that runs `titan <words>` with this installation."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-m", "titan_desktop", *words]


def own_environment() -> dict[str, str]:
    """Return the environment for a Titan process, which must find the package in a checkout, too."""
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        # A program of its own, not a worker of this one (PyInstaller manual, "Independent subprocess").
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        return environment
    source = str(Path(__file__).resolve().parents[2])
    if source not in site.getsitepackages() and source != site.getusersitepackages():
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{source}{os.pathsep}{known}" if known else source
    return environment


def foreign_environment() -> dict[str, str]:
    """Return the environment for other programs: without the bundle's library path."""
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        # PyInstaller points LD_LIBRARY_PATH into the bundle and keeps the person's own in …_ORIG.
        original = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        environment.pop("LD_LIBRARY_PATH", None)
        if original is not None:
            environment["LD_LIBRARY_PATH"] = original
    return environment
