"""Maps a command to one of a cluster's 16,384 slots (Redis Cluster specification, "Key distribution model").

Contains the commands that this package sends, and the position of their key. Used by `cluster_connection`.
"""

import binascii
from collections.abc import Sequence
from functools import lru_cache

from titan_bus.connections.wire import Word
from titan_bus.errors import NameMalformedError

SLOTS = 16_384
_KEYLESS = frozenset({"ACL", "CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "INFO", "PING", "ROLE", "TIME", "WAIT"})
_KEY_THIRD = frozenset({"XGROUP", "XINFO"})
_KEY_AFTER_COUNT = frozenset({"EVAL", "EVALSHA", "FCALL"})
_KEY_AFTER_STREAMS = frozenset({"XREAD", "XREADGROUP"})


@lru_cache(maxsize=4_096)
def slot_of(key: str | bytes) -> int:
    """Return the slot of a key: of the text in its first braces, if there is any.

    Raises:
        NameMalformedError: the key cannot be encoded.
    """
    try:
        tag = key.encode() if isinstance(key, str) else key
    except UnicodeEncodeError as error:
        raise NameMalformedError(error.object) from error
    start = tag.find(b"{")
    end = tag.find(b"}", start + 1)
    if start >= 0 and end > start + 1:
        tag = tag[start + 1 : end]
    return binascii.crc_hqx(tag, 0) % SLOTS  # CRC-16/XMODEM, as specified


def slot_of_command(words: Sequence[Word]) -> int | None:
    """Return the slot of a command's first key, None when it has no key."""
    name = str(words[0])
    if name in _KEYLESS:
        return None
    if name in _KEY_AFTER_COUNT:
        return _slot(words[3]) if int(words[2]) else None
    if name in _KEY_AFTER_STREAMS:
        return _slot(words[words.index("STREAMS") + 1])
    return _slot(words[2 if name in _KEY_THIRD else 1])


def _slot(key: Word) -> int:
    return slot_of(key if isinstance(key, bytes) else str(key))
