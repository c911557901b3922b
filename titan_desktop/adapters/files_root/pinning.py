"""Pins each root to one folder: its path is resolved once, and its device and inode are remembered.

Whoever opens something beneath a root compares device and inode on the descriptor (`beneath`). No descriptor is
kept between two calls: it would keep a disk from being ejected. A root that went away and came back is pinned
anew, at the same path and without a link in it. `root_rules` refuses some folders.
"""

import contextlib
import errno
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from titan_desktop.adapters.files_root import root_rules
from titan_desktop.adapters.files_root.beneath import Beneath, LinkError
from titan_desktop.contracts.indexing import Reason
from titan_desktop.ports.files_root import FilesRootError, PinnedRoot, RefusedRoot, RootFault

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Root:
    """One allowed root.

    Attributes:
        path: as it was given.
        real: the same without links, as resolved when it was first seen.
        pin: None while it is missing or refused.
        device: of the last pin; None before the first.
    """

    path: Path
    real: str
    pin: PinnedRoot | None = None
    device: int | None = None
    refused: RefusedRoot | None = None


class Pinning:
    """The roots of one `LocalFilesRoot`. Threads may share it: pinning twice does no harm."""

    def __init__(self, roots: Iterable[Path], beneath: Beneath, consented: Iterable[Path]) -> None:
        self._beneath = beneath
        self._consented: frozenset[str] = frozenset()
        self.roots = tuple(
            Root(path, os.path.realpath(path)) for path in dict.fromkeys(root.absolute() for root in roots)
        )
        self._innermost_first = sorted(self.roots, key=lambda root: len(root.path.parts), reverse=True)
        self.consent(consented)

    def consent(self, folders: Iterable[Path]) -> None:
        """Replace the set of folders that the person consents to; see `root_rules`."""
        self._consented = frozenset(os.path.normcase(folder) for folder in folders)
        for root in self.roots:
            root.pin = None  # looked at again with the next call

    def spellings(self) -> Iterator[tuple[Root, Path]]:
        """Yield every path of a root: as they were given, the innermost first, then as they were resolved."""
        for root in self._innermost_first:
            yield root, root.path
        for root in self._innermost_first:
            yield root, Path(root.real)

    def pin(self, root: Root) -> PinnedRoot:
        """Look at a root now, and pin it to the folder that is there.

        Raises:
            OSError: it is not there, or cannot be reached.
            FilesRootError: it is refused.
        """
        root.pin = None
        if root.device is None:
            root.real = os.path.realpath(root.path)
        try:
            pin = self._beneath.pin(root.real)
        except LinkError:
            pin = self._pin_behind_link(root)
        except OSError:
            root.refused = None
            raise
        if (fault := self._fault(root, pin)) is not None:
            self._refuse(root, pin.path, fault)
        if root.device not in {None, pin.device} and not self._beneath.entries(pin, ()):
            # The mount point of a disk that was unmounted: what lies on the disk is not gone.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), pin.path)
        root.pin, root.device, root.refused = pin, pin.device, None
        return pin

    def _pin_behind_link(self, root: Root) -> PinnedRoot:
        """Take a root that a link has replaced only where the person consents to what it leads to."""
        leads_to = os.path.realpath(root.path)
        if os.path.normcase(leads_to) not in self._consented:
            self._refuse(root, leads_to, RootFault.LINK)
        pin = self._beneath.pin(leads_to)
        root.real = leads_to
        return pin

    def _fault(self, root: Root, pin: PinnedRoot) -> RootFault | None:
        if os.path.normcase(pin.path) in self._consented:
            return None
        if (fault := root_rules.fault_of(pin)) is not None:
            return fault
        # Within another root no link is followed, and a root of its own is no way around that.
        for outer in self.roots:
            if outer is not root and root.path.is_relative_to(outer.path):
                straight = Path(outer.real, root.path.relative_to(outer.path))
                if os.path.normcase(straight) != os.path.normcase(pin.path):
                    return RootFault.LINK
        return None

    def _refuse(self, root: Root, real: str, fault: RootFault) -> None:
        refused = RefusedRoot(root.path, real, fault)
        if root.refused != refused:
            _log.warning("refused the root %r: it leads to %r (%s)", str(root.path), real, fault.value)
        root.refused = refused
        raise FilesRootError(str(root.path), Reason.OUTSIDE, f"the root is refused: {fault.value}")

    def pinned(self, root: Root) -> PinnedRoot | None:
        """Look at a root now; None: it is missing, refused or cannot be reached."""
        with contextlib.suppress(OSError, FilesRootError):
            return self.pin(root)
        return None

    def standing(self) -> Mapping[Path, PinnedRoot]:
        """Look at all roots now; those beneath another are left out, and all but one of the same folder."""
        found = [(root.path, pin) for root in self.roots if (pin := self.pinned(root)) is not None]
        standing: dict[Path, PinnedRoot] = {}
        for path, pin in sorted(found, key=lambda one: len(Path(one[1].path).parts)):
            if not any(Path(pin.path).is_relative_to(outer.path) for outer in standing.values()):
                standing[path] = pin
        return standing

    def refused(self) -> Sequence[RefusedRoot]:
        """Return the roots that were refused when they were last looked at."""
        return tuple(root.refused for root in self.roots if root.refused is not None)
