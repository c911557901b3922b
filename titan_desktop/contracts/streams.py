"""How long each topic is kept and how often its events are tried again: the one list that every process shares."""

from titan_bus import StreamConfig
from titan_desktop.contracts import topics

STREAMS = (
    StreamConfig(name=topics.CHAT_COMMANDS, maxlen=100_000, retry_limit=5),
    StreamConfig(name=topics.CHAT, maxlen=100_000),
    StreamConfig(name=topics.CHAT_STREAM, maxlen=5_000),
    StreamConfig(name=topics.CHAT_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.FILES_COMMANDS, maxlen=10_000, retry_limit=3),
    StreamConfig(name=topics.FILES, maxlen=100_000, retry_limit=3),
    StreamConfig(name=topics.FILES_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.FILE_ACTION_COMMANDS, maxlen=10_000, retry_limit=5),
    StreamConfig(name=topics.FILE_ACTIONS, maxlen=10_000),
    StreamConfig(name=topics.FILE_ACTION_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.INDEXING, maxlen=100_000),
    StreamConfig(name=topics.INDEXING_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.SEARCH_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.SYSTEM_COMMANDS, maxlen=500),
    StreamConfig(name=topics.SYSTEM, maxlen=10_000),
    StreamConfig(name=topics.SYSTEM_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.DEAD_LETTER_COMMANDS, maxlen=500),
    StreamConfig(name=topics.DEAD_LETTERS, maxlen=500),
    StreamConfig(name=topics.DEAD_LETTER_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.MEMORY_COMMANDS, maxlen=100_000, retry_limit=5),
    StreamConfig(name=topics.MEMORY, maxlen=100_000),
    StreamConfig(name=topics.MEMORY_REQUESTS, maxlen=2_000),
    StreamConfig(name=topics.RECALL_REQUESTS, maxlen=500),
    StreamConfig(name=topics.FORGETTING, maxlen=500),
    StreamConfig(name=topics.PRESENCE, maxlen=500),
)
