"""An installed wheel does the main job: it indexes, searches, answers and opens the window; then nothing is left.

Run by the Python that the wheel is installed for, from outside the checkout: `python installed_wheel.py FOLDER`.
Standard library only, and nothing of the checkout is imported.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

END_TIMEOUT_S = 60
AGREEMENT = "Договор аренды квартиры. Залог составляет 45 000 рублей и возвращается при выезде."


def main(folder: Path) -> None:
    """Install nothing, build nothing: use what stands beside this interpreter.

    Raises:
        SystemExit: a step failed; the message says which.
    """
    titan = Path(sys.executable).parent / "titan"
    home = folder / "home"
    (home / "Desktop").mkdir(parents=True)
    (home / "Downloads").mkdir()
    (home / "Desktop" / "Договор аренды.txt").write_text(AGREEMENT, "utf-8")
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "TITAN_HOME": str(folder / "state"),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": "",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [titan, *arguments],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(
                f"titan {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout

    summary = json.loads(run("index", "--json"))
    assert not summary["failed"], summary
    hits = json.loads(run("search", "размер залога", "--json"))
    assert [Path(hit["path"]).name for hit in hits] == ["Договор аренды.txt"], hits
    answer = json.loads(run("ask", "какой залог?", "--json"))
    assert "45 000" in answer["sources"][0]["passage"], answer
    report = folder / "startup.json"
    run("--startup-report", str(report), "--quit-after-ready")
    milliseconds = json.loads(report.read_text("utf-8"))
    _wait_for_the_end(folder / "state" / "run")
    print(f"Python {sys.version.split()[0]}: index, search, ask and window stand; start {milliseconds}")


def _wait_for_the_end(run: Path) -> None:
    """Wait until core and server host have ended: the kernel frees their locks then, and their folder may go."""
    signal.alarm(END_TIMEOUT_S)  # ends this process; on Linux alone, as this whole step
    for name in ("core.lock", "stores.lock"):
        with (run / name).open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
    signal.alarm(0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tw-", dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        main(Path(name))
