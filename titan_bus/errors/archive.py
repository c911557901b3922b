"""The archive, restoring from it, and erasure."""

from titan_bus.errors.root import BusError


class ArchiveError(BusError):
    """Something about the archive."""


class StoreError(ArchiveError):
    """The store at `target` did not do what it should with `key` (empty for all of it), for `reason`."""

    def __init__(self, target: str, key: str, reason: str) -> None:
        super().__init__(f"archive {target}{', ' if key else ''}{key}: {reason}")
        self.target = target
        self.key = key
        self.reason = reason


class ArchiveElsewhereError(ArchiveError):
    """The server is archived to `target`; `other` contains another archive. `key` on the server says so."""

    def __init__(self, target: str, other: str, key: str) -> None:
        super().__init__(
            f"this server is archived to {target}, and what is in {other} is another archive: each would lack "
            f"what the other has. Name that target, or see that its disk is there; to move it copy all of it; "
            f"to begin another from here on delete the key {key} on the server"
        )
        self.target = target
        self.other = other
        self.key = key


class ArchiveUnnamedError(ArchiveElsewhereError):
    """The server is archived to `target`, but the configuration names no archive: events would stay there."""

    def __init__(self, target: str, key: str) -> None:
        BusError.__init__(
            self,
            f"this server is archived to {target}, where events would stay: name that archive; if there is none "
            f"any more delete the key {key} on the server",
        )
        self.target = target
        self.other = ""
        self.key = key


class ArchiveForeignError(ArchiveError):
    """What is in `target` is the archive of the bus with another `prefix` ("" for none), as `key` there says."""

    def __init__(self, target: str, prefix: str, key: str) -> None:
        whose = f"with the prefix {prefix!r}" if prefix else "without a prefix"
        super().__init__(
            f"what is in {target} is the archive of the bus {whose}: give each bus a target of its own; where "
            f"that bus is no more and this one takes its place, delete {key} in the archive"
        )
        self.target = target
        self.prefix = prefix
        self.key = key


class SegmentDamagedError(ArchiveError):
    """The object `name` in the archive is truncated or was altered; `detail` says where."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail


class SegmentForeignError(SegmentDamagedError):
    """The object `name` is whole, but of another stream or of a later version, as `detail` says."""


class RestoreRefusedError(ArchiveError):
    """The stream of `topic` has `length` entries: older ones cannot be added before them."""

    def __init__(self, topic: str, length: int) -> None:
        super().__init__(
            f"{topic} has {length} events on the server: restore into an empty server, "
            "or ask for only what is newer than they are"
        )
        self.topic = topic
        self.length = length


class RestoreDisturbedError(RestoreRefusedError):
    """`stream`, of `topic`, got an entry `last` that no restore added; it has `length` entries now."""

    def __init__(self, topic: str, length: int, stream: str, last: str) -> None:
        BusError.__init__(
            self,
            f"{topic} got events of its own, up to {last}, before it was restored to the end: stop what publishes "
            f"there, archive once more to keep them, delete the stream {stream} on the server, restore it again",
        )
        self.topic = topic
        self.length = length
        self.stream = stream
        self.last = last


class ErasureInterruptedError(BusError):
    """This program was suspended for too long; another may have begun to archive or to erase meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "the erasure stood still for too long, and another program may be at work: erase again"
        )
