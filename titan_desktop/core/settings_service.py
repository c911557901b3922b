"""Reads the settings again after a client has changed them, and publishes the result."""

from collections.abc import Callable

from titan_bus import Bus, Handlers
from titan_desktop.contracts.declaring import take, tell
from titan_desktop.contracts.message import publish
from titan_desktop.contracts.system import ReadSettings, SettingsChanged
from titan_desktop.core.model_choice import Models

GROUP = "core"


class SettingsService:
    """Handles `read_settings`, one at a time: the latest state of the file applies.

    Args:
        models: reads the file.
        was_read: called after that, before clients are told.
    """

    drain_s = 1.0

    def __init__(self, bus: Bus, models: Models, was_read: Callable[[], None]) -> None:
        self._bus = bus
        self._models = models
        self._was_read = was_read
        self.handlers = Handlers()
        take(self.handlers, GROUP, self.read_settings, concurrency=1)
        tell(self.handlers, SettingsChanged)

    async def read_settings(self, _command: ReadSettings) -> None:
        """Read the file and the keyring, and pass the models to the services."""
        await self._models.refresh()
        self._was_read()
        await publish(self._bus, SettingsChanged())
