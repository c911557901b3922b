"""The command line and the environment of every process that Titan starts.

Used by `client` for the core, by `provision` for the servers, by adapters for their workers. Standard library
only: the window uses it before it has painted. A program bundled by PyInstaller is its own interpreter and takes
the words directly.

An environment is a list of what is passed on, never what happens to be there: a person keeps tokens of many
programs in theirs, every child shows its own in /proc for as long as it runs, and a server or a parser that is
taken over would read it. `SECRETS` are passed to nobody: the core gets them through a pipe (`client.spawn`).
"""

import contextlib
import os
import site
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

SECRETS = ("OPENAI_API_KEY", "TITAN_REDIS_URL", "TITAN_POSTGRES_URL", "TITAN_NEO4J_URL")
"""A key, and URLs that hold passwords."""
_HANDED = (
    *SECRETS,
    *("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),  # whose URLs may hold a password
)
SECRETS_ON_STDIN = "--secrets-on-stdin"
"""The core's option: what is handed over comes as a JSON object on its standard input."""

_SYSTEM = (
    *("PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR", "TMPDIR", "TMP", "TEMP"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    # Windows: without the first no socket opens
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMFILES", "PROGRAMFILES(X86)"),
    *(
        "PROGRAMDATA",
        "ALLUSERSPROFILE",
        "COMMONPROGRAMFILES",
        "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE",
    ),
)
_PYTHON = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONWARNINGS"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONFAULTHANDLER", "PYTHONASYNCIODEBUG"),
    *("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"),
)
_PERSON = (
    *("HOME", "USER", "LOGNAME", "SHELL", "XDG_*"),
    *("USERNAME", "USERPROFILE", "USERDOMAIN", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PUBLIC"),
)
_SESSION = (
    # the keyring and what it asks its owner with
    *("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DESKTOP_SESSION"),
    *("KDE_FULL_SESSION", "KDE_SESSION_VERSION", "GNOME_KEYRING_CONTROL", "PYTHON_KEYRING_BACKEND"),
    "KEYRING_PROPERTY_*",
)
_TITAN = (
    *("TITAN_HOME", "TITAN_MODEL", "TITAN_EMBEDDING_MODEL", "OPENAI_BASE_URL"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_DOCKER = ("DOCKER_*", "COMPOSE_*", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def command(*words: str) -> list[str]:
    """Return the command line that runs `titan <words>` with this installation."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-m", "titan_desktop", *words]


def worker_command(*words: str) -> list[str]:
    """Return the command line of a process whose handle we need: on Windows not that of the venv's launcher."""
    line = command(*words)
    if sys.platform == "win32" and not getattr(sys, "frozen", False):
        line[0] = getattr(sys, "_base_executable", line[0])  # as multiprocessing does (bpo-35797)
    return line


def own_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for the core and `titan key`; without what `handed_over` gives the core."""
    passed = _passed(environment, _SYSTEM, _PYTHON, _PERSON, _SESSION, _TITAN)
    return _with_the_package(passed)


def host_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for the server host and the log writer, which are told all they need as arguments."""
    return _with_the_package(_passed(environment, _SYSTEM, _PYTHON, _PERSON))


def server_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for the embedded servers, which are no programs of Titan's."""
    return _without_the_bundle(environment, _passed(environment, _SYSTEM, _PERSON))


def docker_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for Docker's command line, which finds its engine and its proxies there."""
    passed = _passed(environment, _SYSTEM, _PERSON, _SESSION, _DOCKER)
    return _without_the_bundle(environment, passed)


def worker_environment(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for a process that reads foreign files: nothing of the person's.

    Args:
        folder: its place for temporary files.
        environment: of this process.
    """
    kept = ("SYSTEMROOT", "SYSTEMDRIVE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
    passed = _with_the_package(_passed(environment, kept))
    passed |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder))
    passed |= {"PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
    if sys.platform == "win32" and not getattr(sys, "frozen", False):
        passed["__PYVENV_LAUNCHER__"] = sys.executable
    return passed


def handed_over(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what the core gets through a pipe: `SECRETS`, and what else may hold a password."""
    return _passed(environment, _HANDED)


def taken(handed: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with what was handed over; `SECRETS` are nowhere else from now on.

    The rest goes into `os.environ`, where libraries look for it: that is this process's memory, which is not what
    /proc shows, and our children inherit none of it.
    """
    secrets = {name: os.environ.pop(name) for name in SECRETS if name in os.environ}
    secrets |= {name: value for name, value in handed.items() if name in SECRETS}
    os.environ.update({name: value for name, value in handed.items() if name not in SECRETS})
    return {**os.environ, **secrets}


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Let no program inherit `SECRETS` that a library starts within the block with our own environment."""
    kept = {name: os.environ.pop(name) for name in SECRETS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _passed(environment: Mapping[str, str], *lists: tuple[str, ...]) -> dict[str, str]:
    """Return the variables on the lists; names ending in * are beginnings. Proxies are written small, too."""
    wanted = [name for names in lists for name in names]
    names = {name for name in wanted if not name.endswith("*")}
    beginnings = tuple(name[:-1] for name in wanted if name.endswith("*"))
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in names or name.upper().startswith(beginnings or ("\0",))
    }


def _with_the_package(environment: dict[str, str]) -> dict[str, str]:
    """Let a Titan process find the package in a checkout, too."""
    if getattr(sys, "frozen", False):
        # A program of its own, not a worker of this one (PyInstaller manual, "Independent subprocess").
        environment["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        return environment
    source = str(Path(__file__).resolve().parents[2])
    if source not in site.getsitepackages() and source != site.getusersitepackages():
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{source}{os.pathsep}{known}" if known else source
    return environment


def _without_the_bundle(environment: Mapping[str, str], passed: dict[str, str]) -> dict[str, str]:
    """Let another program find the system's libraries: PyInstaller keeps the person's own path in …_ORIG."""
    if getattr(sys, "frozen", False):
        passed.pop("LD_LIBRARY_PATH", None)
        if (original := environment.get("LD_LIBRARY_PATH_ORIG")) is not None:
            passed["LD_LIBRARY_PATH"] = original
    return passed
