"""The guarded door to the person's files: `LocalFilesRoot` implements `ports.files_root` on every system."""

from titan_desktop.adapters.files_root.root import LocalFilesRoot

__all__ = ["LocalFilesRoot"]
