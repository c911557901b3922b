"""The positions of the keys in the commands that this package sends (Redis, "Command key specifications").

`slots` finds a command's node by its keys, `wire` names a key of the wrong type, and a bus with a prefix puts the
prefix before each key. A command that is added to the package has to be added here.
"""

from collections.abc import Sequence
from typing import Any

Word = str | bytes | int | float
_KEYLESS = frozenset(
    {
        "ACL", "ASKING", "AUTH", "BGREWRITEAOF", "BGSAVE", "CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "HELLO",
        "INFO", "PING", "ROLE", "SCAN", "SELECT", "SENTINEL", "SUBSCRIBE", "TIME", "WAIT",
    }
)  # fmt: skip
_THIRD = frozenset({"XGROUP", "XINFO"})
_AFTER_COUNT = frozenset({"EVAL", "EVALSHA", "FCALL"})
AFTER_STREAMS = frozenset({"XREAD", "XREADGROUP"})
"""The commands whose replies name their streams."""
_ALL = frozenset({"DEL", "EXISTS", "RENAME", "UNLINK"})


def places_of(words: Sequence[Word]) -> range:
    """Return the positions of a command's keys."""
    name = str(words[0])
    if name in _KEYLESS:
        return range(0)
    if name in _AFTER_COUNT:
        return range(3, 3 + int(words[2]))
    if name in AFTER_STREAMS:
        first = words.index("STREAMS") + 1
        return range(first, first + (len(words) - first) // 2)
    if name in _ALL:
        return range(1, len(words))
    first = 2 if name in _THIRD else 1
    return range(first, first + 1)


def prefixed(prefix: str, words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the command with the prefix before each key."""
    changed = list(words)
    for place in places_of(words):
        key = words[place]
        changed[place] = prefix.encode() + key if isinstance(key, bytes) else f"{prefix}{key}"
    return tuple(changed)


def unprefixed(prefix: str, reply: Any) -> Any:
    """Return the reply to an XREAD or XREADGROUP with the streams' names as they were asked for."""
    return [[stream[len(prefix.encode()) :], entries] for stream, entries in reply or ()]
