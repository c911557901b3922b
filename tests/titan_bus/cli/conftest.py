"""`titan-bus` run in this process, in a thread of its own because it has a loop of its own; and as a program."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from titan_bus.cli import main

ROOT = str(Path(__file__).parents[3])
PROGRAM = [sys.executable, "-m", "titan_bus"]


@dataclass(frozen=True)
class Done:
    """What a run left: exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Awaitable[Done]]


@pytest.fixture
def titan_bus(redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `titan-bus` with these arguments against the session's server."""
    monkeypatch.setenv("TITAN_BUS_URL", redis_url)

    async def run(*arguments: str) -> Done:
        def call() -> int:
            try:
                return main(arguments)
            except SystemExit as error:  # argparse
                return int(error.code or 0)

        status = await asyncio.to_thread(call)
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def redirected(redis_url: str, tmp_path: Path) -> Callable[..., Done]:
    """Run `titan-bus` as a program behind a redirection of the shell's: `>&-`, `>/dev/full`."""
    environment = {**os.environ, "TITAN_BUS_URL": redis_url, "PYTHONPATH": ROOT}

    def run(redirection: str, *arguments: str) -> Done:
        done = subprocess.run(
            ["sh", "-c", f'"$@" {redirection}', "sh", *PROGRAM, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def program(redis_url: str, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start `titan-bus` as a program, in a folder of its own, with pipes."""
    environment = {**os.environ, "TITAN_BUS_URL": redis_url, "PYTHONPATH": ROOT, "PYTHONUNBUFFERED": "1"}

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=tmp_path,
            env=environment,
            text=True,
            encoding="utf-8",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start
