"""Imports the handlers that the command line names as `module:name`."""

import importlib
import inspect
import os
import sys
import sysconfig
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from titan_bus.cli.failures import CommandError
from titan_bus.declaring.handlers import Handlers

RUNS_ITSELF = 'it runs itself; put what runs it under `if __name__ == "__main__":`'
_INSTALLED = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib"))


def load(spelled: str) -> Any:
    """Import a module, from the working folder first, and return the object in it.

    Raises:
        CommandError: there is none, or its import failed; the sentence names the line.
    """
    name, colon, attribute = spelled.partition(":")
    if not name or not colon or not attribute:
        raise CommandError(
            f"{spelled!r} names nothing; write module:name, for example shop.handlers:handlers."
        )
    if name.endswith(".py") or name.startswith(".") or "/" in name or "\\" in name:
        raise CommandError(f"{name} is a file, and a module is needed: write {_module_of(name)}:{attribute}.")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    found = _import(name)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise CommandError(f"module {name} has no {attribute}.") from error
    return found


def handlers(spelled: str) -> Handlers:
    """Return the named Handlers object.

    Raises:
        CommandError: it is something else, or there is none.
    """
    found = load(spelled)
    if not isinstance(found, Handlers):
        raise CommandError(f"{spelled} is no titan_bus.Handlers, but of type {type(found).__name__}.")
    return found


def broken_start(spelled: str, error: Exception) -> CommandError | None:
    """Return what failed in the person's own lifespans; None when none of their lines had a part in it."""
    name = spelled.partition(":")[0]
    if not any(_is_own(frame, name.partition(".")[0]) for frame, _ in _frames(error)):
        return None
    return CommandError(
        f"the start of {spelled} failed at {_place(name, error)}: {type(error).__name__}: {error}."
    )


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise CommandError(
                f"there is no module {name} here nor installed; start in its folder."
            ) from error
        raise _broken(name, error) from error
    except SystemExit as end:
        place = _place(name, end)
        raise CommandError(f"the import of {name} ended the program at {place}: {RUNS_ITSELF}.") from end
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> CommandError:
    hint = ""
    last = _frames(error)[-1][0]
    if (
        isinstance(error, RuntimeError) and _package_of(last) == "asyncio"
    ):  # `asyncio.run` inside our own loop
        hint = f" Perhaps {RUNS_ITSELF}."
        for value in last.f_locals.values():
            if inspect.iscoroutine(value):
                value.close()  # otherwise Python would warn that it was never awaited
    return CommandError(
        f"the import of {name} failed at {_place(name, error)}: {type(error).__name__}: {error}.{hint}"
    )


def _place(name: str, error: BaseException) -> str:
    """Return the line of the person's own code that failed, not the one in a library that it called."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    frames = _frames(error)
    own = [found for found in frames if _is_own(found[0], name.partition(".")[0])]
    frame, line = (own or frames)[-1]
    return f"{frame.f_code.co_filename}, line {line}"


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    return list(traceback.walk_tb(error.__traceback__))


def _is_own(frame: FrameType, package: str) -> bool:
    if _package_of(frame) == package:
        return True
    file = frame.f_code.co_filename
    return _package_of(frame) != "titan_bus" and not file.startswith(("<frozen ", *_INSTALLED))


def _package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _module_of(path: str) -> str:
    """Return the module name of a file, seen from here: `pkg/shop.py` is pkg.shop."""
    parts = path.removesuffix(".py").replace("\\", "/").split("/")
    named = [part.strip(".") for part in parts if part.strip(".")]
    return ".".join(named[-1:] if path.startswith("/") else named) or "shop"
