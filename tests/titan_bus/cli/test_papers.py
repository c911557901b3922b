"""`titan-bus asyncapi`."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import Run

MODULE = """
import msgspec
from titan_bus import Handlers

class OrderPlaced(msgspec.Struct):
    number: int

handlers = Handlers()

@handlers.on("orders.v1", "billing", event_type="order_placed")
async def bill(order: OrderPlaced) -> None:
    "Writes the bill."
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "papers_shop.py").write_text(MODULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "papers_shop", raising=False)


async def test_the_document_is_printed(titan_bus: Run) -> None:
    """As JSON or as YAML, the same; a server stands in it only when one was named."""
    done = await titan_bus("asyncapi", "papers_shop:handlers", "--title", "Shop", "--app-version", "1.2")
    document = json.loads(done.out)
    assert document["asyncapi"].startswith("3.")
    assert document["info"] == {"title": "Shop", "version": "1.2"}
    assert "orders.v1" in done.out
    assert not document["servers"]
    again = await titan_bus(
        "asyncapi", "papers_shop:handlers", "--title", "Shop", "--app-version", "1.2", "--yaml"
    )
    assert yaml.safe_load(again.out) == document
    named = await titan_bus("asyncapi", "papers_shop:handlers", "--url", "redis://u:secret@host", "--json")
    assert named.records[0]["servers"]
    assert "secret" not in named.out


async def test_what_has_no_handlers_is_said(titan_bus: Run) -> None:
    """A function is no Handlers."""
    done = await titan_bus("asyncapi", "papers_shop:bill")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
