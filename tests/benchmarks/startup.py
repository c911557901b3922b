"""How long the window takes: to the first paint, to the core, to the first list of conversations.

    python tests/benchmarks/startup.py [--runs 5]

First row: no core runs; the window starts one, with its stores. Second row: a core runs already. Medians, in
milliseconds from the start of the process.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
STEPS = ("qt_imported_ms", "first_paint_ms", "core_up_ms", "ready_ms", "ended_ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="tb-") as folder:
        environment = _environment(Path(folder))
        _start(environment, Path(folder))  # makes the stores; not counted
        cold = []
        for _ in range(runs):
            _end_core(Path(folder))
            cold.append(_start(environment, Path(folder)))
        warm = [_start(environment, Path(folder)) for _ in range(runs)]
        _end_core(Path(folder))
    print(f"{'median of ' + str(runs):<18}" + "".join(f"{step:>16}" for step in STEPS))
    for name, rows in (("core not running", cold), ("core running", warm)):
        medians = (statistics.median(row[step] for row in rows) for step in STEPS)
        print(f"{name:<18}" + "".join(f"{figure:>16.0f}" for figure in medians))


def _environment(folder: Path) -> dict[str, str]:
    home = folder / "home"
    for name in ("Desktop", "Downloads"):
        (home / name).mkdir(parents=True)
    return {
        **os.environ,
        "HOME": str(home),
        "TITAN_HOME": str(folder / "titan"),
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }


def _start(environment: dict[str, str], folder: Path) -> dict[str, float]:
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    begin = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "titan_desktop", "--startup-report", report, "--quit-after-ready"],
        env=environment, cwd=folder, check=True, timeout=120,
    )  # fmt: skip
    return {**json.loads(report.read_text()), "ended_ms": (time.monotonic() - begin) * 1000}


def _end_core(folder: Path) -> None:
    """End the core in order, and wait until its lock is free."""
    from titan_desktop.client import core_record
    from titan_desktop.system.file_lock import is_held

    run = folder / "titan" / "run"
    record = core_record.read(run / "core.json")
    if record is not None and is_held(run / "core.lock"):
        os.kill(record.pid, signal.SIGTERM)
    while is_held(run / "core.lock"):
        time.sleep(0.05)


if __name__ == "__main__":
    main()
