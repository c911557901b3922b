"""A real Neo4j 5 for the tests, put together from its artifacts on Maven Central.

The jars (118 MB) and the compiled main class stay in a cache folder, named after a digest of what they were made
from; a second run needs neither Maven nor a network. `TITAN_TEST_CACHE` moves the folder.
"""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from titan_desktop.locks import FileLock

HERE = Path(__file__).parent
FETCH_TIMEOUT_S = 600
START_TIMEOUT_S = 90
JAVA_OPTIONS = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class CannotRunError(Exception):
    """This machine lacks what a Neo4j needs; the text says what."""


def missing_tool() -> str:
    """Return what this machine lacks to run the server, or ""."""
    for tool in ("java", "javac"):
        if shutil.which(tool) is None:
            return f"{tool} of Java 17 or newer is not installed"
    if _java_version() < 17:
        return "Neo4j 5 needs Java 17 or newer"
    if shutil.which("mvn") is None and not _built().is_dir():
        return "Maven is not installed, and the cache has no Neo4j yet"
    return ""


def _java_version() -> int:
    said = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True)
    return int((said.stdout or said.stderr).split()[1].split(".")[0])


def _built() -> Path:
    digest = hashlib.sha256((HERE / "pom.xml").read_bytes() + (HERE / "TestServer.java").read_bytes())
    cache = os.environ.get("TITAN_TEST_CACHE") or Path.home() / ".cache" / "titan-tests"
    return Path(cache).expanduser() / f"neo4j-{digest.hexdigest()[:12]}"


def build() -> Path:
    """Return the folder with `lib` and `classes`, made now if the cache lacks it."""
    built = _built()
    built.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(built.with_suffix(".lock"))
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    while not lock.acquire():  # another run of the tests is fetching
        if time.monotonic() > deadline:
            raise CannotRunError(f"another run has been fetching Neo4j for {FETCH_TIMEOUT_S} s")
        time.sleep(0.2)
    with lock:
        if not built.is_dir():
            with tempfile.TemporaryDirectory(dir=built.parent) as name:
                _fetch_and_compile(Path(name) / "neo4j")
                (Path(name) / "neo4j").rename(built)
    return built


def _fetch_and_compile(folder: Path) -> None:
    copy = ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies"]
    copy += [f"-DoutputDirectory={folder / 'lib'}", "-DincludeScope=runtime"]
    compiler = ["javac", "-cp", f"{folder / 'lib'}/*", "-d", folder / "classes", HERE / "TestServer.java"]
    for command in (copy, compiler):
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
        if ended.returncode:
            raise CannotRunError(f"{command[0]} failed: {(ended.stdout + ended.stderr)[-2000:]}")


def free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def neo4j(folder: Path) -> Iterator[str]:
    """Run a server on `folder`; yields its Bolt URL. A later run on the same folder finds the same data.

    Raises:
        CannotRunError: a tool is missing, the jars cannot be fetched, or the server does not come up.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    built = build()
    port = free_port()
    command = [
        "java",
        *JAVA_OPTIONS,
        "-cp",
        f"{built / 'classes'}{os.pathsep}{built / 'lib'}/*",
        "TestServer",
        folder,
        str(port),
    ]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for_bolt(port, process, log)
        yield f"bolt://127.0.0.1:{port}"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for_bolt(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server answers a Bolt handshake; a port that merely accepts is not ready."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotRunError(
                f"Neo4j ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}"
            )
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
            # The magic preamble, then four proposed versions: 5.4 to 5.0, and nothing else (Bolt, handshake).
            client.sendall(bytes.fromhex("6060b01700040405" + "00000000" * 3))
            if client.recv(4).endswith(b"\x05"):
                return
        time.sleep(0.05)
    raise CannotRunError(f"Neo4j did not answer within {START_TIMEOUT_S} s")
