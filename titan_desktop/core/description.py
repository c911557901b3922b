"""`titan doctor --asyncapi FILE`: writes the application's AsyncAPI 3 document, without a running core.

The services are created without stores, which their constructors do not touch, and only their handlers are read.
"""

import sys
from pathlib import Path
from typing import Any

from titan_bus import Handlers
from titan_bus.declaring import asyncapi
from titan_desktop import __version__
from titan_desktop.contracts.declaring import tell
from titan_desktop.contracts.system import ClientLeft, ClientPresent, CoreReady, StoreChanged
from titan_desktop.core.settings_service import SettingsService

DONE = 0
CANNOT_WRITE = 2
YAML = frozenset({".yaml", ".yml"})
ABOUT = (
    "A subject has up to three topics. `<subject>.commands.v1` says what is to be done; one service takes it. "
    "`<subject>.v1` says what happened; whoever wants to may read along. `<subject>.requests.v1` carries "
    "questions with a deadline and one reply."
)


def handlers() -> Handlers:
    """Return all handlers of the core, and what it and its clients publish."""
    from titan_desktop.core.backup.making import BackupService
    from titan_desktop.services.chat import ChatService
    from titan_desktop.services.dead_letters import DeadLetterService
    from titan_desktop.services.facts import FactsService
    from titan_desktop.services.files import FilesService
    from titan_desktop.services.files.acting import FileActionsService
    from titan_desktop.services.files.browsing import BrowsingService
    from titan_desktop.services.forgetting import ForgettingService
    from titan_desktop.services.graph import GraphService
    from titan_desktop.services.indexing import IndexingService
    from titan_desktop.services.recall import RecallService
    from titan_desktop.services.search import SearchService
    from titan_desktop.services.status import StatusService

    absent: Any = None
    services = (
        BackupService(absent, absent, absent),
        BrowsingService(absent, absent),
        ChatService(absent, absent, absent, absent, absent),
        DeadLetterService(absent),
        FactsService(absent, absent, absent),
        FileActionsService(absent, absent, absent, absent, absent, absent),
        FilesService(absent, absent, absent),
        ForgettingService(absent, absent, absent),
        GraphService(absent),
        IndexingService(absent, absent, absent, absent, absent),
        RecallService(absent, absent, absent, absent),
        SearchService(absent, absent),
        SettingsService(absent, absent, absent),
        StatusService(absent),
    )
    together = Handlers()
    together.include(*(service.handlers for service in services))
    tell(together, CoreReady, StoreChanged, ClientPresent, ClientLeft)
    return together


def main(file: str) -> int:
    """Write the document: YAML if the name says so, else JSON; "-" prints it."""
    document = asyncapi.document(handlers(), title="Titan", version=__version__, description=ABOUT)
    text = asyncapi.to_yaml(document) if Path(file).suffix in YAML else asyncapi.to_json(document)
    if file == "-":
        sys.stdout.write(text)
        return DONE
    try:
        Path(file).write_text(text, "utf-8")
    except OSError as error:
        sys.stderr.write(f"titan doctor: {file} cannot be written: {error.strerror}.\n")
        return CANNOT_WRITE
    return DONE
