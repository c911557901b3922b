"""Files: publishes which files exist, have changed or are gone; reads none of them."""

from titan_desktop.services.files.service import FilesService

__all__ = ["FilesService"]
