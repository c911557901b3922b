"""Finds what a person names as `module:name`: their handlers."""

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from titan_bus.cli.failures import CommandError
from titan_bus.handlers import Handlers


def load(spelled: str) -> Any:
    """Import a module, the working folder first, and return the object in it.

    Raises:
        CommandError: there is none, or its import failed; the sentence says in which line.
    """
    name, colon, attribute = spelled.partition(":")
    if not name or not colon or not attribute:
        raise CommandError(
            f"{spelled!r} names nothing; write module:name, for example shop.handlers:handlers."
        )
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
    """Return the Handlers object that is named.

    Raises:
        CommandError: it is something else, or there is none.
    """
    found = load(spelled)
    if not isinstance(found, Handlers):
        raise CommandError(f"{spelled} is no titan_bus.Handlers, but of type {type(found).__name__}.")
    return found


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise CommandError(
                f"there is no module {name} here nor installed; start in its folder."
            ) from error
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> CommandError:
    if isinstance(error, SyntaxError):
        place = f"{error.filename}, line {error.lineno}"
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{last.filename}, line {last.lineno}"
    return CommandError(f"the import of {name} failed at {place}: {type(error).__name__}: {error}.")
