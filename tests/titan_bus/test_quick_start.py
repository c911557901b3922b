"""The first thing that somebody tries: the quick start in the package's docstring."""

import asyncio
import inspect
import os
import sys

import pytest

import titan_bus


def quick_start() -> str:
    """Return the docstring's program: its lines that are indented."""
    lines = inspect.getdoc(titan_bus).splitlines()  # type: ignore[union-attr]  # it has one
    return "\n".join(line[4:] for line in lines if line.startswith("    ") or not line)


@pytest.mark.by_url
async def test_the_quick_start_runs(redis_url: str) -> None:
    """Copied as it stands, with the address of a server that is there, it prints what it says and ends."""
    program = quick_start()
    assert "redis://localhost" in program
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program.replace("redis://localhost", redis_url),
        env=os.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, complaint = await child.communicate()
    assert (child.returncode, complaint) == (0, b"")
    assert b"billing order 7" in printed


async def test_without_a_server_the_quick_start_says_so() -> None:
    """One sentence with the address and what to do, and no traceback."""
    program = quick_start().replace("redis://localhost", "redis://127.0.0.1:1")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaint = await child.communicate()
    assert (child.returncode, printed) == (1, b"")
    assert complaint.splitlines() == [
        b"redis://127.0.0.1:1: no server listens there. Start one: docker run -p 6379:6379 valkey/valkey"
    ]


async def test_the_import_is_light() -> None:
    """`import titan_bus` loads none of the packages that only some of its parts need."""
    heavy = "asyncpg grpc jwt obstore opentelemetry prometheus_client redis yaml zstandard".split()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import sys, titan_bus; print(*[m for m in {heavy} if m in sys.modules])",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    loaded, _ = await child.communicate()
    assert (child.returncode, loaded.split()) == (0, [])


def test_the_face_is_complete() -> None:
    """What `__all__` names is there, and what a person would look for is named."""
    assert all(hasattr(titan_bus, name) for name in titan_bus.__all__)
    assert titan_bus.__all__ == sorted(
        titan_bus.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    errors = {name: value for name, value in vars(titan_bus.errors).items() if inspect.isclass(value)}
    hidden = {name for name in errors if name not in titan_bus.__all__}
    # The gRPC server's clients speak gRPC, and no program meets the last two.
    assert hidden == {n for n, e in errors.items() if issubclass(e, titan_bus.errors.RemoteClientError)} | {
        "EntryMalformedError",
        "SegmentForeignError",
    }
