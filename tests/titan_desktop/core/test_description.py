"""The application's AsyncAPI document."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.titan_desktop.contracts.test_message import kinds
from titan_bus.declaring import asyncapi
from titan_desktop.contracts.message import Request, event_type, reply_type
from titan_desktop.core import description


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document(description.handlers(), title="Titan", version="1")


def test_every_message_stands_in_it_with_its_payload(document: dict[str, Any]) -> None:
    """Commands, events and requests, each on its topic; nothing of the contracts is left out."""
    for kind in kinds():
        messages = document["channels"][kind.topic]["messages"].values()
        [message] = [one for one in messages if one["name"] == event_type(kind)]
        schema = document["components"]["schemas"][message["payload"]["$ref"].rpartition("/")[2]]
        assert schema["properties"]["type"] == {"enum": [event_type(kind)]}
        assert set(schema["properties"]) == {"type", *kind.__struct_fields__}


def test_every_request_names_its_reply(document: dict[str, Any]) -> None:
    operations = document["operations"].values()
    replies = document["channels"]["titan_bus.replies"]["messages"]
    for kind in kinds():
        if not issubclass(kind, Request):
            continue
        [operation] = [
            one
            for one in operations
            if one["action"] == "receive"
            and one["channel"]["$ref"].endswith(kind.topic)
            and one["messages"][0]["$ref"].endswith(f"/{event_type(kind)}")
        ]
        reply = replies[operation["reply"]["messages"][0]["$ref"].rpartition("/")[2]]
        assert reply["payload"]["$ref"].endswith(f"/{reply_type(kind).__name__}")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "titan_desktop", "doctor", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_doctor_writes_it_without_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON, as YAML by the file's name, or to standard output; a file that cannot be written is said."""
    monkeypatch.setenv("TITAN_HOME", str(tmp_path / "home"))
    for name, read in (("titan.json", json.loads), ("titan.yaml", yaml.safe_load)):
        done = run("--asyncapi", str(tmp_path / name))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert read((tmp_path / name).read_text("utf-8"))["asyncapi"] == "3.0.0"
    assert json.loads(run("--asyncapi", "-").stdout)["info"]["title"] == "Titan"
    nowhere = run("--asyncapi", str(tmp_path / "no" / "titan.json"))
    assert nowhere.returncode == 2
    assert "cannot be written: No such file or directory" in nowhere.stderr
    assert not (tmp_path / "home").exists()
