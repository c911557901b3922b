"""What the bus's keys are called on the server.

A topic stands in braces, so that all keys of one topic fall into one slot of a cluster (Redis Cluster
specification, "Hash tags") and an outcome on an event stays one atomic step there.
"""

import hashlib
from collections.abc import Sequence

DEAD_LETTERS = "errors.dlq"
IS_DEAD_LETTERS = (
    "dead letters have this name: name another; `bus.dead_letters` and `titan-bus dlq` show them"
)
OWN_GROUPS = "titan_bus."
"""Groups whose names begin like this are the bus's own."""
ARCHIVE_GROUP = "titan_bus.archive"
"""Holds the archive's place in each stream, so that trimming never overtakes the archive."""
ARCHIVE_LEASE = "titan_bus.archive:lease"
"""Is there while an archiver works."""
ARCHIVE_ERASURES = "titan_bus.archive:erasures"
"""Counts the erasures: what was read before one is not to be written to the archive after it."""
ARCHIVE_TARGET = "titan_bus.archive:target"
"""Says which archive the groups' places are of: its identity, and where it is."""
RESTORED = b"restored"
"""Stands in the mark of a stream (`restoring`) until the archive has a snapshot of what came back."""
REPLIES = "replies"
"""What the streams of replies are called together: each bus that asks has one of its own."""
BENCHES = "titan_bus.bench."
"""What topics are called that `titan-bus bench` makes and removes."""
EVERY_KEY = "*:{*}*"
"""Fits the keys of topics and of what waits to be tried again, and not the many marks of `once`."""
_TOPIC_PREFIX = "topics:{"
_RETRIES, _DELAYED = "retry:{", "delayed:{"


def stream_of(topic: str) -> str:
    """Return the stream of a topic."""
    return f"topics:{{{topic}}}"


def reserved(topic: str, group: str) -> str:
    """Return why nobody may subscribe under these names, "" when anybody may."""
    if group.startswith(OWN_GROUPS):
        return f"groups whose names begin with {OWN_GROUPS} are the bus's own: name another"
    return IS_DEAD_LETTERS if topic == DEAD_LETTERS else ""


def topic_of(stream: str) -> str | None:
    """Return the topic whose stream this is, or None when it is no topic's."""
    if stream.startswith(_TOPIC_PREFIX) and stream.endswith("}"):
        return stream[len(_TOPIC_PREFIX) : -1]
    return None


def archive_done(topics: Sequence[str], every_s: float) -> str:
    """Return the key that is there for most of the time until these topics have to be archived again."""
    what = "\n".join((str(every_s), *sorted(topics)))
    return f"titan_bus.archive:done:{hashlib.sha256(what.encode(errors='surrogateescape')).hexdigest()[:16]}"


def restoring(stream: str) -> str:
    """Return the key that is there while a stream is being restored: the last id that the restore wrote."""
    return _beside(stream, "restoring")


def erasing(stream: str) -> str:
    """Return the key that is there while a stream is copied without what was erased: the copy."""
    return _beside(stream, "erasing")


def _beside(stream: str, what: str) -> str:
    """Return a key in the stream's slot."""
    return f"titan_bus.{what}:{stream if '{' in stream else '{' + stream + '}'}"


def retries_of(group: str, topic: str) -> str:
    """Return the stream that brings an event again to the one group that failed on it."""
    return f"{_RETRIES}{topic}}}:{group}"


def topic_of_retries(stream: str, group: str) -> str | None:
    """Return the topic of a group's retry stream, or None when it is none of this group's."""
    before, after = _RETRIES, f"}}:{group}"
    return stream[len(before) : -len(after)] if stream.startswith(before) and stream.endswith(after) else None


def topic_and_group_of(key: str) -> tuple[str, str] | None:
    """Return the topic and the group of a retry stream or a delayed set; None when it is neither."""
    for before in (_RETRIES, _DELAYED):
        topic, between, group = key.removeprefix(before).partition("}:")
        if key.startswith(before) and between:
            return topic, group
    return None


def delayed_of(group: str, topic: str) -> str:
    """Return the sorted set in which failed events wait for their time."""
    return f"{_DELAYED}{topic}}}:{group}"


def worker_of(consumer: str, group: str, topic: str) -> str:
    """Return the mark that a worker of this name is at work in a group."""
    return f"worker:{{{topic}}}:{group}:{consumer}"


def replies_of(client_id: str) -> str:
    """Return the stream on which one bus receives the answers to its requests."""
    return f"{REPLIES}:{client_id}"


def is_replies(stream: str) -> bool:
    """Whether answers may be written there: a request names its stream, and may name any key."""
    return stream.startswith(f"{REPLIES}:")


def once_of(scope: str, event_id: str) -> str:
    """Return the mark that an effect of an event has happened, or is happening.

    Raises:
        ValueError: there is a colon in the scope: `billing` with `mail:1` would be `billing:mail` with `1`.
    """
    if ":" in scope:
        raise ValueError(f"{scope!r}: a scope of `once` has no colon; write a dot, as in 'billing.mail'")
    return f"once:{scope}:{event_id}"
