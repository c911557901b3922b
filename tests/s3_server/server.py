"""A real S3 server for the tests, put together from its artifacts on Maven Central.

The jars (43 MB) are kept (`fetched`).
"""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import fetched
from tests.fetched import CannotRunError
from tests.servers import free_port

HERE = Path(__file__).parent
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
    return fetched.place_of("s3", [HERE / "pom.xml"])


def _fetch(folder: Path) -> None:
    fetched.run(
        ["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
         f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    )  # fmt: skip


@contextlib.contextmanager
def s3(folder: Path) -> Iterator[Bucket]:
    """Run a server with one bucket in `folder`, on loopback.

    Raises:
        CannotRunError: a tool is missing, the jars cannot be fetched, or the server does not come up.
    """
    if lack := missing_tool():
        raise CannotRunError(lack)
    built, port = fetched.fetched(_built(), _fetch), free_port()
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
