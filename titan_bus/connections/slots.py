"""Maps a command to one of a cluster's 16,384 slots (Redis Cluster specification, "Key distribution model").

Used by `cluster_connection`, and by `server` for connections of their own.
"""

import binascii
from collections.abc import Sequence
from functools import lru_cache

from titan_bus.connections.keys import Word, places_of
from titan_bus.errors import NameMalformedError

SLOTS = 16_384


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
    places = places_of(words)
    if not places:
        return None
    key = words[places[0]]
    return slot_of(key if isinstance(key, bytes) else str(key))
