"""A real Neo4j 5 for the tests, put together from its artifacts on Maven Central.

The jars (118 MB) and the compiled main class are kept (`fetched`).
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests import fetched, servers
from tests.fetched import CannotRunError

HERE = Path(__file__).parent
START_TIMEOUT_S = 90
JAVA_OPTIONS = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


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
    return fetched.place_of("neo4j", [HERE / "pom.xml", HERE / "TestServer.java"])


def _fetch_and_compile(folder: Path) -> None:
    fetched.run(
        ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
         f"-DoutputDirectory={folder / 'lib'}", "-DincludeScope=runtime"]
    )  # fmt: skip
    fetched.run(["javac", "-cp", f"{folder / 'lib'}/*", "-d", folder / "classes", HERE / "TestServer.java"])


@contextlib.contextmanager
def neo4j(folder: Path) -> Iterator[str]:
    """Run a server on `folder`; yields its Bolt URL. A later run on the same folder finds the same data.

    Raises:
        CannotRunError: a tool is missing, the jars cannot be fetched, or the server does not come up.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    built = fetched.fetched(_built(), _fetch_and_compile)
    port = servers.free_port()
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
