"""The names of the bus's keys on the server.

A topic stands in braces, so that all keys of one topic are in one slot of a cluster (Redis Cluster specification,
"Hash tags") and settling an event stays one atomic step there.
"""

import hashlib
from collections.abc import Sequence

DEAD_LETTERS = "errors.dlq"
IS_DEAD_LETTERS = (
    "dead letters have this name: name another; `bus.dead_letters` and `titan-bus dlq` show them"
)
OWN_GROUPS = "titan_bus."
"""The prefix of the bus's own groups."""
ARCHIVE_GROUP = "titan_bus.archive"
"""The group that stores the archive's position in each stream, so that trimming never overtakes it."""
ARCHIVE_LEASE = "titan_bus.archive:lease"
"""Exists while an archiver runs."""
ARCHIVE_ERASURES = "titan_bus.archive:erasures"
"""The number of erasures: what was read before one must not be written to the archive after it."""
ARCHIVE_TARGET = "titan_bus.archive:target"
"""The identity and location of the archive that the groups' positions belong to."""
RESTORED = b"restored"
"""The mark of a restored stream (`restoring`) until the archive has a snapshot of it."""
REPLIES = "replies"
"""The common prefix of reply streams: each bus that sends requests has one."""
LATER = "titan_bus.later"
"""In place of a group, in the name of the set in which events wait to be published."""
BENCHES = "titan_bus.bench."
"""The prefix of the topics that `titan-bus bench` creates and removes."""
EVERY_KEY = "*:{*}*"
"""Matches the keys of topics, retries and delayed sets, and not the many marks of `once`."""
_TOPIC_PREFIX = "topics:{"
_RETRIES, _DELAYED = "retry:{", "delayed:{"


def stream_of(topic: str) -> str:
    """Return the stream of a topic."""
    return f"topics:{{{topic}}}"


def reserved(topic: str, group: str) -> str:
    """Return why these names cannot be subscribed, "" when they can."""
    if group.startswith(OWN_GROUPS):
        return f"groups whose names begin with {OWN_GROUPS} are the bus's own: name another"
    return IS_DEAD_LETTERS if topic == DEAD_LETTERS else ""


def topic_of(stream: str) -> str | None:
    """Return the topic of a stream; None when it is no topic's."""
    if stream.startswith(_TOPIC_PREFIX) and stream.endswith("}"):
        return stream[len(_TOPIC_PREFIX) : -1]
    return None


def archive_done(topics: Sequence[str], every_s: float) -> str:
    """Return the key that exists for most of the time until these topics must be archived again."""
    what = "\n".join((str(every_s), *sorted(topics)))
    return f"titan_bus.archive:done:{hashlib.sha256(what.encode(errors='surrogateescape')).hexdigest()[:16]}"


def restoring(stream: str) -> str:
    """Return the key that exists during a stream's restore: the last id that the restore wrote."""
    return _beside(stream, "restoring")


def erasing(stream: str) -> str:
    """Return the key of the copy that replaces a stream from which events are erased."""
    return _beside(stream, "erasing")


def _beside(stream: str, what: str) -> str:
    """Return a key in the stream's slot."""
    return f"titan_bus.{what}:{stream if '{' in stream else '{' + stream + '}'}"


def retries_of(group: str, topic: str) -> str:
    """Return the stream that redelivers an event to the group that failed on it."""
    return f"{_RETRIES}{topic}}}:{group}"


def topic_of_retries(stream: str, group: str) -> str | None:
    """Return the topic of a group's retry stream; None when it is not this group's."""
    before, after = _RETRIES, f"}}:{group}"
    return stream[len(before) : -len(after)] if stream.startswith(before) and stream.endswith(after) else None


def topic_and_group_of(key: str) -> tuple[str, str] | None:
    """Return the topic and the group of a retry stream or a delayed set; None for other keys."""
    for before in (_RETRIES, _DELAYED):
        topic, between, group = key.removeprefix(before).partition("}:")
        if key.startswith(before) and between:
            return topic, group
    return None


def delayed_of(group: str, topic: str) -> str:
    """Return the sorted set in which failed events wait for their retry."""
    return f"{_DELAYED}{topic}}}:{group}"


def later_of(topic: str) -> str:
    """Return the sorted set in which events wait for the time at which they are published."""
    return delayed_of(LATER, topic)


def worker_of(consumer: str, group: str, topic: str) -> str:
    """Return the key of the lease on a worker's name in a group."""
    return f"worker:{{{topic}}}:{group}:{consumer}"


def handling_of(consumer: str, group: str, topic: str) -> str:
    """Return the key in which a worker says for how long its handlers have had their events."""
    return f"{worker_of(consumer, group, topic)}:handling"


def replies_of(client_id: str) -> str:
    """Return the stream on which one bus receives the answers to its requests."""
    return f"{REPLIES}:{client_id}"


def is_replies(stream: str) -> bool:
    """Whether it is a reply stream: a request names its stream, and could name any key."""
    return stream.startswith(f"{REPLIES}:")


def once_of(scope: str, event_id: str) -> str:
    """Return the mark of an effect that has happened, or is happening.

    Raises:
        ValueError: the scope has a colon: `billing` with `mail:1` would be `billing:mail` with `1`.
    """
    if ":" in scope:
        raise ValueError(f"{scope!r}: a scope of `once` has no colon; write a dot, as in 'billing.mail'")
    return f"once:{scope}:{event_id}"
