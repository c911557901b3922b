"""The distribution titan-bus alone in an empty environment: its quick start runs, its command line works.

`python installed_bus.py WHEEL PYTHON SERVER README`: makes a virtual environment with PYTHON, installs the WHEEL
and nothing else, and speaks to SERVER (a valkey-server or redis-server). Standard library only, nothing of the
checkout is imported.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAVY = (
    "yaml",
    "zstandard",
    "obstore",
    "prometheus_client",
    "opentelemetry",
    "grpc",
    "jwt",
    "redis",
    "titan_desktop",
)
START_TIMEOUT_S = 10


def main(wheel: Path, python: Path, server: Path, readme: Path) -> None:
    """Check everything.

    Raises:
        SystemExit: a step failed; the message says which.
    """
    with tempfile.TemporaryDirectory(prefix="tb-") as name:
        folder = Path(name)
        _run([python, "-m", "venv", folder / "venv"], folder)
        inside = folder / "venv" / "bin"
        _run([inside / "pip", "install", "-q", wheel], folder)
        _check_packages(inside, folder)
        url = f"unix://{folder / 'v.sock'}"
        command = [server, "--port", "0", "--unixsocket", folder / "v.sock", "--dir", folder, "--save", ""]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                _wait_for(folder / "v.sock")
                _use(inside, folder, url, readme)
            finally:
                process.terminate()


def _check_packages(inside: Path, folder: Path) -> None:
    """Nothing is there but what the wheel declares without extras, and the import takes only what it needs."""
    required = json.loads(_run([inside / "python", "-c", REQUIRED], folder))
    listed = json.loads(_run([inside / "pip", "list", "--format", "json"], folder))
    found = {_normal(package["name"]) for package in listed} - {"pip", "setuptools"}
    assert found == {"titan-bus", *map(_normal, required)}, (found, required)
    code = f"import sys, titan_bus; print([name for name in {HEAVY!r} if name in sys.modules])"
    imported = ast.literal_eval(_run([inside / "python", "-c", code], folder))
    assert not imported, f"import titan_bus imports {imported}"
    _run(
        [inside / "python", "-c", "import titan_bus.cli.serve, titan_bus.cli.archive, titan_bus.testing"],
        folder,
    )


REQUIRED = """
import json, re
from importlib.metadata import requires
print(json.dumps([re.match(r"[\\w.-]+", one)[0] for one in requires("titan-bus") if "extra ==" not in one]))
"""


def _use(inside: Path, folder: Path, url: str, readme: Path) -> None:
    """Run the quick start and the command line."""
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
    (folder / "quick.py").write_text(blocks[0], "utf-8")
    said = _run([inside / "python", "quick.py"], folder, url)
    assert "billing order 7" in said, said
    tool = inside / "titan-bus"
    assert "publish" in _run([tool, "--help"], folder, url)
    event_id = _run([tool, "publish", "chat.v1", "said", '{"text": "привет"}'], folder, url).strip()
    event = json.loads(_run([tool, "tail", "chat.v1", "--from", "0", "--count", "1", "--json"], folder, url))
    assert (event["event_id"], event["payload"]) == (event_id, {"text": "привет"}), event
    topics = [
        json.loads(line)["topic"] for line in _run([tool, "topics", "--json"], folder, url).splitlines()
    ]
    assert topics == ["chat.v1", "orders.v1"], topics
    _run([tool, "archive", "--target", folder / "kept"], folder, url)
    for needing, extra in ((["grpc"], "grpc"), (["archive", "--target", "s3://bucket"], "s3")):
        said = _run([tool, *needing], folder, url, status=4)
        assert f"pip install 'titan-bus[{extra}]'" in said, said
    said = _run([inside / "python", "-c", EAGER], folder, url)
    assert said.split() == ["100"], said
    version = _run([inside / "python", "-m", "titan_bus", "--version"], folder, url).strip()
    print(f"{version} alone: quick start, publish, tail, topics and archive stand")


EAGER = """
import asyncio, contextvars, os
from titan_bus import Bus, Event

event_id, handled, all_handled = contextvars.ContextVar("event_id"), [], asyncio.Event()

async def handle(event: Event) -> None:
    event_id.set(event.event_id)  # as structlog.contextvars does
    handled.append(event.event_id)
    if len(handled) == 100:
        all_handled.set()

async def main() -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with Bus(os.environ["TITAN_BUS_URL"]) as bus, asyncio.timeout(30):
        await bus.subscribe("eager.v1", "g", handle, concurrency=4)
        for number in range(100):
            await bus.publish("eager.v1", "e", {})
        await all_handled.wait()
    print(len(set(handled)))

asyncio.run(main())
"""
"""Python's own eager tasks, from 3.12 on; the suite has them made (`tests/eager_tasks`)."""


def _run(command: list[str | Path], folder: Path, url: str = "", *, status: int = 0) -> str:
    """Run a program that ends with `status`; returns what it printed, or for a failure what it complained of."""
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONUTF8": "1", "TITAN_BUS_URL": url}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=180, check=False
    )
    if done.returncode != status:
        shown = " ".join(map(str, command))
        raise SystemExit(f"{shown} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stderr if status else done.stdout


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise SystemExit("the server did not start")
        time.sleep(0.01)


if __name__ == "__main__":
    main(*(Path(argument).absolute() for argument in sys.argv[1:]))
