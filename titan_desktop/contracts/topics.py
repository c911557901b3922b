"""The topics, by name. `streams` has their lengths; it needs the bus, and the window imports this before that.

A subject has up to three. `<subject>.commands.v1` says what is to be done: one service takes it.
`<subject>.v1` says what happened: whoever wants to may read along. `<subject>.requests.v1` carries questions with
a deadline and one reply. What is ephemeral (`CHAT_STREAM`, `PRESENCE`) is short and only tailed.
"""

EDITION = 4
"""Increased when topics or messages change so that core and client of different editions cannot work together."""

CHAT_COMMANDS = "chat.commands.v1"
CHAT = "chat.v1"
CHAT_STREAM = "chat.stream.v1"
CHAT_REQUESTS = "chat.requests.v1"
FILES_COMMANDS = "files.commands.v1"
FILES = "files.v1"
FILES_REQUESTS = "files.requests.v1"
FILE_ACTION_COMMANDS = "file_actions.commands.v1"
FILE_ACTIONS = "file_actions.v1"
FILE_ACTION_REQUESTS = "file_actions.requests.v1"
INDEXING = "indexing.v1"
INDEXING_REQUESTS = "indexing.requests.v1"
SEARCH_REQUESTS = "search.requests.v1"
SYSTEM_COMMANDS = "system.commands.v1"
SYSTEM = "system.v1"
SYSTEM_REQUESTS = "system.requests.v1"
DEAD_LETTER_COMMANDS = "dead_letters.commands.v1"
DEAD_LETTERS = "dead_letters.v1"
DEAD_LETTER_REQUESTS = "dead_letters.requests.v1"
MEMORY_COMMANDS = "memory.commands.v2"
MEMORY = "memory.v2"
MEMORY_REQUESTS = "memory.requests.v2"
"""Of the second version: an early Titan's index had the first ones, which `core.former_topics` removes."""
RECALL_REQUESTS = "recall.requests.v1"
"""Apart from those of memory, because one service answers the requests of a topic."""
FORGETTING = "forgetting.v1"
PRESENCE = "presence.v1"

TOLD = (CHAT, CHAT_STREAM, FILES, INDEXING, SYSTEM, DEAD_LETTERS, MEMORY)
"""What happened: every window reads along here."""

ARCHIVED = (CHAT_COMMANDS, CHAT, FILES_COMMANDS, FILES, MEMORY_COMMANDS, MEMORY)
"""What is kept beyond the streams: what was asked for, and what happened."""
