"""The topics, their lengths and the consumer groups: the one list that every process shares.

Durable topics carry commands and events and are consumed by groups; ephemeral ones are short and only tailed
(plain XREAD); request topics carry questions with a deadline.
"""

from titan_bus import StreamConfig

CHAT = "chat.v1"
CHAT_STREAM = "chat.stream.v1"
CHAT_REQUESTS = "chat.requests.v1"
FS = "fs.v1"
FS_REQUESTS = "fs.requests.v1"
MEMORY = "memory.v1"
MEMORY_REQUESTS = "memory.requests.v1"
SYSTEM = "system.v1"
SYSTEM_REQUESTS = "system.requests.v1"
DEAD_LETTERS = "dead_letters.v1"
DEAD_LETTER_REQUESTS = "dead_letters.requests.v1"
PRESENCE = "presence.v1"

TOLD = (CHAT, CHAT_STREAM, FS, MEMORY, SYSTEM, DEAD_LETTERS)
"""What happened: every window reads along here."""

STREAMS = (
    StreamConfig(name=CHAT, maxlen=100_000, retry_limit=5),
    StreamConfig(name=CHAT_STREAM, maxlen=5_000),
    StreamConfig(name=CHAT_REQUESTS, maxlen=2_000),
    StreamConfig(name=FS, maxlen=100_000, retry_limit=3),
    StreamConfig(name=FS_REQUESTS, maxlen=2_000),
    StreamConfig(name=MEMORY, maxlen=100_000),
    StreamConfig(name=MEMORY_REQUESTS, maxlen=2_000),
    StreamConfig(name=SYSTEM, maxlen=10_000),
    StreamConfig(name=SYSTEM_REQUESTS, maxlen=2_000),
    StreamConfig(name=DEAD_LETTERS, maxlen=500),
    StreamConfig(name=DEAD_LETTER_REQUESTS, maxlen=2_000),
    StreamConfig(name=PRESENCE, maxlen=500),
)
