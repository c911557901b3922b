"""The guarded door to the person's files, on every system.

`LocalFilesRoot` implements `ports.files_root`, `LocalFileChanges` `ports.file_changes`.
"""

from titan_desktop.adapters.files_root.changing import LocalFileChanges
from titan_desktop.adapters.files_root.root import LocalFilesRoot

__all__ = ["LocalFileChanges", "LocalFilesRoot"]
