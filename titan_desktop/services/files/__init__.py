"""Files: says on the bus which files are there, have changed or have gone; reads none of them."""

from titan_desktop.services.files.service import FilesService

__all__ = ["FilesService"]
