"""The generated modules are those of the proto file, by the newest generator that users' runtimes can follow."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = Path("titan_bus/grpc")
PROTO = PACKAGE / "titan_bus.proto"
GENERATED = ("titan_bus_pb2.py", "titan_bus_pb2.pyi", "titan_bus_pb2_grpc.py")


def without_versions(text: str) -> str:
    """A newer generator writes its own version; that alone is no drift."""
    text = re.sub(r"# Protobuf Python Version: .*|GRPC_GENERATED_VERSION = .*", "", text)
    return re.sub(r"(Domain\.PUBLIC,\s+)\d+,\s+\d+,\s+\d+,", r"\1", text)


def test_generated_modules_are_those_of_the_proto(tmp_path: Path) -> None:
    """The command that stands in the proto makes what is checked in; so nobody edits the one without the other."""
    command = re.search(r"//\s+python (-m grpc_tools\.protoc .*)", (ROOT / PROTO).read_text("utf-8"))
    assert command is not None
    arguments = command[1].replace("_out=.", f"_out={tmp_path}").split()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)
    for name in GENERATED:
        made = (tmp_path / PACKAGE / name).read_text("utf-8")
        assert without_versions(made) == without_versions((ROOT / PACKAGE / name).read_text("utf-8")), name


@pytest.mark.parametrize("project", ["pyproject.toml", "titan_bus/pyproject.toml"])
def test_what_is_installed_is_no_older_than_the_generator(project: str) -> None:
    """A runtime older than the generated code refuses it; so the extra `grpc` asks for one that is not."""
    extras = tomllib.loads((ROOT / project).read_text("utf-8"))["project"]["optional-dependencies"]
    messages, calls = ((ROOT / PACKAGE / name).read_text("utf-8") for name in (GENERATED[0], GENERATED[2]))
    protobuf = re.search(r"# Protobuf Python Version: (.*)", messages)
    grpcio = re.search(r"GRPC_GENERATED_VERSION = '(.*)'", calls)
    assert protobuf is not None
    assert grpcio is not None
    assert f"protobuf>={protobuf[1]}" in extras["grpc"]
    assert f"grpcio>={grpcio[1]}" in extras["grpc"]
