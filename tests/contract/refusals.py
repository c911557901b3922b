"""How a files root refuses a path."""

from pathlib import Path

import pytest

from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRoot, FilesRootError


def refusal(files_root: FilesRoot, path: Path) -> Reason:
    """Both doors say the same."""
    reasons = set()
    for door in (files_root.open, files_root.stamp):
        with pytest.raises(FilesRootError) as caught:
            door(path)
        reasons.add(caught.value.reason)
    assert len(reasons) == 1
    return reasons.pop()
