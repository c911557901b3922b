"""A person's folder with the service that changes files, a real ledger and a store of contents of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from titan_bus import Bus, new_ulid
from titan_desktop.adapters.contents import FolderContents
from titan_desktop.adapters.files_root import LocalFileChanges, LocalFilesRoot
from titan_desktop.adapters.postgres.database import Database
from titan_desktop.adapters.postgres.forgotten_texts import PostgresForgottenTexts
from titan_desktop.adapters.postgres.ledger import PostgresLedger
from titan_desktop.client.handing import hand_over
from titan_desktop.contracts import file_actions as told
from titan_desktop.contracts.file_actions import OnExists
from titan_desktop.contracts.message import BusMessage, Kinds, publish
from titan_desktop.core.chain import Chain
from titan_desktop.core.serving import serving
from titan_desktop.services.files.acting import FileActionsService
from titan_desktop.system.paths import Paths

LIMIT = 1_000
ENDED = Kinds(told.ActionEnded, told.RunUndone)


class Desk:
    """A person's folder, and what a client of the service does with it."""

    def __init__(self, bus: Bus, database: Database, root: Path, paths: Paths) -> None:
        self.bus = bus
        self.root = root
        self.paths = paths
        self.ledger = PostgresLedger(database)
        self.texts = PostgresForgottenTexts(database)
        self.contents = FolderContents(paths.contents, paths.handed, file_bytes_max=LIMIT)
        self._tail = bus.tail(ENDED.topics, start="0")

    def service(self) -> FileActionsService:
        files_root = LocalFilesRoot([self.root])
        return FileActionsService(
            self.bus, files_root, LocalFileChanges(files_root), self.contents, self.ledger, self.texts
        )

    async def do(self, command: BusMessage) -> told.Action:
        """Send a command, and wait for the end of its action."""
        await publish(self.bus, command)
        ended = await self.next_end()
        assert isinstance(ended, told.ActionEnded)
        return ended.action

    async def next_end(self) -> BusMessage:
        async with asyncio.timeout(20):
            while (message := ENDED.read(await anext(self._tail))) is None:
                pass
        return message

    async def write(self, path: Path, text: str, **more: object) -> told.Action:
        content_id = new_ulid()
        hand_over(self.paths, content_id, [text.encode()])
        more = {"action_id": new_ulid(), "on_exists": OnExists.REPLACE, **more}
        return await self.do(told.WriteFile(path=str(path), content_id=content_id, **more))

    async def undo(self, action: told.Action, *, force: bool = False) -> told.Action:
        return await self.do(told.UndoAction(action_id=new_ulid(), undone_id=action.id, force=force))

    async def close(self) -> None:
        await self._tail.close()


@asynccontextmanager
async def opened(
    bus: Bus, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """Serve a folder with one document, "lease.txt", in a home of its own."""
    monkeypatch.setenv("TITAN_HOME", str(tmp_path / "titan"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    root = tmp_path / "Desktop"
    root.mkdir()
    (root / "lease.txt").write_text("deposit", "utf-8")
    desk = Desk(bus, database, root, Paths.from_environment())
    async with serving(bus, Chain(), desk.service()):
        yield desk
    await desk.close()
