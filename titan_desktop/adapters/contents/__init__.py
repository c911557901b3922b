"""`FolderContents`: former contents of files in Titan's data folder, readable by their owner only."""

from titan_desktop.adapters.contents.folder import FolderContents

__all__ = ["FolderContents"]
