"""A real S3 server for the tests, put together from its artifacts on Maven Central.

The jars (43 MB) stay in a cache folder, named after a digest of what they were made from; a second run needs
neither Maven nor a network. `TITAN_TEST_CACHE` moves the folder.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.neo4j_server.server import free_port
from titan_desktop.locks import FileLock

HERE = Path(__file__).parent
FETCH_TIMEOUT_S = 600
START_TIMEOUT_S = 60
JAVA_OPTIONS = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
BUCKET = "events"
SETTINGS = """\
s3proxy.endpoint=http://127.0.0.1:{port}
s3proxy.authorization=aws-v2-or-v4
s3proxy.identity=tests
s3proxy.credential=only-for-tests
s3proxy.ignore-unknown-headers=true
jclouds.provider=filesystem-nio2
jclouds.identity=unused
jclouds.credential=unused
jclouds.filesystem.basedir={folder}
"""


class CannotRunError(Exception):
    """This machine lacks what the server needs; the text says what."""


@dataclass(frozen=True)
class Bucket:
    """An empty bucket: what `ArchiveConfig` needs to use it."""

    target: str
    options: dict[str, str]


def missing_tool() -> str:
    """Return what this machine lacks to run the server, or ""."""
    if shutil.which("java") is None:
        return "java is not installed"
    if shutil.which("mvn") is None and not _built().is_dir():
        return "Maven is not installed, and the cache has no S3 server yet"
    return ""


def _built() -> Path:
    digest = hashlib.sha256((HERE / "pom.xml").read_bytes())
    cache = os.environ.get("TITAN_TEST_CACHE") or Path.home() / ".cache" / "titan-tests"
    return Path(cache).expanduser() / f"s3-{digest.hexdigest()[:12]}"


def build() -> Path:
    """Return the folder with the jars, fetched now if the cache lacks it."""
    built = _built()
    built.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(built.with_suffix(".lock"))
    deadline = time.monotonic() + FETCH_TIMEOUT_S
    while not lock.acquire():  # another run of the tests is fetching
        if time.monotonic() > deadline:
            raise CannotRunError(f"another run has been fetching the S3 server for {FETCH_TIMEOUT_S} s")
        time.sleep(0.2)
    with lock:
        if not built.is_dir():
            with tempfile.TemporaryDirectory(dir=built.parent) as name:
                _fetch(Path(name) / "lib")
                (Path(name) / "lib").rename(built)
    return built


def _fetch(folder: Path) -> None:
    copy = ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies"]
    copy += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    ended = subprocess.run(copy, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
    if ended.returncode:
        raise CannotRunError(f"mvn failed: {(ended.stdout + ended.stderr)[-2000:]}")


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Bucket]:
    """Run a server with one bucket in `folder`, on loopback.

    Raises:
        CannotRunError: a tool is missing, the jars cannot be fetched, or the server does not come up.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    built, port = build(), free_port()
    (folder / "data" / BUCKET).mkdir(parents=True)
    settings, log = folder / "s3.conf", folder / "server.log"
    settings.write_text(SETTINGS.format(port=port, folder=folder / "data"), "utf-8")
    classes = f"{HERE}{os.pathsep}{built}/*"  # logback.xml is here
    command = ["java", *JAVA_OPTIONS, "-cp", classes, "org.gaul.s3proxy.Main", "--properties", settings]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_it_answers(port, process, log)
        yield Bucket(
            f"s3://{BUCKET}/kept/here",
            {
                "endpoint": f"http://127.0.0.1:{port}",
                "region": "us-east-1",
                "access_key_id": "tests",
                "secret_access_key": "only-for-tests",
            },
        )
    finally:
        process.kill()
        process.wait(10)


def _wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotRunError(
                f"the S3 server ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}"
            )
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError as refused:  # without a signature it refuses: it is there
            refused.close()
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CannotRunError(f"the S3 server did not answer within {START_TIMEOUT_S} s")
